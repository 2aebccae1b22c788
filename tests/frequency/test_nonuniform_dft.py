import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from passband.frequency import _nonuniform_frames, nonuniform_plan, nonuniform_stft, stft, window

# Of the norm of the windowed frame.
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-8}


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def direct(x: Tensor, frequencies: Tensor, taper: Tensor, hop: int) -> tuple[Tensor, Tensor]:
    """The Fourier sum, and the norms of the frames."""
    n = torch.arange(len(taper), dtype=torch.float64)
    kernel = torch.exp(-2j * torch.pi * frequencies[:, None] * n) * taper
    frames = [x[..., s : s + len(taper)] for s in range(0, x.shape[-1] - len(taper) + 1, hop)]
    norms = torch.stack([(f * taper).norm(dim=-1) for f in frames], dim=-1)
    return torch.stack([(f + 0j) @ kernel.mT for f in frames], dim=-1), norms


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", ["hann", "boxcar", ("kaiser", 8.0)])
@pytest.mark.parametrize("n_fft", [1, 2, 5, 16, 63, 257, 1024])
def test_is_the_fourier_sum(n_fft: int, name, dtype: torch.dtype) -> None:
    frequencies = torch.cat((torch.linspace(0, 0.5, 21).double(), noise(12).abs() % 0.5))
    x = noise(2, 3 * n_fft + 3)
    taper = window(name, n_fft, dtype=torch.float64)
    expected, norms = direct(x, frequencies, taper, 3)
    plan = nonuniform_plan(frequencies, n_fft)
    ours = nonuniform_stft(
        x.to(dtype), plan, n_fft=n_fft, hop_length=3, window=name, padding="valid"
    )
    assert ours.shape == expected.shape
    error = (ours - expected).abs().amax(dim=-2) / norms.clamp(min=1e-9)
    assert error.max() < TOLERANCE[dtype]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=80), st.integers(3, 90))
def test_any_list_of_frequencies(values: list[float], n_fft: int) -> None:
    frequencies = torch.tensor(values, dtype=torch.float64)
    x = noise(n_fft + 5)
    taper = window("hann", n_fft, dtype=torch.float64)
    expected, norms = direct(x, frequencies, taper, 2)
    plan = nonuniform_plan(frequencies, n_fft)
    ours = nonuniform_stft(x, plan, n_fft=n_fft, hop_length=2, padding="valid")
    assert ((ours - expected).abs() / norms).max() < 1e-8


@pytest.mark.parametrize("padding", ["center", "same", "valid"])
@pytest.mark.parametrize("pad_mode", ["reflect", "constant"])
def test_at_the_points_of_an_fft_it_is_the_stft(padding: str, pad_mode: str) -> None:
    x = noise(2, 3, 400)
    same = {"n_fft": 64, "hop_length": 13, "win_length": 50, "padding": padding}
    plan = nonuniform_plan(torch.arange(33, dtype=torch.float64) / 64, 64)
    ours = nonuniform_stft(x, plan, pad_mode=pad_mode, **same)
    torch.testing.assert_close(ours, stft(x, pad_mode=pad_mode, **same), rtol=0, atol=1e-8)


def test_shifted_by_a_hop_the_frames_shift_by_one() -> None:
    x = noise(400)
    plan = nonuniform_plan(torch.tensor([0.03, 0.2, 0.4567], dtype=torch.float64), 32)
    settings = {"n_fft": 32, "hop_length": 8, "padding": "valid"}
    whole, later = (nonuniform_stft(y, plan, **settings) for y in (x, x[8:]))
    torch.testing.assert_close(whole[:, 1:], later, rtol=0, atol=1e-12)


