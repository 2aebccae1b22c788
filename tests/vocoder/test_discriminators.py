import importlib
import importlib.util
import sys
import warnings
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, conv2d, leaky_relu

from passband.errors import InputError
from passband.vocoder.discriminators import (
    CQTDiscriminator,
    Ensemble,
    MultiPeriodDiscriminator,
    MultiResolutionDiscriminator,
    MultiScaleCQTDiscriminator,
    PeriodDiscriminator,
    ResolutionDiscriminator,
)
from passband.vocoder.losses import discriminator_hinge, feature_matching, generator_hinge

SMALL = {
    "period": lambda **kw: PeriodDiscriminator(3, (4, 6, 6), **kw),
    "resolution": lambda **kw: ResolutionDiscriminator(256, 2, **kw),
    "cqt": lambda **kw: CQTDiscriminator(8000, 12, 64, octaves=3, channels=2, **kw),
}
every_kind = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL.keys())


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def layers(module: nn.Module) -> int:
    """Weights, biases and norms of the published layer shapes, one period."""
    total = 0
    for before, after, taps in ((1, 32, 5), (32, 128, 5), (128, 512, 5), (512, 1024, 5),
                                (1024, 1024, 5), (1024, 1, 3)):  # fmt: skip
        total += before * after * taps + after + after
    return total


def test_layer_shapes_are_the_published_ones() -> None:
    periods = MultiPeriodDiscriminator()
    assert count(periods) == 5 * layers(periods)
    assert [member.period for member in periods.members] == [2, 3, 5, 7, 11]
    resolutions = MultiResolutionDiscriminator()
    band = 2 * 32 * 27 + 3 * 32 * 32 * 27 + 32 * 32 * 9 + 5 * (32 + 32)
    assert count(resolutions) == 3 * (5 * band + 32 * 9 + 2)


def test_a_period_is_a_convolution_of_every_column() -> None:
    judge = PeriodDiscriminator(3, (4, 6, 6)).double()
    audio = noise(2, 300)
    verdict = judge(audio)
    assert len(verdict.features) == 3
    for column in range(3):
        x = audio[:, None, column::3]
        for index, layer in enumerate(judge.layers):
            x = conv1d(
                x, layer.weight[..., 0], layer.bias, stride=1 if index == 2 else 3, padding=2
            )
            x = leaky_relu(x, 0.1)
            if index:
                torch.testing.assert_close(verdict.features[index - 1][..., column], x)
        x = conv1d(x, judge.score.conv.weight[..., 0], judge.score.conv.bias, padding=1)
        torch.testing.assert_close(verdict.features[-1][..., column], x)
        torch.testing.assert_close(verdict.logits[:, column::3], x[:, 0])


@pytest.mark.parametrize("length", [299, 300, 301])
def test_a_last_row_that_is_not_full_is_mirrored(length: int) -> None:
    judge = PeriodDiscriminator(3, (4, 6)).double()
    audio = noise(1, length)
    missing = -length % 3
    mirrored = audio[:, -1 - missing : -1].flip(-1)
    whole = torch.cat((audio, mirrored), dim=1)
    torch.testing.assert_close(judge(audio).logits, judge(whole).logits)


