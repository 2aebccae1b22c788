"""Parity of the wavelet transform with PyWavelets, which integrates sampled wavelets."""

import math

import numpy as np
import pytest
import torch

from passband.frequency import MexicanHat, Morlet, cwt

pywt = pytest.importorskip("pywt")

SCALES = [4.0, 7.5, 12.0, 20.0, 33.0]


def signal() -> torch.Tensor:
    noise = torch.randn(2000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    n = torch.arange(2000, dtype=torch.float64)
    return torch.cos(2 * torch.pi * (0.01 * n + 2e-5 * n**2)) + 0.3 * noise


def mean_over_a_sample(x: torch.Tensor) -> torch.Tensor:
    """What its integrated wavelets see: the mean over the sample before, half a sample late."""
    frequency = torch.fft.rfftfreq(len(x), dtype=x.dtype)
    seen = torch.polar(torch.sinc(frequency), -torch.pi * frequency)
    return torch.fft.irfft(torch.fft.rfft(x) * seen, n=len(x))


@pytest.mark.parametrize("method", ["fft", "conv"])
def test_mexican_hat(method: str) -> None:
    x = signal()
    theirs, _ = pywt.cwt(x.numpy(), SCALES, "mexh", method=method, precision=16)
    ours = cwt(
        mean_over_a_sample(x), SCALES, wavelet=MexicanHat(), norm="l2", pad_mode="constant"
    ).real.numpy()
    inside = slice(300, -300)
    error = np.abs(ours - theirs)[:, inside].max(-1) / np.abs(theirs)[:, inside].max(-1)
    assert error.max() < 0.02


def test_complex_morlet() -> None:
    """``cmor2-C`` is a Morlet wavelet with ``omega0 = 2 pi C``, of amplitude 1 / sqrt(2 pi)."""
    x = signal()
    theirs, _ = pywt.cwt(x.numpy(), SCALES, "cmor2-1.5", method="fft", precision=16)
    ours = cwt(
        mean_over_a_sample(x), SCALES, wavelet=Morlet(3 * math.pi), norm="l2", pad_mode="constant"
    ).numpy()
    gain = math.pi**-0.25 * math.sqrt(2 * math.pi)
    inside = slice(300, -300)
    error = np.abs(ours - gain * theirs)[:, inside].max(-1) / np.abs(ours)[:, inside].max(-1)
    assert error.max() < 0.02


def test_frequencies_of_the_scales() -> None:
    for scale in SCALES:
        theirs = pywt.scale2frequency("cmor2-1.5", scale)
        assert Morlet(3 * math.pi).centre / (2 * math.pi * scale) == pytest.approx(theirs, rel=1e-2)
