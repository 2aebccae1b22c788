import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from passband.frequency import magnitude, stft

POWERS = [0.3, 0.5, 1.0, 1.5, 2.0, 3.0]


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("eps", [0.0, 1e-6])
def test_value_and_gradient_are_torchs_away_from_silence(power: float, eps: float) -> None:
    spectrum = torch.randn(50, dtype=torch.complex128, requires_grad=True)
    ours, theirs = magnitude(spectrum, power=power, eps=eps), spectrum.abs() ** power
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=1e-14)
    gradients = [torch.autograd.grad(value.sum(), spectrum)[0] for value in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("power", POWERS)
def test_silence_has_value_and_gradient_zero(power: float) -> None:
    spectrum = torch.zeros(4, dtype=torch.complex64, requires_grad=True)
    value = magnitude(spectrum, power=power)
    assert torch.equal(value, torch.zeros(4))
    (gradient,) = torch.autograd.grad(value.sum(), spectrum, create_graph=True)
    assert torch.equal(gradient.detach(), torch.zeros(4, dtype=torch.complex64))
    (second,) = torch.autograd.grad(gradient.abs().sum(), spectrum)
    assert second.isfinite().all()


@pytest.mark.parametrize("power", POWERS)
def test_gradient_of_a_silent_signal_is_zero(power: float) -> None:
    x = torch.zeros(2, 300, requires_grad=True)
    magnitude(stft(x, n_fft=64, hop_length=16), power=power).sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))


@pytest.mark.parametrize("power", POWERS)
def test_eps_cuts_the_gradient_and_not_the_value(power: float) -> None:
    spectrum = torch.tensor([1e-9, 1e-9j, 1e-3 + 0j], dtype=torch.complex128, requires_grad=True)
    value = magnitude(spectrum, power=power, eps=1e-9)
    torch.testing.assert_close(value, spectrum.abs() ** power, rtol=1e-14, atol=0)
    (gradient,) = torch.autograd.grad(value.sum(), spectrum)
    assert gradient[0] == gradient[1] == 0
    assert gradient[2].real == pytest.approx(power * 1e-3 ** (power - 1))


@pytest.mark.parametrize("size", [1e-30, 1e-38, 1e-44])
def test_the_smallest_numbers_have_the_right_magnitude(size: float) -> None:
    spectrum = torch.full((3,), size, dtype=torch.complex64, requires_grad=True)
    value = magnitude(spectrum)
    torch.testing.assert_close(value, torch.full((3,), size), rtol=0, atol=0)
    (gradient,) = torch.autograd.grad(value.sum(), spectrum)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("power", POWERS)
def test_gradcheck(power: float) -> None:
    spectrum = torch.randn(5, dtype=torch.complex128, requires_grad=True)
    assert gradcheck(lambda s: magnitude(s, power=power), spectrum)
    assert gradgradcheck(lambda s: magnitude(s, power=power), spectrum)


@pytest.mark.usefixtures("unchecked")
def test_errors() -> None:
    spectrum = torch.zeros(3, dtype=torch.complex64)
    with pytest.raises(TypeError, match=r"`spectrum` \(dtype torch.float32\) must be complex64"):
        magnitude(spectrum.real)
    with pytest.raises(ValueError, match=r"`power` \(=0\) must be above 0"):
        magnitude(spectrum, power=0)
    with pytest.raises(ValueError, match=r"`eps` \(=-1\) must be at least 0"):
        magnitude(spectrum, eps=-1)
