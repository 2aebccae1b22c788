"""Sound without weights."""

from pathlib import Path

import pytest
import torch

from passband.errors import InputError
from passband.frequency import griffinlim, inverse_mel_scale
from passband.vocoder import GriffinLim, MelFeatureSettings


def chirp(time: int = 6144) -> torch.Tensor:
    t = torch.arange(time) / 24000
    return 0.3 * torch.sin(2 * torch.pi * (300 * t + 2000 * t**2))


@pytest.mark.parametrize("padding", ["center", "same"])
def test_features_of_the_sound_are_near(padding: str) -> None:
    vocoder = GriffinLim(MelFeatureSettings(padding=padding), rand_init=False)
    audio = chirp()
    features = vocoder.features(audio)

    def distance(sound: torch.Tensor) -> float:
        far = (vocoder.features(sound) - features)[:, 2:-2].abs()
        return float(far[features[:, 2:-2] > -3].mean())

    again = vocoder(features, length=len(audio))
    assert again.shape == audio.shape
    assert distance(again) < 0.6
    # Noise of the same size, or the sound a hop away, is farther.
    assert distance(0.2 * torch.randn(len(audio))) > 1.0


def test_it_is_the_iteration_over_least_squares() -> None:
    vocoder = GriffinLim(n_iter=3, rand_init=False)
    features = vocoder.features(chirp())
    magnitudes = inverse_mel_scale(features.exp(), vocoder.feature_extractor.filters)
    expected = griffinlim(
        magnitudes, n_fft=1024, hop_length=256, n_iter=3, power=1.0, rand_init=False
    )
    torch.testing.assert_close(vocoder(features), expected)


def test_same_padding_lies_where_the_signal_was() -> None:
    settings = MelFeatureSettings(padding="same")
    vocoder = GriffinLim(settings, rand_init=False, n_iter=16)
    audio = torch.zeros(5120)
    audio[2500] = 1.0
    again = vocoder(vocoder.features(audio))
    assert again.shape == (5120,)
    energy = again.square()
    centre = float((energy * torch.arange(5120)).sum() / energy.sum())
    assert abs(centre - 2500) < 64


@pytest.mark.parametrize("padding", ["center", "same"])
def test_lengths(padding: str) -> None:
    vocoder = GriffinLim(MelFeatureSettings(padding=padding), n_iter=2, rand_init=False)
    features = vocoder.features(torch.stack((chirp(), chirp().flip(0))))
    natural = vocoder(features)
    assert natural.shape == (2, (features.shape[-1] - (padding == "center")) * 256)
    together = vocoder(features, lengths=[features.shape[-1], 12])
    alone = vocoder(features[1, :, :12])
    torch.testing.assert_close(together[1, : len(alone)], alone, atol=1e-5, rtol=0)
    assert not together[1, len(alone) :].any()
    assert vocoder(features, length=5000).shape == (2, 5000)


@pytest.mark.parametrize(
    ("shape", "match"),
    [((80, 20), r"must be \(\*batch, 100, frames\)"), ((100, 3), "must have at least 4 frames")],
)
def test_bad_features(shape: tuple[int, int], match: str) -> None:
    with pytest.raises(InputError, match=match):
        GriffinLim()(torch.zeros(shape))


def test_a_real_voice(data: Path) -> None:
    from passband.frequency import resample
    from passband.media import read_audio

    file = sorted((data / "audio").rglob("*.wav"))[0]
    sound = read_audio(file)
    rate = sound.sample_rate
    audio = resample(sound.samples[0, : rate // 2], rate, 24000).float()
    vocoder = GriffinLim(rand_init=False)
    features = vocoder.features(audio)
    again = vocoder.features(vocoder(features, length=len(audio)))
    assert float((again - features).abs().mean()) < 1.0
