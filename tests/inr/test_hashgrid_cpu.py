"""The compiled hash grid, against the reference; and how a backend is chosen."""

import subprocess
import sys
import threading
from itertools import pairwise

import pytest
import torch

from passband.errors import InputError, MissingDependencyError
from passband.inr.kernels import hashgrid
from passband.inr.kernels.hashgrid import HashGridLayout, hashgrid_encode

# Values are of order one, sums of 2^d rounded products; gradients are compared with their largest.
ATOL = 1e-6
SIGNS = torch.randn(300, generator=torch.Generator().manual_seed(2))


def grid(d: int, features: int = 2) -> HashGridLayout:
    return HashGridLayout.build(
        d,
        n_levels=8,
        n_features_per_level=features,
        log2_hashmap_size=9,
        base_resolution=4,
        finest_resolution=150,
    )


def inputs(layout: HashGridLayout, *batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(sum(batch))
    x01 = torch.rand(*batch, layout.in_features, generator=generator)
    shape = (layout.total_entries, layout.n_features_per_level)
    table = 2 * torch.rand(shape, generator=generator) - 1
    return x01.requires_grad_(), table.requires_grad_()


def relative(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-9)).item()


@pytest.mark.parametrize("count", [1, 63, 1000, 4500])
@pytest.mark.parametrize("features", [1, 2, 3, 4])
@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_values_and_gradients_match_the_reference(d: int, features: int, count: int) -> None:
    layout = grid(d, features)
    x01, table = inputs(layout, count)
    ours = hashgrid_encode(x01, table, layout, backend="cpu")
    theirs = hashgrid_encode(x01, table, layout, backend="reference")
    torch.testing.assert_close(ours, theirs, atol=ATOL, rtol=0)
    grad = torch.randn(ours.shape, generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad(ours, (x01, table), grad)
    wanted = torch.autograd.grad(theirs, (x01, table), grad)
    # Sums over up to 4500 points in float32, each in its own order.
    assert relative(found[0], wanted[0]) < 2e-6
    assert relative(found[1], wanted[1]) < 1e-5


@pytest.mark.parametrize("interpolation", ["linear", "smoothstep", "nearest"])
@pytest.mark.parametrize("grid_type", ["hash", "tiled", "dense"])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_types_of_grid_and_interpolation(d: int, grid_type: str, interpolation: str) -> None:
    layout = HashGridLayout.build(
        d,
        n_levels=3,
        log2_hashmap_size=8,
        base_resolution=2,
        per_level_scale=1.7,
        grid_type=grid_type,
        interpolation=interpolation,
    )
    x01, table = inputs(layout, 300)
    weights = torch.linspace(-1, 1, layout.out_features)
    found = []
    for backend in ("cpu", "reference"):
        encoded = hashgrid_encode(x01, table, layout, backend=backend)
        found.append((encoded, *torch.autograd.grad(encoded @ weights, (x01, table), SIGNS)))
    torch.testing.assert_close(found[0][0], found[1][0], atol=ATOL, rtol=0)
    for ours, theirs in zip(*found, strict=True):
        assert relative(ours, theirs) < 1e-5


def test_gradients_add_up_over_several_chunks() -> None:
    layout = grid(2)
    x01, table = inputs(layout, 150_000)
    grad = torch.ones(150_000, layout.out_features)
    (found,) = torch.autograd.grad(hashgrid_encode(x01, table, layout, backend="cpu"), table, grad)
    # The weights of a point's corners add up to one in each level and feature.
    expected = torch.full((8,), 2 * 150_000.0, dtype=torch.float64)
    edges = [level.offset for level in layout.levels] + [layout.total_entries]
    sums = [found[a:b].double().sum() for a, b in pairwise(edges)]
    torch.testing.assert_close(torch.stack(sums), expected, rtol=1e-5, atol=0)


def test_only_the_gradients_asked_for_are_computed() -> None:
    layout = grid(3)
    x01, table = inputs(layout, 10)
    hashgrid_encode(x01.detach(), table, layout, backend="cpu").sum().backward()
    assert table.grad.abs().sum() > 0
    assert x01.grad is None
    hashgrid_encode(x01, table.detach(), layout, backend="cpu").sum().backward()
    assert x01.grad.abs().sum() > 0


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_bitwise_the_same_again_and_with_any_number_of_threads(threads: int) -> None:
    layout = grid(3)
    x01, table = inputs(layout, 20_000)

    def once() -> tuple[torch.Tensor, ...]:
        encoded = hashgrid_encode(x01, table, layout, backend="cpu")
        return encoded, *torch.autograd.grad(encoded.square().sum(), (x01, table))

    before = torch.get_num_threads()
    first = once()
    try:
        torch.set_num_threads(threads)
        again = once()
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_batch_dimensions_and_strides() -> None:
    layout = grid(2)
    x01, table = inputs(layout, 6, 5)
    flat = hashgrid_encode(x01.reshape(-1, 2), table, layout, backend="cpu")
    batched = hashgrid_encode(x01, table, layout, backend="cpu")
    torch.testing.assert_close(batched, flat.reshape(6, 5, -1), atol=ATOL, rtol=0)
    strided = x01.transpose(0, 1)
    wide = torch.stack((table, table), dim=-1)[..., 0]
    assert not wide.is_contiguous()
    other = hashgrid_encode(strided, wide, layout, backend="cpu")
    torch.testing.assert_close(other, batched.transpose(0, 1), atol=ATOL, rtol=0)
    expanded = torch.ones(()).expand(5, 6, layout.out_features)
    (found,) = torch.autograd.grad(other, table, expanded)
    (wanted,) = torch.autograd.grad(batched, table, torch.ones_like(batched))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert hashgrid_encode(x01[0, 0], table, layout).shape == (layout.out_features,)


@pytest.mark.parametrize("backend", ["auto", "cpu", "reference"])
def test_no_points(backend: str) -> None:
    layout = grid(2)
    _, table = inputs(layout, 1)
    encoded = hashgrid_encode(torch.zeros(0, 3, 2), table, layout, backend=backend)
    assert encoded.shape == (0, 3, layout.out_features)
    encoded.sum().backward()
    assert torch.equal(table.grad, torch.zeros_like(table))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e30, 1e9])
