"""Surfaces of any network: starts, derivatives, walls."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings import TriPlane
from passband.recon.rendering import Surface, numerical_gradient_4, numerical_gradient_6
from passband.recon.surfaces import (
    AnalyticNormals,
    BoundedSurface,
    ColorNetwork,
    EncodedSurface,
    FootprintTriPlane,
    GeometricMLP,
    SphereResidual,
    TapNormals,
)


def points(count: int = 500) -> Tensor:
    return 2 * torch.rand(count, 3, generator=torch.Generator().manual_seed(9)) - 1


def mlp(features: int = 4, **changes: Any) -> GeometricMLP:
    settings: dict[str, Any] = {"hidden_features": 128, "hidden_layers": 2, "skip": None}
    draws = torch.Generator().manual_seed(0)
    return GeometricMLP(3, 1 + features, **{**settings, **changes}, generator=draws)


class Bowl(nn.Module):
    """``|A x|^2`` and a feature: gradient and Laplacian in closed form."""

    matrix = torch.tensor([[1.0, 0.5, 0.0], [0.0, 2.0, 0.3], [0.2, 0.0, 1.0]]).double()

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack(((x @ self.matrix.T).square().sum(1), x[:, 0]), dim=1)


@pytest.mark.parametrize(
    ("normals", "tolerance"),
    [
        (AnalyticNormals(), 1e-12),
        (TapNormals(numerical_gradient_6, [16, 256]), 1e-9),
        (TapNormals(numerical_gradient_4, [16, 4096]), 1e-2),
    ],
)
def test_derivatives_of_a_quadratic(normals: Any, tolerance: float) -> None:
    x, matrix = points().double(), Bowl.matrix
    surface = EncodedSurface(Bowl(), ColorNetwork(1), normals=normals)
    for trained in (True, False):
        with torch.set_grad_enabled(trained):
            found = surface.geometry(x)
        torch.testing.assert_close(
            found.gradient.detach(), 2 * x @ matrix.T @ matrix, atol=tolerance, rtol=0
        )
        torch.testing.assert_close(found.distance, (x @ matrix.T).square().sum(1))
        if found.laplacian is not None:
            truth = (2 * matrix.square().sum()).expand(len(x))
            torch.testing.assert_close(found.laplacian.detach(), truth, atol=1e-6, rtol=0)


@pytest.mark.parametrize("skip", [None, 1])
def test_geometric_start_is_about_a_sphere(skip: int | None) -> None:
    network = mlp(hidden_features=256, hidden_layers=2, skip=skip)
    truth = points().norm(dim=1) - 0.5
    assert (network(points())[:, 0] - truth).abs().mean() < 0.09
    # And inside of what counts, the sphere's radius is right on average.
    ring = 0.5 * torch.nn.functional.normalize(points(), dim=1)
    assert network(ring)[:, 0].mean().abs() < 0.08


def test_features_behind_the_coordinates_start_without_effect() -> None:
    draws = torch.Generator().manual_seed(0)
    network = GeometricMLP(9, 2, hidden_features=64, hidden_layers=3, skip=2, generator=draws)
    x, noise = points(), torch.randn(500, 6)
    start = network(torch.cat((x, torch.zeros(500, 6)), dim=1))
    assert torch.equal(network(torch.cat((x, noise), dim=1)), start)


def test_gradients_reach_every_weight_through_the_normals() -> None:
    surface = EncodedSurface(mlp(), ColorNetwork(4))
    (surface.geometry(points()).gradient.norm(dim=1) - 1).square().mean().backward()
    weights = [p for n, p in surface.network.named_parameters() if "original" in n]
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in weights)


def test_without_gradients_nothing_is_kept() -> None:
    with torch.no_grad():
        found = EncodedSurface(mlp(), ColorNetwork(4)).geometry(points())
    values = (found.distance, found.gradient, found.features)
    assert not any(value.requires_grad for value in values)


def test_residual_is_a_sphere_until_the_gain_moves() -> None:
    network = SphereResidual(nn.Linear(3, 4), radius=0.7)
    surface = EncodedSurface(network, ColorNetwork(3))
    x = torch.cat((points(), torch.zeros(1, 3)))
    found = surface.geometry(x)
    torch.testing.assert_close(found.distance, x.norm(dim=1) - 0.7, atol=1e-5, rtol=0)
    assert found.gradient.isfinite().all()
    found.distance.sum().backward()
    assert network.gain.grad.abs() > 0


def test_taps_shrink_while_levels_open() -> None:
    normals = TapNormals(numerical_gradient_4, [16, 64, 256], coarse_to_fine=0.4)
    surface = EncodedSurface(mlp(), ColorNetwork(4), normals=normals)
    steps = []
    for done in (0.0, 0.2, 0.4, 1.0):
        surface.set_progress(done)
        steps.append(normals.step)
    assert steps == pytest.approx([2 / 16, 2 / 64, 2 / 256, 2 / 256])


def test_wall_of_the_bounding_sphere() -> None:
    inner = EncodedSurface(mlp(), ColorNetwork(4), normals=TapNormals(numerical_gradient_6, [64]))
    surface = BoundedSurface(inner, radius=1.0, scale=20.0)
    assert isinstance(surface, Surface)
    x = points() * torch.linspace(0.5, 1.5, 500)[:, None]
    found, free = surface.geometry(x), inner.geometry(x)
    norm = x.norm(dim=1)
    wall = 20 * (1 - norm)
    torch.testing.assert_close(found.distance, torch.minimum(free.distance, wall))
    torch.testing.assert_close(found.distance, surface.distance(x))
    beyond = free.distance > wall
    assert 50 < int(beyond.sum()) < 450
    torch.testing.assert_close(found.gradient[~beyond], free.gradient[~beyond])
    torch.testing.assert_close(found.gradient[beyond], (-20 * x / norm[:, None])[beyond])
    torch.testing.assert_close(found.laplacian[beyond], (-40 / norm)[beyond])


def test_footprint_is_the_frustum_of_a_cube() -> None:
    draws = torch.Generator().manual_seed(0)
    planes = TriPlane(
        3, n_levels=2, base_resolution=8, finest_resolution=32, init_scale=1.0, generator=draws
    )
    x = points(20)
    found = FootprintTriPlane(planes, radius=0.05)(x)
    # All vertices are equally far: the mean over them.
    corners = torch.cartesian_prod(*[torch.tensor([-0.05, 0.05])] * 3)
    mean = planes(x[:, None] + corners).mean(dim=1)
    torch.testing.assert_close(found, mean, atol=1e-5, rtol=1e-5)
    small = FootprintTriPlane(planes, radius=1e-6)(x)
    torch.testing.assert_close(small, planes(x), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mlp(skip=3), r"`skip` \(=3\) must be a layer from 1 to 2"),
        (lambda: mlp(radius=0.0), r"`radius` \(=0.0\) must be a positive"),
        (lambda: GeometricMLP(2, 1), r"`in_features` \(=2\) must be an integer of at least 3"),
        (lambda: TapNormals(numerical_gradient_4, []), r"`resolutions` is empty"),
        (
            lambda: TapNormals(numerical_gradient_4, [8], coarse_to_fine=2.0),
            r"`coarse_to_fine` \(=2.0\) must be a fraction",
        ),
        (lambda: SphereResidual(nn.Identity(), radius=math.nan), r"`radius` \(=nan\) must be"),
        (
            lambda: BoundedSurface(EncodedSurface(mlp(), ColorNetwork(4)), scale=0.0),
            r"`scale` \(=0.0\) must be",
        ),
        (lambda: FootprintTriPlane(TriPlane(3), radius=0.0), r"`radius` \(=0.0\) must be"),
    ],
)
def test_bad_input(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
