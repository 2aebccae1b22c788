"""The vocoder against the ``vocos`` package: same weights, same names, same sound.

The package imports torchaudio for a mel spectrogram and two conversions; a stand-in with their
formulas in float64 takes its place, so that all else is the package's own code.
"""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import scipy.signal
import torch
import yaml
from torch import Tensor, nn

from passband.vocoder import (
    ConvNeXtSettings,
    EncodecFeatures,
    EncodecFeatureSettings,
    IMDCTCosHeadSettings,
    IMDCTSymExpHeadSettings,
    InverseMDCT,
    ISTFTHeadSettings,
    MelFeatures,
    MelFeatureSettings,
    ResNetSettings,
    Vocos,
    VocosSettings,
    convert_to_published,
)
from passband.vocoder._pretrained import load_weights
from passband.vocoder._published import published_settings

pytestmark = pytest.mark.filterwarnings("ignore")  # of the package and of what it imports

SMALL = ConvNeXtSettings(dim=64, intermediate_dim=160, num_layers=3)


def hz_to_mel(hz: float) -> float:
    return 2595 * math.log10(1 + hz / 700)


def mel_to_hz(mel: Tensor) -> Tensor:
    return 700 * (10 ** (mel / 2595) - 1)


class MelSpectrogram(nn.Module):
    """torchaudio's transform at the arguments that vocos passes, written out in float64."""

    def __init__(self, sample_rate, n_fft, hop_length, n_mels, center, power) -> None:
        super().__init__()
        assert power == 1
        self.n_fft = self.win_length = n_fft
        self.hop_length, self.center = hop_length, center
        self.spectrogram, self.mel_scale = nn.Module(), nn.Module()
        self.spectrogram.register_buffer("window", torch.hann_window(n_fft))
        hz = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1, dtype=torch.float64)[:, None]
        top = hz_to_mel(sample_rate / 2)
        corners = mel_to_hz(torch.linspace(0, top, n_mels + 2, dtype=torch.float64))
        low, peak, high = corners[:-2], corners[1:-1], corners[2:]
        rise, fall = (hz - low) / (peak - low), (high - hz) / (high - peak)
        self.mel_scale.register_buffer("fb", torch.minimum(rise, fall).clamp(min=0).float())

    def forward(self, audio: Tensor) -> Tensor:
        x = audio.double()
        if self.center:
            x = nn.functional.pad(x[:, None], [self.n_fft // 2] * 2, mode="reflect")[:, 0]
        frames = x.unfold(-1, self.n_fft, self.hop_length) * self.spectrogram.window.double()
        magnitude = torch.fft.rfft(frames).abs()
        return (magnitude @ self.mel_scale.fb.double()).mT.to(audio.dtype)


@pytest.fixture(scope="module")
def peer() -> Iterator[SimpleNamespace]:
    """The package's modules."""
    torchaudio, functional = ModuleType("torchaudio"), ModuleType("torchaudio.functional")
    inner, transforms = (
        ModuleType("torchaudio.functional.functional"),
        ModuleType("torchaudio.transforms"),
    )
    inner._hz_to_mel, inner._mel_to_hz = hz_to_mel, mel_to_hz
    transforms.MelSpectrogram = MelSpectrogram
    torchaudio.transforms, torchaudio.functional = transforms, functional
    stand_ins = {
        "torchaudio": torchaudio,
        "torchaudio.transforms": transforms,
        "torchaudio.functional": functional,
        "torchaudio.functional.functional": inner,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, module in stand_ins.items():
            patch.setitem(sys.modules, name, module)
        # The package asks for a name that scipy has since moved.
        patch.setattr("scipy.signal.cosine", scipy.signal.windows.cosine, raising=False)
        import vocos
        from vocos import feature_extractors, heads, models, pretrained, spectral_ops

        yield SimpleNamespace(
            Vocos=vocos.Vocos,
            features=feature_extractors,
            heads=heads,
            models=models,
            pretrained=pretrained,
            spectral_ops=spectral_ops,
        )
        for name in [name for name in sys.modules if name.split(".")[0] in ("vocos", "encodec")]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def codec(peer: SimpleNamespace) -> Any:
    """EnCodec at 24 kHz with random weights, kept in place of the download."""
    from encodec import EncodecModel

    torch.manual_seed(3)
    model = EncodecModel.encodec_model_24khz(pretrained=False).eval()
    for layer in model.quantizer.vq.layers:
        layer._codebook.inited.fill_(1)
        layer._codebook.embed.copy_(torch.randn(1024, 128))
    return model


def their_model(peer: SimpleNamespace, settings: VocosSettings, codec: Any = None) -> Any:
    """The package's model out of our settings in its own layout, with random weights."""
    config = published_settings(settings)
    with pytest.MonkeyPatch.context() as patch:
        if codec is not None:
            patch.setattr("encodec.EncodecModel.encodec_model_24khz", lambda pretrained: codec)
        parts = {
            name: peer.pretrained.instantiate_class((), table) for name, table in config.items()
        }
    torch.manual_seed(0)
    theirs = peer.Vocos(**parts).eval()
    with torch.no_grad():
        for name, value in theirs.named_parameters():
            if ".encodec." not in name:
                value.add_(0.05 * torch.randn_like(value))
    return theirs


def weights_of(theirs: Any) -> dict[str, Tensor]:
    state = theirs.state_dict()
    return {k: v for k, v in state.items() if not k.startswith("feature_extractor.encodec.")}


def ours_from(theirs: Any, settings: VocosSettings) -> Vocos:
    ours = Vocos(settings)
    load_weights(ours, weights_of(theirs), "the package")
    return ours.eval()


def error(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / theirs.abs().max())


def mel_settings(padding: str, **parts: Any) -> VocosSettings:
    features = MelFeatureSettings(padding=padding)
    return VocosSettings(
        **{
            "feature_extractor": features,
            "backbone": SMALL,
            "head": ISTFTHeadSettings(padding=padding),
            **parts,
        }
    )


def test_published_mel_model_sounds_the_same(peer: SimpleNamespace) -> None:
    settings = VocosSettings.mel_24khz()
    theirs = their_model(peer, settings)
    assert len(theirs.state_dict()) == 83
    ours = ours_from(theirs, settings)
    assert list(ours.state_dict().keys() ^ theirs.state_dict().keys()) == []
    features = theirs.feature_extractor(torch.randn(2, 4000))
    with torch.no_grad():
        assert error(ours(features), theirs.decode(features)) < 1e-5


@pytest.mark.parametrize("padding", ["center", "same"])
def test_small_models_sound_the_same(peer: SimpleNamespace, padding: str) -> None:
    settings = mel_settings(padding)
    theirs = their_model(peer, settings)
    features = theirs.feature_extractor(torch.randn(3, 9000))
    ours = ours_from(theirs, settings)
    assert error(ours(features), theirs.decode(features)) < 1e-5
    with torch.no_grad():
        assert error(ours(features), theirs.decode(features)) < 1e-5


@pytest.mark.parametrize("padding", ["center", "same"])
@pytest.mark.parametrize("time", [24000, 24001, 10239])
def test_features_are_the_same(peer: SimpleNamespace, padding: str, time: int) -> None:
    theirs = peer.features.MelSpectrogramFeatures(padding=padding)
    audio = 0.1 * torch.randn(2, time)
    expected = theirs(audio)
    ours = MelFeatures(padding=padding)
    assert error(ours(audio), expected) < 1e-5
    assert error(ours(audio.double()), theirs(audio.double())) < 1e-5
    torch.testing.assert_close(ours.filters, theirs.mel_spec.mel_scale.fb, atol=1e-6, rtol=0)


@pytest.mark.parametrize("padding", ["center", "same"])
@pytest.mark.parametrize("bandwidth", [0, 3])
def test_encodec_model_sounds_the_same(
    peer: SimpleNamespace, codec: Any, padding: str, bandwidth: int
) -> None:
    published = VocosSettings.encodec_24khz()
    small = ConvNeXtSettings(dim=96, intermediate_dim=200, num_layers=3, conditions=4)
    head = ISTFTHeadSettings(n_fft=1280, padding=padding)
    settings = VocosSettings(feature_extractor=EncodecFeatureSettings(), backbone=small, head=head)
    theirs = their_model(peer, settings, codec)
    ours = ours_from(theirs, settings)
    audio = 0.1 * torch.randn(2, 3200)
    identity = torch.tensor([bandwidth])
    expected = theirs.feature_extractor(audio, bandwidth_id=identity)
    ours.feature_extractor.codec = codec
    features = ours.features(audio, bandwidth_id=bandwidth)
    assert torch.equal(features, expected)
    with torch.no_grad():
        sound = theirs.decode(expected, bandwidth_id=identity)
        assert error(ours(features, bandwidth), sound) < 1e-5
        assert error(ours(features, torch.tensor([bandwidth] * 2)), sound) < 1e-5
    codes = torch.randint(0, 1024, (8, 2, 20))
    assert torch.equal(ours.codes_to_features(codes), theirs.codes_to_features(codes))
    assert published.backbone.dim == 384


def test_published_encodec_names_and_shapes(peer: SimpleNamespace, codec: Any) -> None:
    settings = VocosSettings.encodec_24khz()
    theirs = weights_of(their_model(peer, settings, codec))
    ours = Vocos(settings).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
    assert ours["feature_extractor.codebook_weights"].shape == (16384, 128)
    assert ours["backbone.norm.scale.weight"].shape == (4, 384)


def test_resnet_sounds_the_same(peer: SimpleNamespace) -> None:
    settings = mel_settings("center", backbone=ResNetSettings(dim=48, num_blocks=2))
    theirs = their_model(peer, settings)
    ours = ours_from(theirs, settings)
    features = torch.randn(2, 100, 40)
    with torch.no_grad():
        assert error(ours(features), theirs.decode(features)) < 1e-5


@pytest.mark.parametrize("head", [IMDCTSymExpHeadSettings, IMDCTCosHeadSettings])
@pytest.mark.parametrize("padding", ["center", "same"])
def test_imdct_heads_sound_the_same(peer: SimpleNamespace, head: Any, padding: str) -> None:
    settings = mel_settings("center", head=head(padding=padding))
    theirs = their_model(peer, settings)
    # Their constants come from angles of hundreds of radians in float32, 2e-5 off.
    theirs.head.imdct.load_state_dict(InverseMDCT(512).state_dict())
    ours = ours_from(theirs, settings)
    features = torch.randn(2, 100, 30)
    with torch.no_grad():
        assert error(ours(features), theirs.decode(features)) < 1e-5


def test_the_inverse_cosine_transform_undoes_theirs(peer: SimpleNamespace) -> None:
    from passband.frequency import overlap_add
    from passband.vocoder import IMDCTCosHead

    audio = torch.randn(2, 2048)
    coefficients = peer.spectral_ops.MDCT(128, padding="center")(audio)
    added = overlap_add(InverseMDCT(128)(coefficients), 64)
    again = IMDCTCosHead(4, 128, "center").joined(added, coefficients.shape[1])
    torch.testing.assert_close(again, audio, atol=1e-5, rtol=0)


def test_mel_scaled_head_begins_like_theirs(peer: SimpleNamespace) -> None:
    from passband.vocoder import IMDCTSymExpHead

    torch.manual_seed(0)
    theirs = peer.heads.IMDCTSymExpHead(16, 512, sample_rate=24000)
    torch.manual_seed(0)
    ours = IMDCTSymExpHead(16, 512, sample_rate=24000)
    torch.testing.assert_close(ours.out.weight, theirs.out.weight, atol=1e-6, rtol=0)


def test_their_files_are_read_and_ours_are_read_by_them(
    peer: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = mel_settings("center")
    theirs = their_model(peer, settings)
    (tmp_path / "theirs").mkdir()
    config = {**published_settings(settings), "trainer": {"max_steps": 3}}
    (tmp_path / "theirs" / "config.yaml").write_text(yaml.safe_dump(config))
    torch.save(theirs.state_dict(), tmp_path / "theirs" / "pytorch_model.bin")
    features = torch.randn(1, 100, 20)
    with torch.no_grad():
        expected = theirs.decode(features)
        ours = Vocos.from_pretrained(tmp_path / "theirs")
        assert error(ours(features), expected) < 1e-5

        ours.save_pretrained(tmp_path / "ours")
        convert_to_published(tmp_path / "ours", tmp_path / "back")
        monkeypatch.setattr(
            peer.pretrained,
            "hf_hub_download",
            lambda repo_id, filename, revision: str(tmp_path / "back" / filename),
        )
        assert torch.equal(peer.Vocos.from_pretrained("a/b").decode(features), expected)


def test_encodec_features_of_the_published_table_need_no_codec() -> None:
    features = EncodecFeatures()
    assert features.codec is None
    assert not features.codebook_weights.requires_grad
