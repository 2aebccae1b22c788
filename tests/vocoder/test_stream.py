"""A sound made chunk by chunk is the sound made at once, as late as theory says."""

import math

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.vocoder import (
    ConvNeXtSettings,
    EncodecFeatureSettings,
    GriffinLim,
    IMDCTCosHeadSettings,
    ISTFTHeadSettings,
    LinearHeadSettings,
    MelFeatureSettings,
    PseudoInverseSettings,
    ResNetSettings,
    Vocos,
    VocosSettings,
)

SMALL = ConvNeXtSettings(dim=32, intermediate_dim=64, num_layers=2)
RESNET = ResNetSettings(dim=16, num_blocks=1)
HEADS = [
    ISTFTHeadSettings(),
    ISTFTHeadSettings(padding="same"),
    ISTFTHeadSettings(n_fft=900),  # no multiple of the hop
    IMDCTCosHeadSettings(),
    IMDCTCosHeadSettings(padding="center", clip_audio=True),
    LinearHeadSettings(),
]


def small(**parts: object) -> Vocos:
    torch.manual_seed(0)
    vocos = Vocos(VocosSettings(**{"backbone": SMALL, **parts})).eval()
    with torch.no_grad():
        for value in vocos.parameters():
            value.add_(0.05 * torch.randn_like(value))
    return vocos


def streamed(vocos: Vocos, features: Tensor, sizes: list[int], **arguments: object) -> Tensor:
    stream = vocos.stream(**arguments)
    parts = [stream.push(chunk) for chunk in features.split(sizes, dim=-1)]
    return torch.cat([*parts, stream.finish()], dim=-1)


@torch.no_grad()
def offline(vocos: Vocos, features: Tensor, *arguments: object, **named: object) -> Tensor:
    return vocos(features, *arguments, **named)