def test_a_resolution_sees_the_stft_in_bands() -> None:
    judge = ResolutionDiscriminator(256, 2).double()
    audio = noise(2, 2048)
    centred = audio - audio.mean(-1, keepdim=True)
    level = 0.8 * centred / centred.abs().amax(-1, keepdim=True)
    window = torch.hann_window(256, dtype=torch.float64)
    spectrum = torch.stft(level, 256, 64, window=window, return_complex=True).mT
    planes = torch.stack((spectrum.real, spectrum.imag), dim=1)
    verdict = judge(audio)
    ends = []
    for band, (low, high) in enumerate(((0, 12), (12, 32), (32, 64), (64, 96), (96, 129))):
        x = planes[..., low:high]
        strides = ((1, 1), (1, 2), (1, 2), (1, 2), (1, 1))
        for index, (layer, stride) in enumerate(zip(judge.bands[band], strides, strict=True)):
            padding = tuple(size // 2 for size in layer.weight.shape[2:])
            x = leaky_relu(conv2d(x, layer.weight, layer.bias, stride, padding), 0.1)
            if index:
                torch.testing.assert_close(verdict.features[4 * band + index - 1], x)
        ends.append(x)
    conv = judge.score.conv
    logits = conv2d(torch.cat(ends, -1), conv.weight, conv.bias, padding=1).flatten(1)
    torch.testing.assert_close(verdict.logits, logits)
    assert len(verdict.features) == 21


def test_an_octave_of_the_constant_q_passes_its_own_layer() -> None:
    judge = CQTDiscriminator(8000, 12, 64, octaves=3, channels=2).double()
    torch.testing.assert_close(
        judge.cqt.frequencies[-1].item(), 0.9 * 4000 * 2 ** (-1 / 12), rtol=1e-9, atol=0
    )
    seen = []
    for layer in judge.octaves:
        layer.register_forward_hook(lambda _, given, out: seen.append(given[0]))
    t = torch.arange(4000, dtype=torch.float64) / 8000
    judge(torch.sin(2 * torch.pi * 2000 * t)[None])  # in the highest octave, 1800 to 3600 Hz
    energy = [float(x.square().sum()) for x in seen]
    assert energy[2] > 100 * max(energy[:2])
    assert [x.shape for x in seen] == [(1, 2, 63, 12)] * 3


@pytest.mark.parametrize("make", [SMALL["resolution"], SMALL["cqt"]], ids=["resolution", "cqt"])
def test_level_and_offset_do_not_matter(make) -> None:
    judge, audio = make().double(), noise(2, 2048)
    before, after = judge(audio), judge(3 * audio + 0.5)
    torch.testing.assert_close(before.logits, after.logits, rtol=1e-6, atol=1e-8)


@every_kind
def test_items_do_not_meet_and_silence_is_heard(make) -> None:
    judge, audio = make().double(), noise(3, 2048)
    together = judge(audio)
    for item in range(3):
        alone = judge(audio[item : item + 1])
        torch.testing.assert_close(together.logits[item : item + 1], alone.logits)
    silent = torch.zeros(1, 2048, dtype=torch.float64, requires_grad=True)
    judge(silent).logits.sum().backward()
    assert silent.grad is not None
    assert bool(silent.grad.isfinite().all())


@every_kind
def test_gradients(make) -> None:
    torch.manual_seed(0)
    judge = make().double()
    audio = noise(1, 600)
    direction = noise(600)

    def value(x: Tensor) -> Tensor:
        verdict = judge(x)
        total: Tensor = verdict.logits.sum() + sum(f.square().sum() for f in verdict.features)
        return total

    x = audio.clone().requires_grad_(True)
    value(x).backward()
    step = 1e-6 * direction
    with torch.no_grad():
        slope = (value(audio + step) - value(audio - step)) / 2e-6
    assert x.grad is not None
    torch.testing.assert_close((x.grad[0] * direction).sum(), slope, rtol=1e-4, atol=1e-6)


@every_kind
def test_a_condition_counts_once_it_is_learned(make) -> None:
    judge, audio = make(conditions=4).double(), noise(2, 2048)
    first, second = (judge(audio, torch.tensor(ids)) for ids in ([0, 1], [3, 2]))
    assert torch.equal(first.logits, second.logits)
    with torch.no_grad():
        judge.score.embedding.weight.copy_(noise(*judge.score.embedding.weight.shape))
    changed = judge(audio, torch.tensor([3, 2]))
    last = changed.features[-2] if make is not SMALL["resolution"] else None
    assert torch.equal(changed.features[-1], second.features[-1])
    if last is not None:
        rows = judge.score.embedding.weight[torch.tensor([3, 2])]
        added = torch.einsum("bc,bchw->bhw", rows, last).flatten(1)
        torch.testing.assert_close(changed.logits, second.logits + added)


@every_kind
def test_condition_and_discriminator_must_agree(make) -> None:
    audio = noise(1, 2048)
    with pytest.raises(InputError, match="`condition` must be given to a discriminator made with"):
        make(conditions=2).double()(audio)
    with pytest.raises(InputError, match="and to no other"):
        make().double()(audio, torch.tensor([0]))


def test_an_ensemble_asks_each() -> None:
    judges = MultiScaleCQTDiscriminator(8000, (12, 24), (64, 128), octaves=2, channels=2)
    assert isinstance(judges, Ensemble)
    verdicts = judges(torch.randn(1, 2048))
    assert [v.features[0].shape[2:] for v in verdicts] == [(33, 24), (17, 48)]
    with pytest.raises(ValueError, match="shorter than"):
        MultiScaleCQTDiscriminator(8000, (12, 24), (64,), octaves=2)


class _Spectrogram(nn.Module):
    """What the vocos package takes from torchaudio, over torch.stft."""

    def __init__(self, n_fft: int, hop_length: int, win_length: int, power: None) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop_length
        self.register_buffer("window", torch.hann_window(win_length))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stft(x, self.n_fft, self.hop, window=self.window, return_complex=True)


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch):
    spec = importlib.util.find_spec("vocos")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = ModuleType("vocos")
    package.__path__ = list(spec.submodule_search_locations)
    torchaudio, transforms = ModuleType("torchaudio"), ModuleType("torchaudio.transforms")
    transforms.Spectrogram = _Spectrogram
    for name, module in (
        ("vocos", package), ("torchaudio", torchaudio), ("torchaudio.transforms", transforms)
    ):  # fmt: skip
        monkeypatch.setitem(sys.modules, name, module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield importlib.import_module("vocos.discriminators")
    for name in ("vocos.discriminators", "vocos.loss"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("conditions", [0, 4])
def test_verdicts_and_losses_are_those_of_the_vocos_package(peer, conditions: int) -> None:
    # Its resolutions are of an earlier design than the one its author's models were trained with.
    theirs = peer.MultiPeriodDiscriminator((2, 7), num_embeddings=conditions or None)
    ours = MultiPeriodDiscriminator((2, 7), conditions=conditions)
    pairs = zip(theirs.discriminators, ours.members, strict=True)
    for their, our in pairs:
        sources = [m for m in their.modules() if isinstance(m, nn.Conv2d)]
        targets = [m for m in our.modules() if isinstance(m, nn.Conv2d)]
        for source, target in zip(sources, targets, strict=True):
            target.parametrizations.weight.original0.data.copy_(source.weight_g)
            target.parametrizations.weight.original1.data.copy_(source.weight_v)
            target.bias.data.copy_(source.bias)
        if conditions:
            their.emb.weight.data.normal_()
            our.score.embedding.weight.data.copy_(their.emb.weight)
    x, y = 0.1 * noise(2, 4099).float(), 0.1 * noise(3, 4099).float()[1:]
    bandwidth = torch.tensor([2, 2]) if conditions else None
    with torch.no_grad():
        real, made, real_features, made_features = theirs(
            x, y, bandwidth_id=torch.tensor([2]) if conditions else None
        )
        us = ours(x, bandwidth), ours(y, bandwidth)
    said = ((real, real_features, us[0]), (made, made_features, us[1]))
    for logits, features, verdicts in said:
        for their_logits, their_features, verdict in zip(logits, features, verdicts, strict=True):
            torch.testing.assert_close(verdict.logits, their_logits, rtol=1e-4, atol=1e-5)
            # Of a condition they add to the last activations in place, ours stay as they were.
            for a, b in zip(verdict.features[:-1], their_features[:-1], strict=True):
                torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    loss = importlib.import_module("vocos.loss")
    count = len(real)
    their_d, _, _ = loss.DiscriminatorLoss()(real, made)
    their_g, _ = loss.GeneratorLoss()(made)
    torch.testing.assert_close(discriminator_hinge(*us), their_d.squeeze() / count)
    torch.testing.assert_close(generator_hinge(us[1]), their_g.squeeze() / count)
    if not conditions:
        their_f = loss.FeatureMatchingLoss()(real_features, made_features)
        torch.testing.assert_close(feature_matching(*us), their_f.squeeze() / count)