def test_wild_coordinates_read_nothing_outside_the_table(value: float) -> None:
    layout = grid(3)
    _, table = inputs(layout, 1)
    x01 = torch.full((300, 3), value)
    encoded = hashgrid_encode(x01, table.detach().clamp(-1, 1), layout, backend="cpu")
    (found,) = torch.autograd.grad(hashgrid_encode(x01, table, layout, backend="cpu").sum(), table)
    assert encoded.shape == (300, layout.out_features)
    assert found.shape == table.shape


def test_callers_on_several_threads() -> None:
    layout = grid(3)
    x01, table = inputs(layout, 9000)
    wanted = hashgrid_encode(x01, table, layout, backend="cpu")
    found: list[torch.Tensor] = []

    def call() -> None:
        found.extend(hashgrid_encode(x01, table, layout, backend="cpu") for _ in range(5))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert all(torch.equal(wanted, other) for other in found)


def test_auto_is_the_compiled_one_in_float32_and_the_reference_in_float64() -> None:
    layout = grid(2)
    x01, table = inputs(layout, 10)
    assert type(hashgrid_encode(x01, table, layout).grad_fn.next_functions[0][0]).__name__ == (
        type(
            hashgrid_encode(x01, table, layout, backend="cpu").grad_fn.next_functions[0][0]
        ).__name__
    )
    wide = hashgrid_encode(x01.double(), table.double(), layout)
    assert wide.dtype == torch.float64
    narrow = hashgrid_encode(x01, table, layout)
    # float32 positions: a fraction of up to 150 cells is off by up to 2^-17.
    torch.testing.assert_close(narrow.double(), wide, atol=1e-4, rtol=0)


def test_backends_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = grid(2)
    x01, table = inputs(layout, 4)
    with pytest.raises(
        InputError, match=r"needs float32 tensors on the processor; got torch.float64"
    ):
        hashgrid_encode(x01.double(), table.double(), layout, backend="cpu")
    with pytest.raises(InputError, match="on meta"):
        hashgrid_encode(x01.to("meta"), table.to("meta"), layout, backend="cpu")
    monkeypatch.setattr(hashgrid, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install numba"):
        hashgrid_encode(x01, table, layout, backend="cpu")
    assert torch.isfinite(hashgrid_encode(x01, table, layout)).all()


def test_unknown_backend() -> None:
    with pytest.raises(
        InputError, match=r"`backend` \(='gpu'\) must be one of auto, reference, cpu"
    ):
        hashgrid._implementation("gpu", torch.zeros(1, 2))


def test_importing_does_not_load_numba() -> None:
    code = "import sys, passband.inr; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_starts_threads_of_its_own() -> None:
    code = """
import os, torch
from passband.inr.encodings import HashGrid
torch.set_num_threads(2)
grid, x = HashGrid(2, n_levels=4, finest_resolution=64), torch.zeros(9000, 2)
grid(x)
child = os.fork()
if child == 0:
    grid(x)
    os._exit(0)
raise SystemExit(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, timeout=60)
    assert done.returncode == 0
