import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import (
    complex_cepstrum,
    inverse_complex_cepstrum,
    power_cepstrum,
    real_cepstrum,
)


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("n_fft", [50, 51, 64])
def test_real_and_power_cepstrum_are_their_formulas(n_fft: int) -> None:
    x = noise(2, 50)
    logarithm = np.log(np.abs(np.fft.fft(x.numpy(), n_fft)))
    expected = torch.from_numpy(np.fft.ifft(logarithm).real)
    torch.testing.assert_close(real_cepstrum(x, n_fft=n_fft), expected, rtol=0, atol=1e-12)
    squared = torch.from_numpy(np.abs(np.fft.ifft(2 * logarithm)) ** 2)
    torch.testing.assert_close(power_cepstrum(x, n_fft=n_fft), squared, rtol=0, atol=1e-12)


def test_complex_cepstrum_is_its_formula() -> None:
    # Zeros well inside the unit circle, and a delay: the phase winds slowly.
    x = np.convolve([0, 0, 1, 0.5, 0.2], [1, -0.3])
    n_fft = 256
    spectrum = np.fft.fft(x, n_fft)
    phase = np.unwrap(np.angle(spectrum[: n_fft // 2 + 1]))
    delay = round(-phase[-1] / np.pi)
    phase += np.pi * delay * np.arange(n_fft // 2 + 1) / (n_fft // 2)
    logarithm = np.log(np.abs(spectrum[: n_fft // 2 + 1])) + 1j * phase
    ours = complex_cepstrum(torch.from_numpy(x), n_fft=n_fft)
    assert int(ours.delay) == delay == 2
    expected = torch.from_numpy(np.fft.irfft(logarithm))
    torch.testing.assert_close(ours.values, expected, rtol=0, atol=1e-9)


def test_minimum_phase_cepstrum_is_the_series_of_its_zeros() -> None:
    a, n = 0.6, np.arange(1, 40)
    cepstrum = complex_cepstrum(torch.tensor([1.0, -a], dtype=torch.float64), n_fft=512)
    expected = torch.from_numpy(-(a**n) / n)
    torch.testing.assert_close(cepstrum.values[1:40], expected, rtol=0, atol=1e-12)
    assert cepstrum.values[256:].abs().max() < 1e-12


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 60), st.integers(0, 100), st.sampled_from([None, 128]))
def test_inverse(time: int, seed: int, n_fft: int | None) -> None:
    x = noise(2, time, seed=seed)
    back = inverse_complex_cepstrum(complex_cepstrum(x, n_fft=n_fft), length=time)
    torch.testing.assert_close(back, x, rtol=0, atol=1e-10)


def test_convolution_becomes_a_sum() -> None:
    x = torch.tensor([1.0, 0.5, 0.1], dtype=torch.float64)
    y = torch.tensor([2.0, -0.7], dtype=torch.float64)
    both = torch.from_numpy(np.convolve(x.numpy(), y.numpy()))
    cepstra = [complex_cepstrum(z, n_fft=128).values for z in (both, x, y)]
    torch.testing.assert_close(cepstra[0], cepstra[1] + cepstra[2], rtol=0, atol=1e-12)


def test_gradients_and_silence() -> None:
    x = noise(2, 9).requires_grad_()
    assert gradcheck(lambda x: real_cepstrum(x, n_fft=16), x)
    assert gradcheck(lambda x: complex_cepstrum(x, n_fft=16).values, x)
    cepstrum = complex_cepstrum(x.detach())
    values = cepstrum.values.requires_grad_()
    assert gradcheck(lambda v: inverse_complex_cepstrum(cepstrum._replace(values=v)), values)
    silence = torch.zeros(8, requires_grad=True)
    real_cepstrum(silence).sum().backward()
    assert silence.grad.isfinite().all()


def test_vmap_is_a_loop() -> None:
    x = noise(3, 20)
    for function in (real_cepstrum, lambda x: complex_cepstrum(x).values):
        rows = torch.stack([function(row) for row in x])
        torch.testing.assert_close(torch.func.vmap(function)(x), rows)
        torch.testing.assert_close(function(x), rows)


def test_errors() -> None:
    x = torch.ones(10)
    with pytest.raises(ValueError, match=r"`n_fft` \(=9\) must be at least the 10 samples"):
        real_cepstrum(x, n_fft=9)
    with pytest.raises(ValueError, match=r"`n_fft` \(=0\) must be a positive integer"):
        power_cepstrum(x, n_fft=0)
    with pytest.raises(ValueError, match=r"`n_fft` \(=11\) must be even. Pass 12"):
        complex_cepstrum(x, n_fft=11)
    for floor in (0.0, math.nan):
        with pytest.raises(ValueError, match=r"`floor` \(=.*\) must be above 0"):
            real_cepstrum(x, floor=floor)
    with pytest.raises(ValueError, match=r"`length` \(=21\) must be 1 to 20"):
        inverse_complex_cepstrum(complex_cepstrum(x), length=21)
    with pytest.raises(ValueError, match=r"`x` \(shape \(0,\)\) must have a last axis"):
        complex_cepstrum(x[:0])
