import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from passband.frequency import band_energy, band_error, octave_edges


def test_octaves_end_at_the_largest_frequency() -> None:
    assert octave_edges(64) == [0, 1, 2, 4, 8, 16, 32, 64]
    assert octave_edges(64.5) == [0, 1, 2, 4, 8, 16, 32, 64, 64.5]
    assert octave_edges(1.5) == [0, 1, 1.5]
    assert octave_edges(64, n_bands=4) == [0, 1, 2, 4, 64]
    assert octave_edges(64, n_bands=7) == octave_edges(64)


@pytest.mark.parametrize("sides", [(9,), (16,), (8, 8), (7, 10), (4, 5, 6)])
def test_band_energy_is_its_definition(sides: tuple[int, ...]) -> None:
    signal = np.random.default_rng(0).standard_normal((2, *sides))
    power = np.abs(np.fft.fftn(signal, axes=range(1, signal.ndim))) ** 2 / math.prod(sides) ** 2
    edges = [0.0, 1.0, 2.0, 2.5, math.hypot(*(n // 2 for n in sides))]
    expected = np.zeros(4)
    for index in itertools.product(*(range(n) for n in sides)):
        signed = [j if j < (n + 1) // 2 else j - n for j, n in zip(index, sides, strict=True)]
        radius = math.sqrt(sum(f * f for f in signed))
        band = next((b for b in range(4) if edges[b] <= radius < edges[b + 1]), 3)
        expected[band] += power[(slice(None), *index)].mean()
    ours = band_energy(torch.from_numpy(signal), ndim=len(sides), edges=edges)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-12)
    assert ours.sum().item() == pytest.approx((signal**2).mean(), abs=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(2, 9), min_size=1, max_size=3))
def test_parseval(sides: list[int]) -> None:
    signal = torch.randn(3, 2, *sides, dtype=torch.float64) + 1
    corner = math.hypot(*(n // 2 for n in sides))
    edges = octave_edges(corner) if corner > 1 else [0, 1, 2]
    energy = band_energy(signal, ndim=len(sides), edges=edges)
    mean_square = signal.square().flatten(1).mean(1)
    torch.testing.assert_close(energy.sum(-1), mean_square, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(
        energy[:, 0], signal.flatten(2).mean(2).square().mean(1), rtol=1e-12, atol=1e-12
    )


def test_what_lies_beyond_the_edges_is_left_out() -> None:
    time = torch.arange(32, dtype=torch.float64) / 32
    waves = torch.stack([torch.cos(2 * torch.pi * f * time) for f in (2, 4, 9)])[:, None]
    energy = band_energy(waves, ndim=1, edges=[2, 4, 8])
    expected = torch.tensor([[0.5, 0], [0, 0.5], [0, 0]], dtype=torch.float64)
    torch.testing.assert_close(energy, expected, rtol=0, atol=1e-12)


def test_band_error_is_relative() -> None:
    target = torch.randn(4, 2, 16, 16, dtype=torch.float64)
    edges = octave_edges(math.hypot(8, 8))
    assert not band_error(target, target, ndim=2, edges=edges).any()
    silence = band_error(target, torch.zeros_like(target), ndim=2, edges=edges)
    torch.testing.assert_close(silence, torch.ones_like(silence))
    estimate = target + 0.1 * torch.randn_like(target)
    expected = band_energy(target - estimate, ndim=2, edges=edges) / band_energy(
        target, ndim=2, edges=edges
    )
    ours = band_error(target, estimate, ndim=2, edges=edges)
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_band_error_where_the_target_is_silent(dtype: torch.dtype) -> None:
    time = torch.arange(64, dtype=dtype) / 64
    target = torch.cos(2 * torch.pi * 3 * time)[None]
    estimate = target + 0.1 * torch.cos(2 * torch.pi * 12 * time)
    edges = [0, 1, 2, 4, 8, 16, 32]
    infinity = math.inf
    torch.testing.assert_close(
        band_error(target, estimate, ndim=1, edges=edges),
        torch.tensor([0, 0, 0, 0, infinity, 0], dtype=dtype),
        rtol=0,
        atol=1e-10,
    )
    nothing = torch.zeros_like(target)
    assert not band_error(nothing, nothing, ndim=1, edges=edges).any()
    assert band_error(nothing, target, ndim=1, edges=edges)[2] == infinity


def test_gradients() -> None:
    target = torch.randn(2, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    estimate = torch.randn(2, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda s: band_energy(s, ndim=2, edges=[0, 1, 2, 3]), target)
    assert gradcheck(lambda t, e: band_error(t, e, ndim=2, edges=[0, 1, 2, 3]), (target, estimate))
    silence = torch.zeros(1, 8)
    moving = torch.zeros(1, 8, requires_grad=True)
    band_error(silence, moving, ndim=1, edges=[0, 1, 4]).sum().backward()
    assert moving.grad.isfinite().all()


@pytest.mark.parametrize("frequency", [1, 0, -3, math.inf, math.nan])
def test_max_frequency_must_be_above_1(frequency: float) -> None:
    with pytest.raises(ValueError, match=r"`max_frequency` \(=.*must be finite and above 1"):
        octave_edges(frequency)


@pytest.mark.parametrize("n_bands", [1, 8])
def test_n_bands_must_exist(n_bands: int) -> None:
    with pytest.raises(ValueError, match=rf"`n_bands` \(={n_bands}\) must be 2 to 7"):
        octave_edges(64, n_bands=n_bands)


@pytest.mark.parametrize("edges", [[], [1], [0, 1, 1], [2, 1], [-1, 2], [0, math.nan]])
def test_edges_must_rise(edges: list[float]) -> None:
    with pytest.raises(ValueError, match=r"`edges` \(=.*must be at least two frequencies"):
        band_energy(torch.zeros(1, 8), ndim=1, edges=edges)


@pytest.mark.usefixtures("unchecked")
def test_shapes_and_types() -> None:
    with pytest.raises(ValueError, match=r"`estimate` \(shape \(1, 9\)\) must have the shape of"):
        band_error(torch.zeros(1, 8), torch.zeros(1, 9), ndim=1, edges=[0, 1])
    with pytest.raises(ValueError, match=r"`signal` \(shape \(8,\)\) must be \(\*batch, channels"):
        band_energy(torch.zeros(8), ndim=1, edges=[0, 1])
    with pytest.raises(TypeError, match=r"`signal` \(dtype torch.int64\) must be float32"):
        band_energy(torch.zeros(1, 8, dtype=torch.int64), ndim=1, edges=[0, 1])
