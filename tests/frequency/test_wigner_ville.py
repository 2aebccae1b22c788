import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck

import passband.frequency._wigner_ville as module
from passband.frequency import (
    analytic_signal,
    pseudo_wigner_ville,
    smoothed_pseudo_wigner_ville,
    wigner_ville,
)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def analytic(*shape: int) -> Tensor:
    return analytic_signal(noise(*shape))


def window(name: str, length: int) -> Tensor:
    return torch.from_numpy(scipy.signal.get_window(name, length, fftbins=False))


def direct(z: np.ndarray, h: np.ndarray, g: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """The definition, one value at a time."""
    time, spread, reach = len(z), len(h) // 2, len(g) // 2
    frames = range(0, time, hop)
    out = np.zeros((n_fft, len(frames)), dtype=complex)
    for j, t in enumerate(frames):
        for m in range(-reach, reach + 1):
            total = 0j
            for shift in range(-spread, spread + 1):
                a, b = t + shift + m, t + shift - m
                if 0 <= a < time and 0 <= b < time:
                    total += h[shift + spread] * z[a] * np.conj(z[b])
            f = np.arange(n_fft) / (2 * n_fft)
            out[:, j] += 2 * g[m + reach] * total * np.exp(-4j * np.pi * f * m)
    assert abs(out.imag).max() < 1e-12
    return out.real


@pytest.mark.parametrize("hop", [1, 3, 40])
@pytest.mark.parametrize("time", [1, 2, 24, 25])
def test_wigner_ville_is_its_definition(time: int, hop: int) -> None:
    z = analytic(time)
    lags = np.ones(2 * ((time + 1) // 2) - 1)
    expected = direct(z.numpy(), np.ones(1), lags, time, hop)
    torch.testing.assert_close(
        wigner_ville(z, hop_length=hop), torch.from_numpy(expected), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("block", [1, 1 << 20])
@pytest.mark.parametrize("hop", [1, 4, 7])
@pytest.mark.parametrize(
    ("smooth", "lags", "n_fft"), [(1, 9, 9), (5, 11, 16), (9, 1, 4), (7, 31, 31)]
)
def test_smoothed_is_its_definition(
    smooth: int, lags: int, n_fft: int, hop: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", block)
    z, h, g = analytic(2, 22), window("hamming", smooth), window("hamming", lags)
    ours = smoothed_pseudo_wigner_ville(z, h, g, n_fft=n_fft, hop_length=hop)
    for item, result in zip(z, ours, strict=True):
        expected = direct(item.numpy(), h.numpy(), g.numpy(), n_fft, hop)
        torch.testing.assert_close(result, torch.from_numpy(expected), rtol=0, atol=1e-12)
    if smooth == 1:
        pseudo = pseudo_wigner_ville(z, g, n_fft=n_fft, hop_length=hop)
        torch.testing.assert_close(pseudo, ours, rtol=0, atol=1e-12)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(2, 40), st.integers(0, 100))
def test_marginals(half: int, seed: int) -> None:
    n = 2 * half
    x = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    z = analytic_signal(x)
    w = wigner_ville(z)
    torch.testing.assert_close(w.mean(0) / 2, z.abs().square(), rtol=0, atol=1e-10)
    power = torch.fft.fft(z).abs().square()[1:half]
    torch.testing.assert_close(w.sum(-1)[2:n:2][: half - 1], power, rtol=0, atol=1e-9)
    assert float(power.sum()) > 0
    lags = torch.hann_window(9, periodic=False, dtype=torch.float64)
    pseudo = pseudo_wigner_ville(z, lags, n_fft=12)
    torch.testing.assert_close(pseudo.mean(0) / 2, z.abs().square(), rtol=0, atol=1e-10)


def test_a_chirp_stands_on_its_line() -> None:
    n = torch.arange(256, dtype=torch.float64)
    z = torch.polar(
        torch.ones(256, dtype=torch.float64), 2 * torch.pi * (0.1 * n + 0.15 * n**2 / 256)
    )
    peaks = wigner_ville(z).argmax(0) / 512
    inside = slice(40, -40)
    torch.testing.assert_close(
        peaks[inside].double(), (0.1 + 0.3 * n / 256)[inside], rtol=0, atol=1 / 512
    )
    ridge = wigner_ville(z)[:, 128]
    assert ridge.max() / ridge.abs().median() > 100


def test_no_aliasing_above_a_quarter_of_the_rate() -> None:
    x = torch.cos(2 * torch.pi * 0.4 * torch.arange(200, dtype=torch.float64))
    w = pseudo_wigner_ville(analytic_signal(x), window("hann", 63), n_fft=100)
    assert int(w[:, 100].argmax()) == 80  # 80 / 200 = 0.4
    assert w[:60, 100].abs().max() < 0.01 * w[80, 100]


def test_interference_stands_halfway_and_is_smoothed_away() -> None:
    n = torch.arange(400, dtype=torch.float64)
    x = torch.cos(2 * torch.pi * 0.1 * n) + torch.cos(2 * torch.pi * 0.3 * n)
    z, g = analytic_signal(x), window("hann", 99)
    pseudo = pseudo_wigner_ville(z, g, n_fft=100)[:, 100:300]
    smoothed = smoothed_pseudo_wigner_ville(z, window("hann", 41) / 20, g, n_fft=100)[:, 100:300]
    assert pseudo[40].abs().max() > 1.5 * pseudo[20].abs().max()  # 40 / 200 = 0.2
    assert pseudo[40].mean().abs() < 0.05 * pseudo[20].mean()
    assert smoothed[40].abs().max() < 0.02 * smoothed[20].min()
    torch.testing.assert_close(smoothed[20].mean(), pseudo[20].mean(), rtol=0.02, atol=0)


def test_gradients() -> None:
    x = noise(2, 9).requires_grad_()
    h, g = window("hamming", 3).requires_grad_(), window("hamming", 5).requires_grad_()
    assert gradcheck(lambda x: wigner_ville(analytic_signal(x)), (x,))
    assert gradcheck(
        lambda x, h, g: smoothed_pseudo_wigner_ville(analytic_signal(x), h, g, hop_length=2),
        (x, h, g),
    )


def test_float32() -> None:
    z = analytic(500)
    exact = wigner_ville(z, hop_length=50)
    ours = wigner_ville(z.to(torch.complex64), hop_length=50)
    assert ours.dtype == torch.float32
    assert float((ours - exact).norm() / exact.norm()) < 1e-6


def test_errors() -> None:
    z = analytic(20)
    with pytest.raises(ValueError, match=r"`hop_length` \(=0\) must be a positive integer"):
        wigner_ville(z, hop_length=0)
    with pytest.raises(ValueError, match=r"`z` \(shape \(2, 0\)\) must have a last axis"):
        wigner_ville(z.new_zeros(2, 0))
    with pytest.raises(ValueError, match=r"`lag_window` \(of 4 samples\) must have an odd number"):
        pseudo_wigner_ville(z, torch.ones(4))
    with pytest.raises(ValueError, match=r"`time_window` \(of 2 samples\) must have an odd number"):
        smoothed_pseudo_wigner_ville(z, torch.ones(2), torch.ones(3))
    with pytest.raises(ValueError, match=r"`n_fft` \(=4\) must be at least the 5 samples"):
        pseudo_wigner_ville(z, torch.ones(5), n_fft=4)


@pytest.mark.usefixtures("unchecked")
def test_type_errors() -> None:
    with pytest.raises(TypeError, match=r"`z` \(dtype torch.float32\) must be complex64"):
        wigner_ville(torch.zeros(9))
