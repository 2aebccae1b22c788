from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import pad

from passband.frequency import _block_spectrum as block_spectrum
from passband.frequency import (
    filter_ranges,
    filtered_spectrogram,
    inverse_spectrogram,
    linear_fbanks,
    mel_spectrogram,
    spectrogram,
    window,
)

EXACT = {torch.float32: 1e-6, torch.float64: 1e-13}


def noise(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed)) - 0.5


def loop(x: Tensor, n_fft: int, hop: int, taper: Tensor, power: float | None) -> Tensor:
    """The spectrogram of one padded signal, by its definition."""
    f = torch.arange(n_fft // 2 + 1, dtype=torch.float64)[:, None]
    kernel = torch.exp(-2j * torch.pi * f * torch.arange(n_fft) / n_fft) * taper
    starts = range(0, len(x) - n_fft + 1, hop)
    values = torch.stack([kernel @ (x[s : s + n_fft] + 0j) for s in starts], dim=-1)
    return values if power is None else values.abs() ** power


@pytest.mark.parametrize("power", [None, 0.3, 1.0, 2.0, 3.0])
@pytest.mark.parametrize(("n_fft", "hop", "win"), [(16, 4, 16), (15, 4, 11), (8, 11, 8)])
@pytest.mark.parametrize("center", [True, False])
def test_is_its_definition(power, n_fft: int, hop: int, win: int, center: bool) -> None:
    x = noise(50)
    left = (n_fft - win) // 2
    taper = pad(window("hann", win, dtype=torch.float64), (left, n_fft - win - left))
    padded = pad(x, (3, 3))
    if center:
        padded = pad(padded[None], (n_fft // 2, n_fft // 2), mode="reflect")[0]
    shared = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "center": center, "pad": 3}
    expected = loop(padded, n_fft, hop, taper, power)
    ours = spectrogram(x, power=power, **shared)
    # Where a bin should be zero, a low power of what rounding leaves is not small.
    atol = 1e-4 if power == 0.3 else 1e-12
    torch.testing.assert_close(ours, expected, rtol=0, atol=atol)
    scaled = spectrogram(x, power=power, normalized=True, **shared)
    energy = float(taper.square().sum()) ** (-(power or 1) / 2)
    torch.testing.assert_close(scaled, expected * energy, rtol=0, atol=atol)
    scaled = spectrogram(x, power=power, normalized="frame_length", **shared)
    torch.testing.assert_close(scaled, expected * n_fft ** (-(power or 1) / 2), rtol=0, atol=atol)
    if power:
        filters = noise(n_fft // 2 + 1, 40)
        filters[:3, 20:] = 0
        for ranges in (None, filter_ranges(filters)):
            ours = filtered_spectrogram(x, filters, power=power, ranges=ranges, **shared)
            torch.testing.assert_close(ours, filters.mT @ expected, rtol=0, atol=10 * atol)


@pytest.mark.parametrize("n_fft", [16, 15])
@pytest.mark.parametrize("power", [None, 1.0])
def test_both_sides(n_fft: int, power: float | None) -> None:
    x = noise(2, 100)
    whole = spectrogram(x, n_fft=n_fft, power=power, onesided=False)
    frames = pad(x, (n_fft // 2, n_fft // 2), mode="reflect").unfold(-1, n_fft, n_fft // 2)
    expected = torch.fft.fft(frames * window("hann", n_fft, dtype=torch.float64)).mT
    torch.testing.assert_close(whole, expected if power is None else expected.abs())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(2, 40), st.booleans(), st.sampled_from([False, "window", "frame_length"]), st.data()
)
def test_round_trip(n_fft: int, onesided: bool, normalized, data) -> None:
    hop = data.draw(st.integers(1, max(1, n_fft // 2)))
    time = data.draw(st.integers(n_fft, 150))
    zeros = data.draw(st.integers(0, 20))
    x = noise(2, time)
    shared = {"n_fft": n_fft, "hop_length": hop, "pad": zeros, "window": "hamming"}
    shared |= {"normalized": normalized, "onesided": onesided}
    spectrum = spectrogram(x, power=None, pad_mode="constant", **shared)
    assert spectrum.shape[-2] == (n_fft // 2 + 1 if onesided else n_fft)
    back = inverse_spectrogram(spectrum, length=time, **shared)
    torch.testing.assert_close(back, x, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize(("items", "time"), [(1, 9000), (70, 300), (3, 2500)])
def test_blocks_and_batches_change_nothing(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, items: int, time: int
) -> None:
    """Many blocks in a signal, many signals in a block, and both."""
    monkeypatch.setattr(block_spectrum, "_BLOCK", 2000)
    x = noise(2, items, time, dtype=dtype)
    filters = linear_fbanks(33, 0.0, 4000.0, 30, 8000)
    for power in (1.0, 2.0, 0.7):
        shared = {"n_fft": 64, "hop_length": 17, "power": power}
        spectra = spectrogram(x, **shared)
        seen = filtered_spectrogram(x, filters, **shared, ranges=filter_ranges(filters))
        torch.testing.assert_close(
            seen, filters.mT.to(dtype) @ spectra, rtol=0, atol=30 * EXACT[dtype]
        )
        for i in range(0, items, 23):
            one = spectrogram(x[1, i].double(), **shared).to(dtype)
            torch.testing.assert_close(spectra[1, i], one, rtol=0, atol=20 * EXACT[dtype])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(1, 12), st.integers(1, 5))
def test_a_shift_by_hops_shifts_the_frames(hop: int, frames: int) -> None:
    x = noise(200)
    kwargs = {"n_fft": 16, "hop_length": hop, "center": False}
    shifted = spectrogram(x[hop * frames :], **kwargs)
    torch.testing.assert_close(shifted, spectrogram(x, **kwargs)[:, frames:], rtol=0, atol=1e-13)


def test_parseval() -> None:
    x = noise(160)
    spectrum = spectrogram(
        x, n_fft=16, hop_length=16, window="boxcar", center=False, onesided=False
    )
    torch.testing.assert_close(spectrum.sum() / 16, x.square().sum())


def functions() -> dict[str, Callable[[Tensor], Tensor]]:
    filters = linear_fbanks(5, 0.0, 4.0, 3, 8.0)
    shared = {"n_fft": 8, "hop_length": 2}
    odd = {"n_fft": 9, "hop_length": 2, "pad": 2}
    ranges = filter_ranges(filters)
    return {
        "complex": lambda x: spectrogram(x, power=None, **shared),
        "complex, odd": lambda x: spectrogram(x, power=None, **odd),
        "power": lambda x: spectrogram(x, **shared),
        "magnitude, odd": lambda x: spectrogram(x, power=1.0, **odd),
        "cube": lambda x: spectrogram(x, power=3.0, normalized=True, **shared),
        "filtered": lambda x: filtered_spectrogram(x, filters, ranges=ranges, **shared),
        "filtered root": lambda x: filtered_spectrogram(x, filters, power=0.5, **odd),
        "mel": lambda x: mel_spectrogram(x, sample_rate=8.0, n_mels=3, power=1.0, **shared),
    }


@pytest.mark.parametrize("name", functions())
def test_gradients(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_spectrum, "_BLOCK", 30)
    function = functions()[name]
    x = noise(2, 35).requires_grad_()  # two blocks of frames
    assert gradcheck(function, x)
    assert gradgradcheck(function, x[:1, :20].detach().requires_grad_(), fast_mode=True)


def test_gradients_of_window_and_filters() -> None:
    x = noise(2, 30).requires_grad_()
    taper = window("hamming", 8, dtype=torch.float64).requires_grad_()
    filters = linear_fbanks(5, 0.0, 4.0, 3, 8.0).requires_grad_()

    def function(x: Tensor, taper: Tensor, filters: Tensor) -> Tensor:
        return filtered_spectrogram(x, filters, n_fft=8, window=taper, normalized=True)

    assert gradcheck(function, (x, taper, filters))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # by torch.func.jvp itself
@pytest.mark.filterwarnings("ignore:There is a performance drop")  # unfold, under vmap of grad
@pytest.mark.parametrize("name", functions())
def test_vmap_and_functional_gradients(name: str) -> None:
    function = functions()[name]
    x = noise(3, 2, 40)
    torch.testing.assert_close(torch.func.vmap(function)(x), function(x))
    if not name.startswith("complex"):
        total = lambda x: function(x).sum()  # noqa: E731
        by_func = torch.func.vmap(torch.func.grad(total))(x)
        x = x.requires_grad_()
        total(x).backward()
        torch.testing.assert_close(by_func, x.grad)
        tangent = noise(3, 2, 40, seed=1)
        _, forward = torch.func.jvp(total, (x.detach(),), (tangent,))
        torch.testing.assert_close(forward, (x.grad * tangent).sum())


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5, 2.0])
def test_no_nan_gradient_at_silence(power: float) -> None:
    x = torch.zeros(2, 100, requires_grad=True)
    spectrogram(x, n_fft=16, power=power).sum().backward()
    assert torch.equal(x.grad, torch.zeros(2, 100))


BAD: list[tuple[dict[str, object], str]] = [
    ({"n_fft": 0}, r"`n_fft` \(=0\) must be a positive integer"),
    ({"hop_length": 0}, r"`hop_length` \(=0\) must be a positive integer"),
    ({"win_length": 0}, r"`win_length` \(=0\) must be a positive integer"),
    ({"win_length": 401}, r"`win_length` \(=401\) must be at most `n_fft` \(=400\)"),
    ({"window": torch.ones(401)}, r"`win_length` \(=401\) must be at most `n_fft` \(=400\)"),
    ({"window": "hanning"}, r"`name` \(='hanning'\) must be one of"),
    ({"pad": -1}, r"`pad` \(=-1\) must be an integer of at least 0"),
    ({"power": 0.0}, r"`power` \(=0.0\) must be above 0"),
    ({"power": -1.0}, r"`power` \(=-1.0\) must be above 0"),
    ({"normalized": "unit"}, r"`normalized` \(='unit'\) must be one of window, frame_length"),
    ({"pad_mode": "zeros"}, r"`pad_mode` \(='zeros'\) must be one of reflect"),
    ({"n_fft": 3000}, r"`x` \(time 1000\) must have at least 1501 samples"),
    ({"n_fft": 3000, "center": False}, r"`n_fft` \(=3000\) must be at most the 1000 samples"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=str)
@pytest.mark.usefixtures("unchecked")
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spectrogram(torch.zeros(1000), **arguments)
    filters = torch.ones(int(arguments.get("n_fft", 400)) // 2 + 1, 4)
    with pytest.raises(ValueError, match=message):
        filtered_spectrogram(torch.zeros(1000), filters, **arguments)


@pytest.mark.usefixtures("unchecked")
def test_bad_tensors() -> None:
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32 or float64"):
        spectrogram(torch.zeros(1000, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"`x` \(shape \(2, 0\)\) must have a last axis"):
        spectrogram(torch.zeros(2, 0))
    with pytest.raises(ValueError, match=r"`x` \(shape \(0, 999\)\) must hold at least one signal"):
        spectrogram(torch.zeros(0, 999))
    with pytest.raises(
        ValueError, match=r"`filters` \(shape \(200, 4\)\) must be \(201, filters\)"
    ):
        filtered_spectrogram(torch.zeros(1000), torch.zeros(200, 4))
    with pytest.raises(TypeError, match=r"`filters` \(dtype torch.int64\) must be real"):
        filtered_spectrogram(torch.zeros(1000), torch.zeros(201, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"`power` \(=None\) must be above 0"):
        filtered_spectrogram(torch.zeros(1000), torch.zeros(201, 4), power=None)
    with pytest.raises(TypeError, match=r"`spectrum` \(dtype torch.float32\) must be complex64"):
        inverse_spectrogram(torch.zeros(201, 4))
    spectrum = torch.zeros(201, 4, dtype=torch.complex64)
    with pytest.raises(ValueError, match=r"`spectrum` \(shape \(201, 4\)\) must have 400 bins"):
        inverse_spectrogram(spectrum, onesided=False)
    with pytest.raises(ValueError, match=r"`hop_length` \(=400\) must be small enough .*NOLA"):
        inverse_spectrogram(spectrum, hop_length=400)
