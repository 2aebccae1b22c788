"""The surface in a hash grid: how it starts, and what it is told."""

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.inr._protocols import Staged
from passband.inr.encodings import HashGrid
from passband.recon.rendering import Surface
from passband.recon.surfaces import ColorNetwork, GridSurface, fibonacci_sphere


def surface(*, degree: int | None = None, seed: int = 0, **changes: float) -> GridSurface:
    draws = torch.Generator().manual_seed(seed)
    grid = HashGrid(
        3, n_levels=8, log2_hashmap_size=10, finest_resolution=128, coarse_to_fine=0.3,
        generator=draws,
    )  # fmt: skip
    return GridSurface(
        grid, ColorNetwork(15, degree=degree, generator=draws), generator=draws, **changes
    )


def points(count: int = 2000) -> Tensor:
    return 2 * torch.rand(count, 3, generator=torch.Generator().manual_seed(9)) - 1


@pytest.mark.parametrize("radius", [0.5, 0.8])
def test_starts_as_a_sphere(radius: float) -> None:
    found = surface(radius=radius).geometry(points())
    truth = points().norm(dim=1) - radius
    near = truth.abs() < 0.15
    assert (found.distance - truth)[near].abs().max() < 0.01
    assert (found.gradient.norm(dim=1) - 1)[near].abs().max() < 0.05
    outward = torch.nn.functional.normalize(points(), dim=1)
    assert (found.gradient * outward).sum(1)[near].min() > 0.95


def test_protocols() -> None:
    assert isinstance(surface(), Surface)
    assert isinstance(surface(), Staged)


def test_only_the_first_level_is_open_at_the_start() -> None:
    shape = surface()
    with torch.no_grad():
        shape.hidden[:, 3:] = 1.0
    shape.set_progress(0.0)
    found = shape.geometry(points())
    (found.distance.sum() + found.gradient.square().sum()).backward()
    first = shape.encoding.layout.levels[0].entries
    assert shape.encoding.table.grad[:first].any()
    assert not shape.encoding.table.grad[first:].any()
    assert not shape.hidden.grad[:, 5:].any()


def test_the_same_seed_gives_the_same_surface() -> None:
    first, again, other = (surface(seed=seed) for seed in (3, 3, 4))
    same, different = ([*s.parameters()] for s in (again, other))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), same, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), different, strict=True))


@pytest.mark.parametrize("degree", [None, 3])
def test_colors(degree: int | None) -> None:
    shape = surface(degree=degree)
    x, features = points(50), torch.randn(50, 15)
    normal = torch.nn.functional.normalize(points(50), dim=1)
    front = shape.color(x, normal, normal, features)
    back = shape.color(x, normal, -normal, features)
    assert ((front >= 0) & (front <= 1)).all()
    assert torch.equal(front, back) == (degree is None)


def test_learns_another_sphere() -> None:
    """All parts together: a few steps of Adam on distances and unit gradients."""
    shape = surface()
    center = torch.tensor([0.2, -0.1, 0.1])
    adam = torch.optim.Adam(shape.parameters(), 5e-3)
    draws = torch.Generator().manual_seed(0)
    for step in range(100):
        shape.set_progress(step / 100)
        x = 2 * torch.rand(1024, 3, generator=draws) - 1
        truth = (x - center).norm(dim=1) - 0.4
        found = shape.geometry(x)
        loss = (found.distance - truth).abs().mean()
        loss = loss + 0.1 * (found.gradient.norm(dim=1) - 1).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        truth = (points() - center).norm(dim=1) - 0.4
        assert (shape.distance(points()) - truth).abs().mean() < 0.01


def test_directions_are_spread_evenly() -> None:
    found = fibonacci_sphere(64)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(64))
    nearest = (found @ found.T - 2 * torch.eye(64)).max(dim=1).values.arccos()
    assert nearest.max() / nearest.min() < 1.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_features": 3}, r"`hidden_features` \(=3\) must be an integer of at least 4"),
        ({"softness": 0.0}, r"`softness` \(=0.0\) must be a positive number"),
        ({"radius": -1.0}, r"`radius` \(=-1.0\) must be a positive number"),
    ],
)
def test_bad_input(changes: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        surface(**changes)


def test_a_grid_of_pictures_is_refused() -> None:
    grid = HashGrid(2, n_levels=2, log2_hashmap_size=8, finest_resolution=32)
    with pytest.raises(InputError, match=r"`encoding` has 2 coordinates; a surface has 3"):
        GridSurface(grid, ColorNetwork(3))
    with pytest.raises(InputError, match=r"`degree` \(=9\) must be an integer from 1 to 8"):
        ColorNetwork(3, degree=9)
