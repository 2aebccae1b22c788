import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import exponential_smoothing, pcen, smoothing_coefficient


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def loop(x: Tensor, b: float, previous: Tensor) -> Tensor:
    out = []
    for column in x.unbind(-1):
        previous = (1 - b) * previous + b * column
        out.append(previous)
    return torch.stack(out, dim=-1)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(1, 300), st.floats(0, 1))
def test_smoothing_is_its_recursion(time: int, b: float) -> None:
    x, previous = noise(2, 3, time), noise(2, 3)
    ours = exponential_smoothing(x, b, initial=previous)
    torch.testing.assert_close(ours, loop(x, b, previous), rtol=0, atol=1e-12)


def test_smoothing_over_three_levels_of_blocks() -> None:
    x = noise(5000)
    ours = exponential_smoothing(x, 0.01)
    torch.testing.assert_close(
        ours, loop(x, 0.01, torch.ones((), dtype=x.dtype)), rtol=0, atol=1e-12
    )


def test_smoothing_per_channel() -> None:
    x, b = noise(2, 3, 150), torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64)
    ours = exponential_smoothing(x, b)
    for channel in range(3):
        one = exponential_smoothing(x[:, channel], float(b[channel]))
        torch.testing.assert_close(ours[:, channel], one, rtol=0, atol=1e-12)


def test_smoothing_is_linear_and_keeps_a_constant() -> None:
    x, y = noise(2, 200)
    zero = torch.zeros((), dtype=torch.float64)
    joint, *single = (exponential_smoothing(z, 0.2, initial=zero) for z in (2 * x - y, x, y))
    torch.testing.assert_close(joint, 2 * single[0] - single[1], rtol=0, atol=1e-12)
    steady = exponential_smoothing(torch.ones(200, dtype=torch.float64), 0.2)
    torch.testing.assert_close(steady, torch.ones(200, dtype=torch.float64), rtol=0, atol=1e-12)


def test_gradients() -> None:
    x = noise(3, 70).requires_grad_()
    b = torch.tensor([0.3, 0.05, 0.9], dtype=torch.float64, requires_grad=True)
    initial = noise(3).requires_grad_()
    assert gradcheck(
        lambda x, b, initial: exponential_smoothing(x, b, initial=initial)[:, ::23], (x, b, initial)
    )
    assert gradcheck(lambda S: pcen(S, b=0.1, max_size=3)[:, ::23], x)


@pytest.mark.parametrize("settings", [{}, {"bias": 0.0}, {"power": 0.0}])
def test_silence_has_a_gradient(settings: dict[str, float]) -> None:
    silence = torch.zeros(4, 100, requires_grad=True)
    pcen(silence, **settings).sum().backward()
    assert silence.grad.isfinite().all()


def test_a_gain_of_one_takes_the_loudness_away() -> None:
    S = noise(8, 400) + 0.5
    quiet, loud = (pcen(k * S, gain=1.0, eps=1e-12, initial=k * S[:, 0]) for k in (1.0, 1000.0))
    torch.testing.assert_close(quiet, loud, rtol=0, atol=1e-8)


def test_batch_vmap_and_float32() -> None:
    S = noise(3, 8, 150)
    whole = pcen(S)
    torch.testing.assert_close(whole, torch.stack([pcen(one) for one in S]), rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.func.vmap(pcen)(S), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(pcen(S.float()).double(), whole, rtol=0, atol=1e-5)


def test_the_coefficient_halves_the_power_of_its_cutoff() -> None:
    b = smoothing_coefficient(0.4, 22050, 512)
    frames = 0.4 * 22050 / 512
    assert math.isclose(frames**2 * b**2 + b, 1, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gain": -1.0}, r"`gain` \(=-1\) must be at least 0"),
        ({"bias": -1.0}, r"`bias` \(=-1\) must be at least 0"),
        ({"power": math.nan}, r"`power` \(=nan\) must be at least 0"),
        ({"eps": 0.0}, r"`eps` \(=0\) must be above 0"),
        ({"b": 1.5}, r"`b` \(=1.5\) must be 0 to 1"),
        ({"time_constant": 0.0}, r"`time_constant` \(=0 s\) must be above 0"),
        ({"sr": 0.0}, r"`sr` \(=0 Hz\) must be above 0"),
        ({"hop_length": 0}, r"`hop_length` \(=0\) must be a positive integer"),
        ({"max_size": 0}, r"`max_size` \(=0\) must be a positive integer"),
    ],
)
def test_errors(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pcen(torch.ones(3, 10), **settings)


def test_shape_errors() -> None:
    with pytest.raises(ValueError, match=r"`S` \(shape \(3, 0\)\) must have a last axis"):
        pcen(torch.ones(3, 0))


@pytest.mark.usefixtures("unchecked")
def test_type_errors() -> None:
    with pytest.raises(TypeError, match=r"`S` \(dtype torch.int64\) must be float32 or float64"):
        pcen(torch.ones(3, 10, dtype=torch.int64))
