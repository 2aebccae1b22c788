"""The complex U-Net against complex arithmetic, plain loops and the paper's sizes."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad

from passband.errors import InputError
from passband.signal.tasks import save_model
from passband.signal.tasks.enhancement.frcrn import (
    FRCRN,
    CausalFRCRN,
    ClipGate,
    ComplexConv2d,
    ComplexConvTranspose2d,
    ComplexFSMN,
    FrameGate,
    FRCRNSettings,
    Past,
    build_frcrn,
    load_frcrn,
    stacked,
    unstacked,
)

SMALL = {
    "n_fft": 64,
    "hop_length": 32,
    "channels": (4, 6, 4),
    "kernels": (5, 5, 2),
    "recurrences": (0, 1),
    "memory": 5,
    "bottleneck": 1,
    "reduction": 2,
    "stages": 2,
}


def small(**changes: object) -> FRCRN:
    """A trained-looking model: its normalisation has seen something."""
    torch.manual_seed(1)
    model = build_frcrn(FRCRNSettings.model_validate(SMALL | changes)).train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, 640))
    return model.eval()


def complex_noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.complex128)


def test_stacking_has_an_inverse() -> None:
    x = complex_noise(2, 3, 5, 4)
    assert torch.equal(unstacked(stacked(x)), x)


@pytest.mark.parametrize("kernel", [2, 5])
def test_complex_convolution_is_that_of_complex_numbers(kernel: int) -> None:
    layer = ComplexConv2d(3, 4, kernel).double()
    nn.init.normal_(layer.bias)
    x = complex_noise(2, 3, 13, 7)
    weight, bias = torch.complex(layer.real, layer.imag), torch.complex(*layer.bias.chunk(2))
    whole = conv2d(pad(x, (1, 0)), weight, bias, stride=(2, 1))
    torch.testing.assert_close(unstacked(layer(stacked(x), Past())), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ahead", [0, 1])
@pytest.mark.parametrize("kernel", [2, 5, 6])
def test_complex_transposed_convolution_is_that_of_complex_numbers(kernel: int, ahead: int) -> None:
    layer = ComplexConvTranspose2d(3, 4, kernel, ahead=ahead).double()
    nn.init.normal_(layer.bias)
    x = complex_noise(2, 3, 9, 7)
    weight, bias = torch.complex(layer.real, layer.imag), torch.complex(*layer.bias.chunk(2))
    longer = conv_transpose2d(x, weight, bias, stride=(2, 1))  # eight frames
    whole = longer[..., 1:] if ahead else longer[..., :-1]
    torch.testing.assert_close(unstacked(layer(stacked(x), Past())), whole, rtol=0, atol=1e-12)


def plain_memory(layer: ComplexFSMN, half: int, x: Tensor) -> Tensor:
    """One real memory over the rows of ``x`` ``(length, channels)``, place by place."""
    channels = x.shape[1]
    own, other = slice(half * channels, (half + 1) * channels), layer.hidden
    hidden = (x @ other.weight[own, :, 0, 0].T + other.bias[own]).relu()
    p = hidden @ layer.projection.weight[own, :, 0, 0].T
    taps = layer.taps[own].flatten(1)  # the last one is that of the place itself
    out = x + p
    for n in range(len(x)):
        for k in range(min(layer.order, n + 1)):
            out[n] = out[n] + taps[:, layer.order - 1 - k] * p[n - k]
    return out


@pytest.mark.parametrize("axis", ["freq", "time"])
def test_memory_is_the_papers_sum(axis: str) -> None:
    layer = ComplexFSMN(3, 4, axis).double()
    x = complex_noise(2, 3, 6, 7)
    with torch.no_grad():
        made = unstacked(layer(stacked(x), Past()))
        for batch in range(2):
            for place in range(7 if axis == "freq" else 6):
                row = x[batch, :, :, place] if axis == "freq" else x[batch, :, place]
                a_x, a_y = (plain_memory(layer, 0, part.T) for part in (row.real, row.imag))
                b_x, b_y = (plain_memory(layer, 1, part.T) for part in (row.real, row.imag))
                there = made[batch, :, :, place] if axis == "freq" else made[batch, :, place]
                expected = torch.complex(a_x - b_y, a_y + b_x).T
                torch.testing.assert_close(there, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("gate", [FrameGate, ClipGate])
def test_gates_are_complex_and_look_where_they_say(gate: type[FrameGate]) -> None:
    layer = gate(4, 2).double()
    x = complex_noise(2, 4, 5, 6)
    means = x.mean(dim=2, keepdim=True) if gate is FrameGate else x.mean(dim=(2, 3), keepdim=True)

    def branch(half: int, u: Tensor) -> Tensor:
        weight = layer.squeeze.weight[2 * half : 2 * half + 2, :, 0, 0]
        hidden = torch.einsum("hc,bcft->bhft", weight, u)
        hidden = (hidden + layer.squeeze.bias[2 * half : 2 * half + 2, None, None]).relu()
        out = torch.einsum(
            "ch,bhft->bcft", layer.excite.weight[4 * half : 4 * half + 4, :, 0, 0], hidden
        )
        return (out + layer.excite.bias[4 * half : 4 * half + 4, None, None]).sigmoid()

    real = branch(0, means.real) - branch(1, means.imag)
    imag = branch(0, means.imag) + branch(1, means.real)
    expected = torch.complex(x.real * real, x.imag * imag)
    torch.testing.assert_close(unstacked(layer(stacked(x))), expected, rtol=0, atol=1e-12)


def test_gradients_are_those_of_differences() -> None:
    layers = [ComplexConv2d(1, 2, 2), ComplexFSMN(2, 3, "freq"), ComplexFSMN(2, 3, "time")]
    layers += [ComplexConvTranspose2d(2, 1, 3), FrameGate(1, 1)]
    for layer in layers:
        layer.double()

    def through(x: Tensor) -> Tensor:
        for layer in layers:
            x = layer(x) if isinstance(layer, FrameGate) else layer(x, Past())
        return x

    x = torch.randn(1, 2, 6, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(through, x)


def test_the_default_has_the_papers_sizes() -> None:
    """Bins of every level, the decoders' kernels, and 6.9 million weights but for attention."""
    settings = FRCRNSettings(stages=1)
    assert settings.sizes == (321, 159, 78, 37, 17, 7, 2, 1)
    model = FRCRN(settings)
    kernels = [decoder.conv.real.shape[2] for decoder in model.stages[0].decoders]
    assert kernels == [2, 5, 5, 5, 6, 5, 5]
    count = sum(p.numel() for p in model.parameters())
    assert count == pytest.approx(6.9e6, rel=0.06)


