"""Opacities and weights against closed forms."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from passband.errors import InputError
from passband.recon.rendering import (
    NeusOpacity,
    ScheduledNeusOpacity,
    ScheduledVolsdfOpacity,
    VolsdfOpacity,
    section_weights,
)
from passband.recon.rendering.opacities import laplace_density, neus_alpha, volsdf_alpha
from passband.recon.rendering.opacities._neus_alpha import plain_neus_alpha
from passband.recon.rendering.opacities._weights import plain_section_weights


def wall(sections: int, slope: float) -> tuple[Tensor, Tensor, Tensor]:
    """Distance, slope and length of sections of a ray from 0.8 before a plane to 0.2 behind it."""
    depths = (torch.arange(sections, dtype=torch.float64) + 0.5) / sections
    f = 0.8 * -slope + slope * depths
    return f[None], torch.full_like(f, slope)[None], torch.full_like(f, 1 / sections)[None]


@pytest.mark.parametrize("slope", [-1.0, -0.3])
def test_neus_stops_at_a_wall_what_the_logistic_function_says(slope: float) -> None:
    s = 40.0
    f, slopes, length = wall(400, slope)
    alpha = neus_alpha(f, slopes, length, torch.tensor(s, dtype=torch.float64))
    passed = 1 - section_weights(alpha).cumsum(-1)[0]
    ends = f[0] + slope * length[0] / 2
    start = 1 / (1 + math.exp(-s * -0.8 * slope))
    torch.testing.assert_close(passed, torch.sigmoid(s * ends) / start, atol=6e-3, rtol=0)


def test_neus_sees_the_surface_where_it_is() -> None:
    f, slopes, length = wall(500, -1.0)
    alpha = neus_alpha(f, slopes, length, torch.tensor(200.0, dtype=torch.float64))
    weights = section_weights(alpha)[0]
    assert abs(f[0, weights.argmax()]) <= 1 / 500
    assert (weights * f[0]).sum().abs() < 2e-3  # unbiased to first order


def test_a_surface_seen_from_behind_is_there_while_slopes_are_annealed() -> None:
    f, slopes, length = wall(100, 1.0)
    s = torch.tensor(40.0, dtype=torch.float64)
    early = neus_alpha(f, -0.4 * slopes, length, s, 0.0)
    late = neus_alpha(f, -0.4 * slopes, length, s, 1.0)
    half = neus_alpha(f, -0.4 * slopes, length, s, 0.5)
    assert (early.sum(), half.sum()) > (half.sum(), late.sum())
    behind = [neus_alpha(f, 0.4 * slopes, length, s, r) for r in (0.0, 1.0)]
    assert behind[0].amax() > 0.1
    assert behind[1].amax() < 1


@pytest.mark.parametrize("beta", [0.01, 0.05])
def test_volsdf_stops_at_a_wall_what_the_integral_says(beta: float) -> None:
    f, _, length = wall(4000, -1.0)
    weights = section_weights(volsdf_alpha(f, length, torch.tensor(beta, dtype=torch.float64)))
    ends = f[0] - length[0] / 2

    def integral(x: Tensor) -> Tensor:  # of the density from the plane's far outside to x
        return torch.where(x > 0, (-x / beta).exp() / 2, (x / beta).exp() / 2 - x / beta)

    passed = torch.exp(-(integral(ends) - integral(torch.tensor(0.8, dtype=torch.float64))))
    torch.testing.assert_close(1 - weights.cumsum(-1)[0], passed, atol=2e-5, rtol=0)


def test_laplace_density_matches_torch() -> None:
    f = torch.linspace(-2, 2, 401, dtype=torch.float64)
    beta = torch.tensor(0.07, dtype=torch.float64)
    law = torch.distributions.Laplace(torch.zeros_like(beta), beta)
    torch.testing.assert_close(laplace_density(f, beta), law.cdf(-f) / beta, atol=1e-12, rtol=0)
    # Far outside the distribution function of torch is rounded, ours is not.
    far = laplace_density(torch.tensor([4.0]), torch.tensor(0.1)).item()
    assert far == pytest.approx(5 * math.exp(-40), rel=1e-5)


def test_laplace_density_has_its_derivative_on_the_surface_too() -> None:
    f = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    laplace_density(f, torch.tensor(0.1).double()).sum().backward()
    assert f.grad.item() == pytest.approx(-50.0)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    samples=st.integers(1, 80),
    kind=st.sampled_from(["neus", "volsdf", "raw"]),
    width=st.floats(1e-3, 3.0),
)
def test_weights_sum_to_at_most_one(seed: int, samples: int, kind: str, width: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    f, slope = width * torch.randn(2, 5, samples, generator=generator)
    length = torch.rand(5, samples, generator=generator) / samples
    length[torch.rand(5, samples, generator=generator) < 0.2] = 0
    if kind == "raw":
        alpha = torch.rand(5, samples, generator=generator)
        alpha[torch.rand(5, samples, generator=generator) < 0.1] = 1
    else:
        opacity = NeusOpacity(0.7) if kind == "neus" else VolsdfOpacity(0.002)
        alpha = opacity.alpha(f, slope, length).detach()
        assert not alpha[length == 0].any()
    weights = section_weights(alpha)
    assert weights.min() >= 0
    assert weights.max() <= 1
    assert (weights.double().sum(-1) <= 1 + 1e-6).all()
    torch.testing.assert_close(weights, plain_section_weights(alpha))
    passed = torch.prod(1 - alpha.double(), -1)
    torch.testing.assert_close(weights.double().sum(-1), 1 - passed, atol=1e-5, rtol=0)


def test_weights_have_exact_gradients_also_at_zero_and_one() -> None:
    alpha = torch.rand(6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    alpha = 0.1 + 0.8 * alpha
    alpha.requires_grad_()
    assert torch.autograd.gradcheck(section_weights, alpha)
    edge = torch.tensor([[0.0, 0.5, 1.0, 0.3, 1.0, 0.2]], dtype=torch.float64, requires_grad=True)
    pull = torch.tensor([[1.0, -2.0, 3.0, 5.0, 7.0, 1.0]], dtype=torch.float64)
    (found,) = torch.autograd.grad((section_weights(edge) * pull).sum(), edge)
    (expected,) = torch.autograd.grad((plain_section_weights(edge) * pull).sum(), edge)
    torch.testing.assert_close(found, expected)
    # By hand: T_3 (g_3 - a_4 g_4 - (1 - a_4) a_5 g_5), the light that reaches the opaque third.
    assert found[0, 2].item() == pytest.approx(0.5 * (3 - 0.3 * 5 - 0.7 * 7))


@pytest.mark.parametrize("anneal", [0.0, 0.3, 1.0])
def test_neus_gradients_match_finite_differences(anneal: float) -> None:
    generator = torch.Generator().manual_seed(0)
    f, slope = torch.randn(2, 4, 5, generator=generator, dtype=torch.float64)
    s = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    inputs = (0.3 * f.requires_grad_(), slope.requires_grad_(), s)
    length = torch.full((4, 5), 0.2, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda f, slope, s: neus_alpha(f, slope, length, s, anneal), inputs
    )


@pytest.mark.parametrize("anneal", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_compiled_opacity_equals_the_plain_one(anneal: float, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    f, slope, pull = torch.randn(3, 1100, 5, generator=generator, dtype=dtype)
    length = torch.rand(1100, 5, generator=generator, dtype=dtype) / 5
    length[::3, 2] = 0
    s = torch.tensor(40.0, dtype=dtype)
    inputs = [x.requires_grad_() for x in (f, slope, s)]
    ours = neus_alpha(f, slope, length, s, anneal)
    plain = plain_neus_alpha(f, slope, length, s, anneal)
    torch.testing.assert_close(ours, plain)
    assert not ours[length == 0].any()
    found = torch.autograd.grad((ours * pull).sum(), inputs)
    expected = torch.autograd.grad((plain * pull).sum(), inputs)
    atol = 1e-4 if dtype == torch.float32 else 1e-10  # differences of values near 1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=atol)


def test_learned_lengths_have_gradients_too() -> None:
    f, slope, length = (x.clone().requires_grad_() for x in wall(6, -0.8))
    s = torch.tensor(9.0, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda *x: neus_alpha(*x, s), (f, slope, length))


def test_volsdf_gradients_match_finite_differences() -> None:
    f = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    length = torch.full((4, 5), 0.2, dtype=torch.float64)
    beta = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    inputs = (f.requires_grad_(), beta)
    assert torch.autograd.gradcheck(lambda f, beta: volsdf_alpha(f, length, beta), inputs)


def test_sharpness_is_learned_capped_and_scheduled() -> None:
    assert NeusOpacity(0.3).sharpness == pytest.approx(math.exp(3))
    capped = NeusOpacity(0.9, sharpest=2000)
    assert capped.sharpness == 2000
    assert VolsdfOpacity(-0.1).sharpness == pytest.approx(1 / 0.1001)
    scheduled = ScheduledNeusOpacity(10, 1000, anneal_over=0.2)
    assert (scheduled.sharpness, scheduled.anneal) == (1000, 1)
    found = []
    for done in (0.0, 0.1, 0.5, 1.0):
        scheduled.set_progress(done)
        found.append((round(scheduled.sharpness, 2), scheduled.anneal))
    assert found == [(10, 0), (15.85, 0.5), (100, 1), (1000, 1)]
    wide = ScheduledVolsdfOpacity(0.1, 0.001)
    widths = []
    for done in (0.0, 0.5, 1.0):
        wide.set_progress(done)
        widths.append(wide.beta.item())
    assert widths == pytest.approx([0.1, 0.1 / (1 + 99 * 0.5**0.8), 0.001])


def test_scheduled_opacities_are_those_of_their_sharpness() -> None:
    f, slope, length = wall(20, -0.9)
    neus = NeusOpacity(0.5).double().alpha(f, slope, length)
    torch.testing.assert_close(ScheduledNeusOpacity(1, math.exp(5)).alpha(f, slope, length), neus)
    volsdf = VolsdfOpacity(0.0199).double().alpha(f, slope, length)
    torch.testing.assert_close(ScheduledVolsdfOpacity(0.1, 0.02).alpha(f, slope, length), volsdf)


def test_arguments_out_of_range() -> None:
    with pytest.raises(InputError, match="`sharpest`"):
        NeusOpacity(sharpest=0)
    with pytest.raises(InputError, match="`anneal_over`"):
        NeusOpacity(anneal_over=2)
    with pytest.raises(InputError, match="`first` and `last`"):
        ScheduledNeusOpacity(0, 10)
    with pytest.raises(InputError, match="`first` and `last`"):
        ScheduledVolsdfOpacity(0.1, -1)
