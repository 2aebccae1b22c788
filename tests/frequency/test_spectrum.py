import itertools
import math

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from passband.frequency import magnitude_spectrum, reduced_spectrum, welch_spectrum

GRIDS = [(1,), (2,), (9,), (10,), (8, 8), (7, 7), (6, 9), (9, 6), (4, 4, 4), (5, 5, 5), (3, 4, 6)]


def plain_loop(signal: np.ndarray, ndim: int, reduction: str, bins: int) -> np.ndarray:
    """The definition: every cell of the whole DFT, one at a time."""
    sides = signal.shape[1:]
    magnitudes = np.abs(np.fft.fftn(signal, axes=range(1, ndim + 1))).sum(0)
    sums = np.zeros(bins)
    for index in itertools.product(*(range(n) for n in sides)):
        signed = [j if j < (n + 1) // 2 else j - n for j, n in zip(index, sides, strict=True)]
        if reduction == "fresh":
            m = sum(index) if sum(index) <= sides[0] - 1 else 0
        elif reduction == "l1":
            m = sum(abs(f) for f in signed)
        else:
            m = round(math.sqrt(sum(f * f for f in signed)))
        if 1 <= m <= bins:
            sums[m - 1] += magnitudes[index]
    return sums


def most_bins(sides: tuple[int, ...], reduction: str) -> int:
    if reduction == "fresh":
        return sides[0] - 1
    halves = [n // 2 for n in sides]
    return sum(halves) if reduction == "l1" else round(math.hypot(*halves))


@pytest.mark.parametrize(
    ("sides", "reduction"),
    [
        (sides, reduction)
        for sides in GRIDS
        for reduction in ("radial", "l1", "fresh")
        if reduction != "fresh" or len(set(sides)) == 1
    ],
)
def test_reduced_spectrum_is_its_definition(sides: tuple[int, ...], reduction: str) -> None:
    signal = np.random.default_rng(0).standard_normal((2, *sides))
    for bins in range(1, most_bins(sides, reduction) + 1):
        ours = reduced_spectrum(
            torch.from_numpy(signal), ndim=len(sides), reduction=reduction, bins=bins
        )
        expected = plain_loop(signal, len(sides), reduction, bins)
        np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_magnitude_spectrum_is_numpys(ndim: int) -> None:
    signal = np.random.default_rng(0).standard_normal((2, 4, 5, 6))
    expected = np.abs(np.fft.fftn(signal, axes=range(-ndim, 0)))
    ours = magnitude_spectrum(torch.from_numpy(signal), ndim=ndim)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-12)


def test_fresh_is_blind_to_one_diagonal() -> None:
    side, k = 32, 5
    x = torch.arange(side, dtype=torch.float64) / side
    falling = torch.cos(2 * torch.pi * k * (x[:, None] - x))[None]
    rising = torch.cos(2 * torch.pi * k * (x[:, None] + x))[None]
    total = side * side / 2
    seen = {
        name: [reduced_spectrum(s, ndim=2, reduction=name) for s in (falling, rising)]
        for name in ("fresh", "l1", "radial")
    }
    assert seen["fresh"][0].max() < 1e-9 * total
    assert seen["fresh"][1][2 * k - 1] == pytest.approx(total)
    for waves in seen["l1"]:
        assert waves[2 * k - 1] == pytest.approx(2 * total)
    for waves in seen["radial"]:
        assert waves[round(k * math.sqrt(2)) - 1] == pytest.approx(2 * total)


@pytest.mark.parametrize("time", [16, 17])
def test_one_dimension_is_rfft(time: int) -> None:
    signal = torch.randn(3, 2, time, dtype=torch.float64)
    one_sided = torch.fft.rfft(signal).abs().sum(1)[:, 1:]
    two_sided = 2 * one_sided
    if time % 2 == 0:
        two_sided[:, -1] /= 2  # there is one cell of frequency time / 2
    for reduction, expected in (("fresh", one_sided), ("l1", two_sided), ("radial", two_sided)):
        ours = reduced_spectrum(signal, ndim=1, reduction=reduction)
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)


def test_default_bins_are_half_the_shortest_side() -> None:
    assert reduced_spectrum(torch.randn(2, 3, 12, 9), ndim=2).shape == (2, 4)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.sampled_from(["radial", "l1", "fresh"]), st.integers(2, 9), st.floats(0.1, 9))
def test_scale_shift_and_batch(reduction: str, side: int, scale: float) -> None:
    signal = torch.randn(2, 3, side, side, dtype=torch.float64)
    spectrum = reduced_spectrum(signal, ndim=2, reduction=reduction)
    moved = torch.roll(scale * signal + 5, (1, 2), (-1, -2))
    ours = reduced_spectrum(moved, ndim=2, reduction=reduction)
    torch.testing.assert_close(ours, scale * spectrum, rtol=1e-11, atol=1e-11)
    one = reduced_spectrum(signal[1], ndim=2, reduction=reduction)
    torch.testing.assert_close(one, spectrum[1], rtol=1e-12, atol=1e-12)