@pytest.mark.parametrize("length", [1, 31, 640, 1000])
@pytest.mark.parametrize("causal", [False, True])
def test_what_comes_out_is_as_long_as_what_goes_in(length: int, causal: bool) -> None:
    model = small(causal=causal)
    x = torch.randn(2, 3, length)
    with torch.no_grad():
        whole = model(x)
        assert whole.shape == x.shape
        torch.testing.assert_close(model(x[1, 2]), whole[1, 2], rtol=0, atol=1e-5)


def test_a_mask_of_one_gives_back_the_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    monkeypatch.setattr(model, "mask", lambda spectrum, past: torch.ones_like(spectrum))
    for length in (1, 100, 999):
        x = torch.randn(length)
        torch.testing.assert_close(model(x), x, rtol=0, atol=1e-5)


def test_the_mask_stays_within_its_reach() -> None:
    model = small()
    with torch.no_grad():
        mask = torch.view_as_real(model.masked(1e3 * torch.randn(2, 900)).mask)
    largest = float(mask.abs().max())
    assert 1 < largest <= model.reach == 2.0


def test_compression_hears_the_level_less() -> None:
    model, plain = small(compression=0.25), small()
    x = torch.randn(640)
    with torch.no_grad():
        moved = [
            float((each.masked(16 * x).mask - each.masked(x).mask).abs().mean())
            for each in (model, plain)
        ]
    assert moved[0] < 0.7 * moved[1]


@pytest.mark.parametrize("causal", [False, True])
def test_only_the_causal_one_waits_for_nothing(causal: bool) -> None:
    model = small(causal=causal)
    assert isinstance(model, CausalFRCRN) == causal
    assert hasattr(model, "stream") == causal
    x = torch.randn(1600)
    other = x.clone()
    other[960:] = torch.randn(640)
    with torch.no_grad():
        change = (model(x) - model(other)).abs()
    # A sample is made of the two frames it lies under: the later one ends `n_fft - 1` after it.
    before = float(change[: 960 - 64 + 1].max())
    assert (before < 1e-6) == causal
    assert float(change[960 - 32 :].max()) > 1e-3


@pytest.mark.parametrize("block", [1, 31, 65, 5000])
@pytest.mark.parametrize("length", [1, 90, 320])
def test_a_stream_says_what_the_whole_does(block: int, length: int) -> None:
    model = small(causal=True, compression=0.5)
    x = torch.randn(2, length)
    with torch.no_grad():
        whole = model(x)
    stream = model.stream()
    for size in (block, 100):  # a stream that has finished starts anew
        pieces, pushed, given = [], 0, 0
        for part in x.split(size, dim=-1):
            pieces.append(stream.push(part))
            pushed, given = pushed + part.shape[-1], given + pieces[-1].shape[-1]
            assert pushed - given <= stream.latency + size
        pieces.append(stream.finish())
        torch.testing.assert_close(torch.cat(pieces, dim=-1), whole, rtol=0, atol=1e-5)


def test_a_stream_takes_empty_blocks_and_needs_one_that_is_not() -> None:
    model = small(causal=True)
    stream = model.stream()
    with pytest.raises(ValueError, match="must follow a push"):
        stream.finish()
    x = torch.randn(200)
    parts = [stream.push(part) for part in (x[:0], x[:90], x[90:90], x[90:])]
    torch.testing.assert_close(
        torch.cat([*parts, stream.finish()]), model(x).detach(), rtol=0, atol=1e-5
    )
    with pytest.raises(ValueError, match="must be in evaluation mode"):
        model.train().stream()


@pytest.mark.parametrize("causal", [False, True])
def test_a_saved_model_comes_back(causal: bool, tmp_path) -> None:
    model = small(causal=causal)
    recipe = {"model": model.settings.model_dump(mode="json")}
    save_model(tmp_path, "enhancer", model, recipe, {})
    again = load_frcrn(tmp_path, torch.device("cpu"))
    x = torch.randn(500)
    assert not again.training
    assert isinstance(again, CausalFRCRN) == causal
    assert torch.equal(again(x), model(x))
    save_model(tmp_path, "denoiser", model, recipe, {})
    with pytest.raises(InputError, match="model of another task, denoiser"):
        load_frcrn(tmp_path, torch.device("cpu"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernels": (5, 5)}, "kernels must be 3, as many as channels"),
        ({"n_fft": 16, "hop_length": 8}, "must leave a bin"),
        ({"recurrences": (2,)}, "recurrences must be levels from 0 to 1"),
        ({"hop_length": 40}, "at most half of n_fft"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FRCRNSettings.model_validate(SMALL | changes)
