import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import analytic_signal, envelope, instantaneous_frequency


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 60))
def test_has_no_negative_frequencies(time: int) -> None:
    x = noise(2, time)
    z = analytic_signal(x)
    torch.testing.assert_close(z.real, x, rtol=0, atol=1e-12)
    spectrum = torch.fft.fft(z)
    assert spectrum[:, time // 2 + 1 :].abs().sum() < 1e-10
    ends = [0, time // 2] if time % 2 == 0 else [0]
    torch.testing.assert_close(spectrum[:, ends], torch.fft.fft(x)[:, ends], rtol=0, atol=1e-10)


def test_envelope_of_a_modulated_tone() -> None:
    t = torch.arange(4000, dtype=torch.float64) / 4000
    shape = 1.5 + torch.cos(2 * math.pi * 3 * t)
    tone = torch.cos(2 * math.pi * 400 * t)
    torch.testing.assert_close(envelope(shape * tone), shape, rtol=0, atol=1e-10)


def test_frequency_of_a_vibrato() -> None:
    t = torch.arange(4000, dtype=torch.float64) / 4000
    phase = 2 * math.pi * 400 * t - 5 * torch.cos(2 * math.pi * 2 * t)
    ours = instantaneous_frequency(torch.cos(phase), 4000)
    middle = t[:-1] + 1 / 8000
    expected = 400 + 10 * torch.sin(2 * math.pi * 2 * middle)
    assert ours.shape == (3999,)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-3)


def test_gradients_and_silence() -> None:
    x = noise(2, 9).requires_grad_()
    assert gradcheck(analytic_signal, x)
    assert gradcheck(envelope, x)
    assert gradcheck(lambda x: instantaneous_frequency(x, 100), x)
    silence = torch.zeros(8, requires_grad=True)
    (envelope(silence).sum() + instantaneous_frequency(silence, 100).sum()).backward()
    assert silence.grad.isfinite().all()


def test_batch_and_vmap() -> None:
    x = noise(3, 50)
    for function in (analytic_signal, envelope, lambda x: instantaneous_frequency(x, 8000)):
        rows = torch.stack([function(row) for row in x])
        torch.testing.assert_close(function(x), rows)
        torch.testing.assert_close(torch.func.vmap(function)(x), rows)


@pytest.mark.usefixtures("unchecked")
def test_errors() -> None:
    with pytest.raises(ValueError, match=r"`x` \(shape \(0,\)\) must have a last axis"):
        envelope(torch.zeros(0))
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32 or float64"):
        envelope(torch.zeros(9, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"`x` \(time 1\) must have at least two samples"):
        instantaneous_frequency(torch.zeros(1), 100)
    with pytest.raises(ValueError, match=r"`sample_rate` \(=0 Hz\) must be above 0"):
        instantaneous_frequency(torch.zeros(9), 0)
