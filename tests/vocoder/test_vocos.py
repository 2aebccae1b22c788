"""The vocoder whole: pieces, batches, lengths, precision, and what is refused."""

import copy
import math
import pickle

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.vocoder import (
    ConvNeXtSettings,
    EncodecFeatureSettings,
    IMDCTCosHeadSettings,
    ISTFTHeadSettings,
    LinearHeadSettings,
    MelFeatureSettings,
    PseudoInverseSettings,
    ResNetSettings,
    Vocos,
    VocosSettings,
    _chunks,
)
from passband.vocoder._fused_rows import add_convolve_normalise

SMALL = ConvNeXtSettings(dim=32, intermediate_dim=64, num_layers=2)


def small(seed: int = 0, **parts: object) -> Vocos:
    torch.manual_seed(seed)
    vocos = Vocos(VocosSettings(**{"backbone": SMALL, **parts})).eval()
    with torch.no_grad():
        for value in vocos.parameters():
            value.add_(0.05 * torch.randn_like(value))
    return vocos


def plain(vocos: Vocos, features: Tensor, bandwidth_id: object = None) -> Tensor:
    """The modules one after the other, without pieces or packing."""
    with torch.enable_grad():
        return vocos.head(vocos.backbone(features, bandwidth_id)).detach()


def error(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).norm() / theirs.norm())


def test_published_sizes() -> None:
    mel = Vocos(VocosSettings.mel_24khz())
    assert round(sum(p.numel() for p in mel.parameters()) / 1e6, 2) == 13.53
    assert len(mel.state_dict()) == 83
    codes = Vocos(VocosSettings.encodec_24khz())
    learning = sum(p.numel() for p in codes.parameters() if p.requires_grad)
    assert round(learning / 1e6, 2) == 7.98
    assert (mel.context, mel.hop_length, codes.hop_length) == (27, 256, 320)