def test_radial_sees_no_axis_first() -> None:
    signal = torch.randn(1, 12, 8, dtype=torch.float64)
    for reduction in ("radial", "l1"):
        a = reduced_spectrum(signal, ndim=2, reduction=reduction)
        b = reduced_spectrum(signal.mT, ndim=2, reduction=reduction)
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("reduction", ["radial", "l1", "fresh"])
def test_gradients(reduction: str) -> None:
    signal = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda s: reduced_spectrum(s, ndim=2, reduction=reduction), signal)
    line = torch.randn(2, 12, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda s: welch_spectrum(s, segment_length=6), line)
    silence = torch.zeros(1, 4, 4, requires_grad=True)
    reduced_spectrum(silence, ndim=2, reduction=reduction).sum().backward()
    assert torch.equal(silence.grad, torch.zeros_like(silence))


@pytest.mark.parametrize("segment_length", [16, 17])
def test_welch_is_scipys_stft(segment_length: int) -> None:
    signal = np.random.default_rng(0).standard_normal((2, 3, 200))
    _, _, spectra = scipy.signal.stft(
        signal,
        nperseg=segment_length,
        noverlap=segment_length - segment_length // 2,
        boundary=None,
        padded=False,
    )
    gain = scipy.signal.get_window("hann", segment_length).sum()  # scipy divides by it
    expected = gain * np.abs(spectra).mean(-1).sum(1)[:, 1:]
    ours = welch_spectrum(torch.from_numpy(signal), segment_length=segment_length)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-12)
    fewer = welch_spectrum(torch.from_numpy(signal), segment_length=segment_length, bins=3)
    np.testing.assert_allclose(fewer.numpy(), expected[:, :3], rtol=0, atol=1e-12)


@pytest.mark.parametrize("reduction", ["radial", "l1", "fresh"])
@pytest.mark.parametrize("bins", [0, 99])
def test_bins_must_exist(reduction: str, bins: int) -> None:
    most = most_bins((8, 8), reduction)
    message = rf"`bins` \(={bins}\) must be 1 to {most} for a grid of \(8, 8\)"
    with pytest.raises(ValueError, match=message):
        reduced_spectrum(torch.zeros(1, 8, 8), ndim=2, reduction=reduction, bins=bins)


def test_a_side_of_one_has_no_default_bins() -> None:
    with pytest.raises(ValueError, match=r"`bins` \(=0\) must be 1 to 4 for a grid of \(1, 8\)"):
        reduced_spectrum(torch.zeros(1, 1, 8), ndim=2)


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"`signal` \(grid \(8, 9\)\) must have equal sides"):
        reduced_spectrum(torch.zeros(1, 8, 9), ndim=2, reduction="fresh")
    with pytest.raises(ValueError, match=r"`ndim` \(=4\) must be 1, 2 or 3"):
        reduced_spectrum(torch.zeros(1, 2, 2, 2, 2), ndim=4)
    with pytest.raises(
        ValueError, match=r"`signal` \(shape \(8, 8\)\) must be \(\*batch, channels"
    ):
        reduced_spectrum(torch.zeros(8, 8), ndim=2)
    with pytest.raises(ValueError, match=r"`signal` \(shape \(1, 0, 8\)\) must be .*no empty axis"):
        reduced_spectrum(torch.zeros(1, 0, 8), ndim=2)
    with pytest.raises(ValueError, match=r"`signal` \(shape \(8,\)\) must be \(\*batch, \*grid\)"):
        magnitude_spectrum(torch.zeros(8), ndim=2)
    for length in (1, 9):
        with pytest.raises(ValueError, match=rf"`segment_length` \(={length}\) must be 2 to the 8"):
            welch_spectrum(torch.zeros(1, 8), segment_length=length)
    with pytest.raises(ValueError, match=r"`bins` \(=5\) must be 1 to 4 for a segment of 8"):
        welch_spectrum(torch.zeros(1, 8), segment_length=8, bins=5)


@pytest.mark.usefixtures("unchecked")
def test_types() -> None:
    image = torch.zeros(1, 8, 8, dtype=torch.uint8)
    with pytest.raises(TypeError, match=r"`signal` \(dtype torch.uint8\) must be float32 or flo"):
        reduced_spectrum(image, ndim=2)
    with pytest.raises(ValueError, match=r"`reduction` \(='mean'\) must be one of radial, l1, fr"):
        reduced_spectrum(image.float(), ndim=2, reduction="mean")