def test_blocks_and_batches_are_their_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(5, 90).requires_grad_()
    plan = nonuniform_plan(torch.linspace(0.01, 0.49, 9).double(), 16)

    def run() -> tuple[Tensor, Tensor]:
        spectrum = nonuniform_stft(x, plan, n_fft=16, hop_length=5)
        (gradient,) = torch.autograd.grad(spectrum.abs().sum(), x)
        return spectrum, gradient

    expected = run()
    for block in (1, 4, 37):
        monkeypatch.setattr(_nonuniform_frames, "_BLOCK", block)
        for ours, theirs in zip(run(), expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    one = torch.stack([nonuniform_stft(row, plan, n_fft=16, hop_length=5) for row in x])
    torch.testing.assert_close(expected[0], one, rtol=0, atol=1e-10)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch's own
def test_gradients() -> None:
    frequencies = torch.tensor([0.0, 0.013, 0.2, 0.31, 0.5], dtype=torch.float64)
    plan = nonuniform_plan(frequencies, 7)
    x, taper = noise(2, 9).requires_grad_(), noise(7).requires_grad_()

    def forward(x: Tensor, taper: Tensor) -> Tensor:
        return nonuniform_stft(x, plan, n_fft=7, hop_length=3, window=taper)

    assert gradcheck(forward, (x, taper), check_forward_ad=True)
    assert gradgradcheck(forward, (x, taper), fast_mode=True)
    assert gradcheck(lambda x: forward(x, taper.detach()), x)


def test_gradient_is_the_adjoint() -> None:
    plan = nonuniform_plan(torch.linspace(0, 0.5, 11).double(), 16)
    x = noise(3, 90).requires_grad_()
    spectrum = nonuniform_stft(x, plan, n_fft=16, hop_length=5, padding="valid")
    weights = torch.randn_like(spectrum)
    inner = (spectrum * weights.conj()).real.sum()
    (adjoint,) = torch.autograd.grad(spectrum, x, weights)
    torch.testing.assert_close((adjoint * x).sum(), inner, rtol=0, atol=1e-9)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated")  # by torch's own tracer
def test_vmap_and_compile() -> None:
    plan = nonuniform_plan(torch.linspace(0.01, 0.49, 9).double(), 16)
    x, taper = noise(3, 90), window("hann", 16, dtype=torch.float64)

    def forward(x: Tensor) -> Tensor:
        return nonuniform_stft(x, plan, n_fft=16, hop_length=5, window=taper)

    mapped = torch.func.vmap(forward)(x)
    torch.testing.assert_close(mapped, forward(x), rtol=0, atol=1e-12)
    slopes = torch.func.vmap(torch.func.grad(lambda x: forward(x).abs().sum()))(x)
    leaf = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(forward(leaf).abs().sum(), leaf)
    torch.testing.assert_close(slopes, expected, rtol=0, atol=1e-10)
    compiled = torch.compile(forward, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), forward(x), rtol=0, atol=1e-12)


def test_errors() -> None:
    good = torch.tensor([0.1], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"`n_fft` \(=0\) must be a positive integer"):
        nonuniform_plan(good, 0)
    for bad in (good[:0], good / 0):
        with pytest.raises(ValueError, match=r"`frequencies` \(shape .* must be a list of finite"):
            nonuniform_plan(bad, 16)
    plan = nonuniform_plan(good, 16)
    with pytest.raises(ValueError, match=r"`plan` \(n_fft 16\) must be made for n_fft=32"):
        nonuniform_stft(torch.zeros(100), plan, n_fft=32)
    with pytest.raises(ValueError, match=r"`n_fft` \(=16\) must be at most the 9 samples"):
        nonuniform_stft(torch.zeros(9), plan, n_fft=16, padding="valid")
    with pytest.raises(ValueError, match=r"`x` \(time 8\) must have at least 9 .*'constant'"):
        nonuniform_stft(torch.zeros(8), plan, n_fft=16)
    with pytest.raises(ValueError, match=r"`hop_length` \(=0\) must be a positive integer"):
        nonuniform_stft(torch.zeros(99), plan, n_fft=16, hop_length=0)