@pytest.mark.parametrize("shape", [(100, 6), (1, 100, 6), (2, 3, 100, 6)])
def test_any_batch(shape: tuple[int, ...]) -> None:
    vocos = small()
    features = torch.randn(shape)
    audio = vocos(features)
    assert audio.shape == (*shape[:-2], 5 * 256)
    last = features.reshape(-1, 100, 6)[-1]
    torch.testing.assert_close(vocos(last), audio.reshape(-1, 5 * 256)[-1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("backbone", [SMALL, ResNetSettings(dim=16, num_blocks=1)])
@pytest.mark.parametrize(
    "head", [ISTFTHeadSettings(), ISTFTHeadSettings(padding="same"), IMDCTCosHeadSettings()]
)
def test_pieces_give_the_same_numbers(
    backbone: object, head: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocos = small(backbone=backbone, head=head).double()
    features = torch.randn(2, 100, 60, dtype=torch.float64)
    monkeypatch.setitem(_chunks._PIECE, "cpu", 25)
    with torch.no_grad():
        audio = vocos(features)
    torch.testing.assert_close(audio, plain(vocos, features), atol=1e-10, rtol=1e-10)


def test_too_little_context_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    vocos = small().double()
    features = torch.randn(1, 100, 60, dtype=torch.float64)
    monkeypatch.setitem(_chunks._PIECE, "cpu", 25)
    vocos.context -= 1
    with torch.no_grad():
        assert error(vocos(features), plain(vocos, features)) > 1e-8


@pytest.mark.parametrize("conditions", [None, 3])
@pytest.mark.parametrize(("precision", "limit"), [("float32", 2e-6), ("bfloat16", 2e-2)])
def test_packed_weights_give_the_same_sound(
    conditions: int | None, precision: str, limit: float
) -> None:
    vocos = small(backbone=SMALL.model_copy(update={"conditions": conditions}))
    features = torch.randn(3, 100, 37)
    bandwidth_id = None if conditions is None else torch.tensor([0, 2, 1])
    with torch.no_grad():
        audio = vocos(features, bandwidth_id, precision=precision)
    assert audio.dtype == torch.float32
    assert error(audio, plain(vocos, features, bandwidth_id)) < limit


def test_packed_weights_follow_the_weights() -> None:
    vocos, features = small(), torch.randn(1, 100, 12)
    with torch.no_grad():
        before = vocos(features)
        vocos.backbone.convnext[1].gamma.mul_(3.0)
        changed = vocos(features)
        assert error(changed, before) > 1e-3
        assert error(changed, plain(vocos, features)) < 2e-6
        vocos.load_state_dict(small().state_dict())
        assert error(vocos(features), before) == 0
        again = pickle.loads(pickle.dumps(copy.deepcopy(vocos)))
        assert error(again(features), before) == 0


def test_row_pass_is_convolution_and_norm() -> None:
    x, added = torch.randn(2, 2, 11, 16)
    weight, bias = torch.randn(7, 16), torch.randn(16)
    scale, shift = torch.randn(2, 2, 16)
    seen = x.clone()
    ours = add_convolve_normalise(seen, added, weight, bias, scale, shift, 1e-6)
    assert torch.equal(seen, x + added)
    convolved = torch.nn.functional.conv1d(
        (x + added).mT, weight.mT[:, None], bias, padding=3, groups=16
    ).mT
    expected = torch.nn.functional.layer_norm(convolved, (16,), eps=1e-6)
    expected = expected * scale[:, None] + shift[:, None]
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)
    coarse = added.bfloat16()
    exact = add_convolve_normalise(x.clone(), coarse.float(), weight, bias, scale, shift, 1e-6)
    rounded = add_convolve_normalise(x, coarse, weight, bias, scale, shift, 1e-6)
    assert float((rounded == exact.bfloat16()).float().mean()) > 0.99  # but for ties
    assert not rounded.float().isnan().any()


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("padding", ["center", "same"])
def test_items_of_different_lengths_do_not_hear_each_other(gradients: bool, padding: str) -> None:
    vocos = small(head=ISTFTHeadSettings(padding=padding)).double()
    features = torch.randn(3, 100, 20, dtype=torch.float64)
    with torch.set_grad_enabled(gradients):
        together = vocos(features, lengths=[20, 3, 11])
        for item, count in enumerate([20, 3, 11]):
            alone = vocos(features[item, :, :count])
            torch.testing.assert_close(together[item, : len(alone)], alone, atol=1e-10, rtol=0)
            assert not together[item, len(alone) :].any()


def test_lengths_with_conditions_and_a_length() -> None:
    vocos = small(backbone=SMALL.model_copy(update={"conditions": 3}))
    features, ids = torch.randn(2, 100, 20), torch.tensor([2, 0])
    with torch.no_grad():
        together = vocos(features, ids, lengths=torch.tensor([9, 20]), length=3000)
        assert together.shape == (2, 3000)
        alone = vocos(features[0, :, :9], 2)
        torch.testing.assert_close(together[0, : 8 * 256], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("length", [1, 2559, 2560, 2700, 9000])
def test_length_is_honoured(length: int) -> None:
    vocos = small()
    features = torch.randn(100, 11)
    audio = vocos(features, length=length)
    assert audio.shape == (length,)
    shared = min(length, 2560)
    torch.testing.assert_close(audio[:shared], vocos(features)[:shared])
    assert not audio[2560 + 256 :].any()


def test_every_part_can_be_chosen() -> None:
    features = torch.randn(1, 100, 6)
    for parts in (
        {"input": PseudoInverseSettings()},
        {"head": LinearHeadSettings()},
        {"backbone": ResNetSettings(dim=8, num_blocks=1)},
        {"feature_extractor": MelFeatureSettings(padding="same")},
    ):
        vocos = small(**parts)
        with torch.no_grad():
            packed = vocos(features)
        assert error(packed, vocos(features).detach()) < 2e-6


def test_gradients_reach_every_weight() -> None:
    vocos = small(input=PseudoInverseSettings()).train()
    vocos(vocos.features(torch.randn(2, 4096))).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in vocos.parameters())


@pytest.mark.parametrize(
    ("features", "match"),
    [
        (torch.randn(80, 20), r"\(80, 20\)\) must be \(\*batch, 100, frames\)"),
        (torch.randn(20, 100), "Swap the last two axes"),
        (torch.randn(100), "expected 100 bands, natural log, clipped at 1e-7"),
        (torch.randn(100, 1), "at least 2 frames"),
        (torch.randn(0, 100, 5), "at least 2 frames"),
        (torch.full((100, 5), math.nan), "must be finite"),
        (torch.full((100, 5), -80.0), "Decibels"),
    ],
)
def test_bad_features(features: Tensor, match: str) -> None:
    with pytest.raises(InputError, match=match):
        small()(features)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"length": 0}, "at least 1 sample"),
        ({"lengths": [5, 6]}, "one for each of the 1 items"),
        ({"lengths": [9]}, "frames from 1 to 8"),
        ({"lengths": torch.tensor([2.5])}, "must be frames"),
        ({"bandwidth_id": 0}, "must be left out"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        small()(torch.randn(1, 100, 8), **arguments)


@pytest.mark.parametrize(
    ("audio", "rate", "match"),
    [
        (torch.zeros(0), None, "must not be empty"),
        (torch.zeros(24000), 22050, "must be the vocoder's 24000 Hz. Resample"),
        (torch.full((24000,), math.inf), None, "NaN or infinite"),
        (torch.zeros(200), 24000, "at least 513 samples"),
    ],
)
def test_bad_audio(audio: Tensor, rate: int | None, match: str) -> None:
    with pytest.raises(InputError, match=match):
        small().features(audio, sample_rate=rate)


def test_codes_need_a_vocoder_of_codes() -> None:
    with pytest.raises(InputError, match="this one has mel features"):
        small().codes_to_features(torch.zeros(2, 5, dtype=torch.long))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"head": {"kind": "istft", "n_fft": 400}}, "at least twice the hop of 256"),
        ({"backbone": {"kind": "unet"}}, "convnext"),
        ({"backbone": {"kind": "convnext", "width": 3}}, "width"),
        ({"feature_extractor": EncodecFeatureSettings(), "input": PseudoInverseSettings()}, "mel"),
        (
            {
                "feature_extractor": EncodecFeatureSettings(),
                "backbone": ConvNeXtSettings(conditions=2),
            },
            "at least the 4 bandwidths",
        ),
    ],
)
def test_bad_settings(settings: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        VocosSettings.model_validate(settings)


def test_weights_changed_unseen_are_read_after_a_switch_to_use() -> None:
    vocos, features = small(), torch.randn(1, 100, 12)
    with torch.inference_mode():
        before = vocos(features)
    vocos.train()
    for weight in vocos.parameters():
        weight.data.mul_(0.5)  # as fused optimisers do, without raising the version
    vocos.eval()
    with torch.inference_mode():
        after = vocos(features)
    assert error(after, plain(vocos, features)) < 1e-5
    assert error(after, before) > 1e-2