def error(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.mark.parametrize("backbone", [SMALL, RESNET])
@pytest.mark.parametrize("head", HEADS, ids=str)
def test_chunks_give_the_whole(backbone: object, head: object) -> None:
    vocos = small(backbone=backbone, head=head)
    features = torch.randn(2, 100, 60)
    for sizes in ([1] * 60, [9] * 6 + [6], [60], [1, 30, 2, 3, 24]):
        assert error(streamed(vocos, features, sizes), offline(vocos, features)) < 1e-5
    vocos, features = vocos.double(), features.double()
    assert error(streamed(vocos, features, [9] * 6 + [6]), offline(vocos, features)) < 1e-12


@pytest.mark.parametrize("count", [2, 3, 5, 9, 13])
@pytest.mark.parametrize("backbone", [SMALL, RESNET])
@pytest.mark.parametrize("padding", ["center", "same"])
def test_sounds_shorter_than_the_context(count: int, backbone: object, padding: str) -> None:
    vocos = small(backbone=backbone, head=ISTFTHeadSettings(padding=padding))
    features = torch.randn(100, count)
    assert error(streamed(vocos, features, [1] * count), offline(vocos, features)) < 1e-5


@pytest.mark.parametrize("shape", [(100, 20), (1, 100, 20), (2, 3, 100, 20)])
def test_any_batch(shape: tuple[int, ...]) -> None:
    vocos, features = small(), torch.randn(shape)
    assert error(streamed(vocos, features, [9, 11]), offline(vocos, features)) < 1e-5


@pytest.mark.parametrize("backbone", [SMALL, RESNET])
@pytest.mark.parametrize("condition", [2, torch.tensor([0, 2])])
def test_conditions(backbone: ConvNeXtSettings, condition: object) -> None:
    vocos = small(backbone=backbone.model_copy(update={"conditions": 3}))
    features = torch.randn(2, 100, 20)
    ours = streamed(vocos, features, [9, 11], bandwidth_id=condition)
    assert error(ours, offline(vocos, features, condition)) < 1e-5


def test_pseudo_inverse_input_and_features_of_codes() -> None:
    vocos, features = small(input=PseudoInverseSettings()), torch.randn(100, 20)
    assert error(streamed(vocos, features, [9, 11]), offline(vocos, features)) < 1e-5
    head = ISTFTHeadSettings(n_fft=1280, padding="same")
    vocos = small(feature_extractor=EncodecFeatureSettings(bandwidths=(1.5,)), head=head)
    features = vocos.codes_to_features(torch.randint(0, 1024, (2, 20)))
    assert error(streamed(vocos, features, [9, 11]), offline(vocos, features)) < 1e-5


@pytest.mark.parametrize("backbone", [SMALL, RESNET])
def test_bfloat16_is_as_far_from_float32_as_at_once(backbone: object) -> None:
    vocos, features = small(backbone=backbone), torch.randn(100, 60)
    ours = streamed(vocos, features, [9] * 6 + [6], precision="bfloat16")
    assert ours.dtype == torch.float32
    exact = offline(vocos, features)
    assert 1e-5 < float((ours - exact).norm() / exact.norm()) < 3e-2


def test_training_mode_and_gradients_do_not_matter() -> None:
    vocos, features = small().train(), torch.randn(100, 20)
    ours = streamed(vocos, features, [9, 11])
    assert not ours.requires_grad
    assert error(ours, offline(vocos, features)) < 1e-5


def first_change(vocos: Vocos, features: Tensor, frame: int) -> int:
    """The earliest sample of sound that another value of that frame changes."""
    other = features.clone()
    other[:, frame] += 1.0
    with torch.enable_grad():  # all at once, so that equal means equal
        changed = (vocos(other) != vocos(features)).nonzero()
    return int(changed[0])


@pytest.mark.parametrize("backbone", [SMALL, RESNET])
@pytest.mark.parametrize(
    ("head", "margin", "zeros"),
    [
        (ISTFTHeadSettings(), 512, 1),  # a periodic Hann window begins with a zero
        (ISTFTHeadSettings(padding="same"), 384, 1),
        (IMDCTCosHeadSettings(), 128, 0),
        (LinearHeadSettings(), 0, 0),
    ],
)
def test_latency_is_the_smallest_there_is(
    backbone: object, head: object, margin: int, zeros: int
) -> None:
    vocos = small(backbone=backbone, head=head).double()
    assert vocos.context == {"convnext": 9, "resnet": 13}[backbone.kind]
    stream = vocos.stream()
    assert stream.lookahead == vocos.context
    assert stream.latency == vocos.context * 256 + margin
    features, frame = torch.randn(100, 40, dtype=torch.float64), 30
    # What frame 30 can change must not be out before it, and all else must be.
    assert first_change(vocos, features, frame) == frame * 256 - stream.latency + zeros
    out = [stream.push(column[:, None]).shape[-1] for column in features.T]
    sums = torch.tensor(out).cumsum(0).tolist()
    assert sums == [max(0, n * 256 - stream.latency) for n in range(1, 41)]
    assert sum(out) + stream.finish().shape[-1] == len(vocos(features))


def test_latency_of_the_published_models() -> None:
    assert Vocos().stream().latency == 27 * 256 + 512
    assert Vocos(VocosSettings.encodec_24khz()).stream(0).latency == 27 * 320 + (1280 - 320) // 2


@pytest.mark.parametrize("length", [2600, 2559, 4863, 4864, 5000, 5120, 9000])
@pytest.mark.parametrize("padding", ["center", "same"])
def test_length_is_honoured(length: int, padding: str) -> None:
    vocos, features = small(head=ISTFTHeadSettings(padding=padding)), torch.randn(100, 20)
    stream = vocos.stream()
    audio = torch.cat((stream.push(features), stream.finish(length=length)))
    assert error(audio, offline(vocos, features, length=length)) < 1e-5


@pytest.mark.parametrize(
    ("features", "match"),
    [
        (torch.randn(80, 5), r"\(80, 5\)\) must be \(\*batch, 100, frames\)"),
        (torch.randn(100, 0), "at least 1 frames"),
        (torch.randn(2, 100, 5), "items the stream began with"),
        (torch.full((100, 5), math.nan), "must be finite"),
        (torch.full((100, 5), -80.0), "Decibels"),
    ],
)
def test_bad_features_leave_the_stream_as_it_was(features: Tensor, match: str) -> None:
    vocos, good = small(), torch.randn(100, 20)
    stream = vocos.stream()
    first = stream.push(good[:, :9])
    with pytest.raises(InputError, match=match):
        stream.push(features)
    audio = torch.cat((first, stream.push(good[:, 9:]), stream.finish()))
    assert error(audio, offline(vocos, good)) < 1e-5


def test_bad_order_and_arguments() -> None:
    vocos = small()
    stream = vocos.stream()
    with pytest.raises(InputError, match="must come after the features"):
        stream.finish()
    stream.push(torch.randn(100, 40))
    with pytest.raises(InputError, match=r"`length` \(=5\) must be at least the 7424 samples"):
        stream.finish(length=5)
    stream.finish()
    for act in (stream.finish, lambda: stream.push(torch.randn(100, 5))):
        with pytest.raises(InputError, match="stream is finished"):
            act()
    with pytest.raises(InputError, match="must be left out"):
        vocos.stream(0).push(torch.randn(100, 5))
    conditioned = small(backbone=SMALL.model_copy(update={"conditions": 3}))
    with pytest.raises(InputError, match="must be given"):
        conditioned.stream().push(torch.randn(100, 5))
    with pytest.raises(InputError, match="iterates over the whole sound"):
        GriffinLim(MelFeatureSettings()).stream()
