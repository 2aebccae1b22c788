"""What lies behind: constants, and a field outside the unit sphere."""

import math

import pytest
import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.recon.cameras import Rays
from passband.recon.rendering import InvertedSphere, LearnedBackground, PlainBackground


class Recorded(nn.Module):
    """Raw density and colour in closed form, and what was asked."""

    def __init__(self, density: float) -> None:
        super().__init__()
        self.density, self.asked = density, torch.zeros(0, 7)

    def forward(self, inputs: Tensor) -> Tensor:
        self.asked = inputs
        return torch.cat((torch.full_like(inputs[:, :1], self.density), 4 * inputs[:, :3]), -1)


def test_the_learned_color_learns_from_any_start(rays: Rays) -> None:
    background = LearnedBackground((1.0, 0.0, 0.25))
    start = background(rays)
    torch.testing.assert_close(
        start,
        torch.tensor([0.99, 0.01, 0.25], dtype=torch.float64).expand(40, 3),
        atol=1e-6,
        rtol=0,
    )
    optimizer = torch.optim.Adam(background.parameters(), 0.1)
    for _ in range(300):
        optimizer.zero_grad()
        (background(rays) - torch.tensor([0.2, 0.5, 0.9])).square().mean().backward()
        optimizer.step()
    expected = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64).expand(40, 3)
    torch.testing.assert_close(background(rays), expected, atol=1e-2, rtol=0)


def test_points_outside_are_on_the_ray_and_evenly_spread_in_inverse_radius(rays: Rays) -> None:
    field = Recorded(0.0)
    InvertedSphere(field, samples=8)(rays)
    asked = field.asked.view(40, 8, 7)
    inverse = asked[0, :, 3]
    torch.testing.assert_close(inverse.float(), 1 - (torch.arange(8) + 0.5) / 8)
    torch.testing.assert_close(asked[..., :3].norm(dim=-1), torch.ones(40, 8).double())
    points = asked[..., :3] / inverse[:, None]
    along = ((points - rays.origins[:, None]) * rays.directions[:, None]).sum(-1)
    torch.testing.assert_close(points, rays.at(along))
    assert (along.diff(dim=-1) > 0).all()
    assert (along > 2).all()  # behind the sphere, the cameras are 3 away
    assert torch.equal(asked[:, 3, 4:], rays.directions)


@pytest.mark.parametrize("density", [-2.0, 3.0])
def test_the_field_outside_matches_a_plain_loop(rays: Rays, density: float) -> None:
    field = Recorded(density)
    found = InvertedSphere(field, samples=8)(rays)
    alpha = 1 - math.exp(-math.log1p(math.exp(density)) / 8)
    for row, asked in zip(found.tolist(), field.asked.view(40, 8, 7).tolist(), strict=True):
        expected, passing = [0.0] * 3, 1.0
        for point in asked:
            for k in range(3):
                expected[k] += passing * alpha / (1 + math.exp(-4 * point[k]))
            passing *= 1 - alpha
        assert row == pytest.approx(expected, abs=1e-12)


def test_the_field_outside_has_gradients(rays: Rays) -> None:
    few = Rays(rays.origins[:3], rays.directions[:3])
    field = nn.Linear(7, 4).double()
    background = InvertedSphere(field, samples=4)
    assert torch.autograd.gradcheck(lambda *_: background(few), list(field.parameters()))


def test_rays_that_miss_the_sphere_and_no_rays() -> None:
    background = InvertedSphere(nn.Linear(7, 4))
    rays = Rays(torch.tensor([[0.0, 2.0, -3.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
    found = background(rays)
    assert found.isfinite().all()
    assert background(Rays(torch.zeros(0, 3), torch.zeros(0, 3))).shape == (0, 3)


def test_arguments_out_of_range() -> None:
    with pytest.raises(InputError, match="`color`"):
        PlainBackground((255.0, 0.0, 0.0))
    with pytest.raises(InputError, match="`color`"):
        LearnedBackground((0.0, 0.0, math.nan))
    with pytest.raises(InputError, match="`samples`"):
        InvertedSphere(nn.Linear(7, 4), samples=0)
