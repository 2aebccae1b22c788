import pytest
import torch
from torch.autograd import gradcheck

from passband.frequency import anti_wrapped, phase, phase_distances


def test_phase_is_the_angle() -> None:
    spectrum = torch.randn(4, 5, dtype=torch.complex128)
    assert torch.equal(phase(spectrum), spectrum.angle())
    assert gradcheck(phase, (spectrum.requires_grad_(),))


@pytest.mark.parametrize(("size", "eps"), [(0.0, 0.0), (1e-3, 1e-2), (1e-39, 0.0)])
def test_silence_has_phase_zero_and_no_gradient(size: float, eps: float) -> None:
    spectrum = torch.full((3,), -size, dtype=torch.complex64).requires_grad_()
    turned = phase(spectrum, eps=eps)
    turned.sum().backward()
    assert torch.equal(turned, torch.zeros(3))
    assert torch.equal(spectrum.grad, torch.zeros(3, dtype=torch.complex64))


def test_anti_wrapped_is_the_distance_on_the_circle() -> None:
    x = torch.linspace(-20, 20, 1001, dtype=torch.float64)
    expected = torch.polar(torch.ones_like(x), x).angle().abs()
    torch.testing.assert_close(anti_wrapped(x), expected, rtol=0, atol=1e-12)
    assert gradcheck(anti_wrapped, (x[7::50].clone().requires_grad_(),))
    zero = torch.zeros(1, requires_grad=True)
    anti_wrapped(zero).backward()
    assert float(zero.grad) == 0


def test_distances_are_blind_to_whole_turns() -> None:
    a, b = torch.rand(2, 2, 5, 6, dtype=torch.float64) * 6
    turns = 2 * torch.pi * torch.randint(-3, 4, (2, 5, 6)).double()
    for ours, turned in zip(phase_distances(a, b), phase_distances(a + turns, b), strict=True):
        torch.testing.assert_close(ours, turned, rtol=0, atol=1e-12)


def test_a_delay_is_a_constant_group_delay() -> None:
    ramp = 0.3 * torch.arange(5.0)[:, None].expand(5, 6)
    apart = phase_distances(ramp, torch.zeros(5, 6))
    torch.testing.assert_close(apart.group_delay, torch.full((4, 6), 0.3))
    assert float(apart.frequency.max()) == 0


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"`eps` \(=-1\) must be at least 0"):
        phase(torch.zeros(3, dtype=torch.complex64), eps=-1)
