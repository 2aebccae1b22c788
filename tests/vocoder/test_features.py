"""Features: mel against the formula, codes against a loop, and what is refused."""

import math
from types import SimpleNamespace

import librosa
import numpy as np
import pytest
import torch

from passband.errors import InputError, MissingDependencyError
from passband.frequency import melscale_fbanks
from passband.vocoder import EncodecFeatures, MelFeatures, PseudoInverseMel
from passband.vocoder._checks import check_features
from passband.vocoder._encodec_features import codebooks


@pytest.mark.parametrize("padding", ["center", "same"])
@pytest.mark.parametrize("time", [10240, 9999])
def test_mel_features_are_the_formula(padding: str, time: int) -> None:
    x = 0.1 * np.random.default_rng(0).standard_normal(time)
    margin = 512 if padding == "center" else 384
    padded = np.pad(x, margin, mode="reflect")
    spectrum = librosa.stft(padded, n_fft=1024, hop_length=256, center=False)
    bank = librosa.filters.mel(
        sr=24000, n_fft=1024, n_mels=100, htk=True, norm=None, dtype=np.float64
    )
    expected = torch.from_numpy(np.log(np.maximum(bank @ abs(spectrum), 1e-7)))
    ours = MelFeatures(padding=padding)(torch.from_numpy(x).float())
    assert ours.shape == (100, time // 256 + (padding == "center"))
    torch.testing.assert_close(ours.double(), expected, atol=1e-4, rtol=1e-5)


def test_silence_is_the_clip() -> None:
    torch.testing.assert_close(
        MelFeatures()(torch.zeros(2, 3, 2048)), torch.full((2, 3, 100, 9), math.log(1e-7))
    )


def test_filters_that_are_loaded_are_used_where_they_are() -> None:
    features = MelFeatures()
    state = {name: value.clone() for name, value in features.state_dict().items()}
    state["mel_spec.mel_scale.fb"] = state["mel_spec.mel_scale.fb"].flip(0)
    other = MelFeatures()
    other.load_state_dict(state)
    x = torch.randn(1, 4096)
    spectrum = torch.stft(
        x, 1024, 256, window=torch.hann_window(1024), return_complex=True, pad_mode="reflect"
    )
    expected = (spectrum.abs().mT @ state["mel_spec.mel_scale.fb"]).mT.log()
    torch.testing.assert_close(other(x), expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (torch.linspace(-40, 0, 50), "at least ln 1e-07 = -16.12"),
        (torch.randn(50).clamp(min=0) - 7, "base-10 logarithm clipped at 1e-7"),
        (torch.randn(50).clamp(min=0) + math.log(1e-5), "as HiFi-GAN"),
        (torch.linspace(0, 500, 50), "must be at most 32, as logarithms of magnitudes are"),
    ],
)
def test_other_logarithms(values: torch.Tensor, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        check_features(MelFeatures(), values.expand(100, 50), 1, values=True)
    assert "expected 100 bands, natural log, clipped at 1e-7" in str(caught.value)


def test_features_of_sound_pass_the_check() -> None:
    features = MelFeatures()
    for audio in (torch.zeros(4096), torch.randn(4096), 1e-4 * torch.randn(4096)):
        check_features(features, features(audio), 1, values=True)


@pytest.mark.parametrize(("padding", "least"), [("center", 513), ("same", 385)])
def test_too_short(padding: str, least: int) -> None:
    features = MelFeatures(padding=padding)
    assert features(torch.randn(least)).shape[-1] >= 1
    with pytest.raises(InputError, match=f"at least {least} samples"):
        features(torch.randn(least - 1))


def test_codes_become_sums_of_rows() -> None:
    features = EncodecFeatures()
    codes = torch.randint(0, 1024, (4, 2, 5))
    table = features.codebook_weights.detach()
    expected = torch.zeros(2, 128, 5)
    for item in range(2):
        for frame in range(5):
            for book in range(4):
                expected[item, :, frame] += table[book * 1024 + codes[book, item, frame]]
    torch.testing.assert_close(features.from_codes(codes), expected)
    assert [codebooks(bandwidth) for bandwidth in features.bandwidths] == [2, 4, 8, 16]
    assert features.codebook_weights.shape == (16 * 1024, 128)


def test_audio_goes_through_the_codec_given() -> None:
    features = EncodecFeatures()
    codes = torch.randint(0, 1024, (4, 6, 3))
    asked = []

    class Part(torch.nn.Module):
        def forward(self, audio: torch.Tensor) -> torch.Tensor:
            return audio

        def encode(self, latent: torch.Tensor, rate: int, bandwidth: float) -> torch.Tensor:
            asked.append((tuple(latent.shape), rate, bandwidth))
            return codes

    features.codec = SimpleNamespace(encoder=Part(), quantizer=Part(), frame_rate=75)
    found = features(torch.randn(2, 3, 960), 1)
    assert torch.equal(found.flatten(0, 1), features.from_codes(codes))
    assert asked == [((6, 1, 960), 75, 3.0)]


def test_missing_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "encodec", None)
    with pytest.raises(MissingDependencyError, match="pip install encodec"):
        EncodecFeatures()(torch.randn(1, 960), 0)


@pytest.mark.parametrize(
    ("codes", "match"),
    [
        (torch.zeros(17, 5, dtype=torch.long), "1 to 16 codebooks"),
        (torch.full((2, 5), 1024), "must be 0 to 1023"),
    ],
)
def test_bad_codes(codes: torch.Tensor, match: str) -> None:
    with pytest.raises(InputError, match=match):
        EncodecFeatures().from_codes(codes)


@pytest.mark.parametrize("bandwidth", [None, 4, torch.tensor([0, 1])])
def test_bad_bandwidth(bandwidth: object) -> None:
    with pytest.raises(InputError, match=r"one number from 0 to 3: 1\.5, 3, 6, 12 kbit/s"):
        EncodecFeatures()(torch.randn(1, 960), bandwidth)


def test_pseudo_inverse_is_numpys() -> None:
    filters = melscale_fbanks(513, 0.0, 12000.0, 100, 24000)
    features = torch.randn(2, 100, 4)
    mel = features.exp().double().numpy()
    expected = np.log(np.maximum(abs(np.linalg.pinv(filters.numpy().T) @ mel), 1e-5))
    ours = PseudoInverseMel(filters)(features)
    torch.testing.assert_close(ours.double(), torch.from_numpy(expected), atol=1e-3, rtol=1e-4)
    assert not PseudoInverseMel(filters).state_dict()
