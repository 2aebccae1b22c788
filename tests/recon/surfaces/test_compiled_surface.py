"""The compiled surface against the general one in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor

from passband.inr.encodings import HashGrid
from passband.recon.surfaces import ColorNetwork, GridSurface

pytest.importorskip("numba")

from passband.recon.surfaces import _cpu_shape
from passband.recon.surfaces._cpu_products import add_products, multiply


def surface(**changes: object) -> GridSurface:
    """A grid of dense and hashed levels that has an effect; 10 units, which are no fours."""
    draws = torch.Generator().manual_seed(0)
    settings = {
        "n_levels": 6,
        "log2_hashmap_size": 10,
        "base_resolution": 4,
        "finest_resolution": 40,
        "coarse_to_fine": 0.5,
        "init_scale": 0.1,
    }
    grid = HashGrid(3, **{**settings, **changes}, generator=draws)
    found = GridSurface(grid, ColorNetwork(5, generator=draws), hidden_features=10, generator=draws)
    with torch.no_grad():
        found.hidden[:, 3:] = torch.randn(10, grid.out_features, generator=draws) / 3
    return found


def points(count: int) -> Tensor:
    return 2 * torch.rand(count, 3, generator=torch.Generator().manual_seed(count)) - 1


def results(of: GridSurface, x: Tensor) -> list[Tensor]:
    """Values and gradients of everything trained, for one draw of weights."""
    draws = torch.Generator().manual_seed(1)
    found = of.geometry(x)
    values = [found.distance, found.gradient, found.features]
    loss = sum((v * torch.randn(v.shape, generator=draws).to(v.dtype)).sum() for v in values)
    trained = [of.encoding.table, of.hidden, of.hidden_bias, of.output, of.output_bias]
    return [v.detach() for v in values] + list(torch.autograd.grad(loss, trained))


def assert_near(ours: list[Tensor], theirs: list[Tensor]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        scale = float(b.abs().max())
        torch.testing.assert_close(a.double(), b, atol=1e-5 * scale, rtol=0)


@pytest.mark.parametrize("count", [1, 255, 256, 2049, 5000])
def test_values_and_gradients_at_any_number_of_points(count: int) -> None:
    ours = results(surface(), points(count))
    assert_near(ours, results(surface(backend="reference").double(), points(count).double()))


@pytest.mark.parametrize("done", [0.0, 0.07, 0.3, 1.0])
def test_levels_that_are_not_open(done: float) -> None:
    fast, slow = surface(), surface(backend="reference").double()
    for shape in (fast, slow):
        shape.set_progress(done)
    assert_near(results(fast, points(300)), results(slow, points(300).double()))


@pytest.mark.parametrize("interpolation", ["smoothstep", "nearest"])
def test_other_interpolations(interpolation: str) -> None:
    fast = surface(interpolation=interpolation)
    slow = surface(interpolation=interpolation, backend="reference").double()
    assert_near(results(fast, points(300)), results(slow, points(300).double()))


def test_points_outside_the_cube() -> None:
    slow = surface(backend="reference").double()
    assert_near(results(surface(), 3 * points(300)), results(slow, 3 * points(300).double()))


def test_distances_alone() -> None:
    fast, slow = surface(), surface(backend="reference").double()
    with torch.no_grad():
        found = fast.distance(points(3001))
    torch.testing.assert_close(
        found.double(), slow.distance(points(3001).double()).detach(), atol=1e-6, rtol=1e-6
    )
    torch.testing.assert_close(found, fast.distance(points(3001)).detach())


def test_the_same_on_one_thread_and_on_two() -> None:
    before = torch.get_num_threads()
    found = []
    for threads in (1, 2, 2):
        torch.set_num_threads(threads)
        found.append(results(surface(), points(5000)))
    torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_results_held_by_the_caller_stay_as_they_are() -> None:
    shape = surface()
    first = shape.geometry(points(5000))
    before = [v.clone() for v in (first.distance, first.gradient, first.features)]
    shape.geometry(-points(5000))
    after = (first.distance, first.gradient, first.features)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    # What was kept for the way back is not shared either.
    loss = first.distance.sum() + first.gradient.square().sum()
    found = torch.autograd.grad(loss, shape.hidden)[0]
    again = shape.geometry(points(5000))
    loss = again.distance.sum() + again.gradient.square().sum()
    assert torch.equal(found, torch.autograd.grad(loss, shape.hidden)[0])


def test_it_is_the_compiled_way_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: object) -> None:
        raise RuntimeError("compiled")

    monkeypatch.setattr(_cpu_shape, "geometry", called)
    with pytest.raises(RuntimeError, match="compiled"):
        surface().geometry(points(5))
    for general in (surface(backend="reference"), surface(n_features_per_level=4)):
        general.geometry(points(5))
    surface().geometry(points(5).requires_grad_())
    surface().geometry(points(0))


@pytest.mark.parametrize(("rows", "depth", "columns"), [(4, 1, 2), (64, 36, 36), (8, 7, 10)])
def test_products_of_tiles(rows: int, depth: int, columns: int) -> None:
    draws = np.random.default_rng(0)
    weight = draws.standard_normal((rows, depth)).astype(np.float32)
    tile = draws.standard_normal((depth, 80)).astype(np.float32)
    out = np.full((rows, 96), np.nan, np.float32)
    multiply(weight, tile, out, rows, depth, 64)
    np.testing.assert_allclose(out[:, :64], weight @ tile[:, :64], atol=1e-5)
    assert np.isnan(out[:, 64:]).all()

    other = draws.standard_normal((columns, 80)).astype(np.float32)
    total = np.ones((rows, columns), np.float32)
    out = draws.standard_normal((rows, 96)).astype(np.float32)
    add_products(out, other, total, rows, columns, 64)
    np.testing.assert_allclose(total, 1 + out[:, :64] @ other[:, :64].T, atol=1e-4)
