"""The definition of the hash grid, against a loop over single vertices in plain Python."""

import itertools
import math

import numpy as np
import pytest
import torch

from passband.errors import InputError
from passband.inr.kernels.hashgrid import (
    HashGridLayout,
    _layout,
    hashgrid_encode,
    hashgrid_encode_with_jacobian,
)

MOD = 2**32
PRIMES = [1, 2654435761, 805459861, 3674653429, 2097192037, 1434869437, 2165219737]

# in_features and what it is there for: dense only, hashed, growth that is no power of two, large
# steps, one level, a coarsest level of a single vertex, one and three features, other types of
# grid and of interpolation, more axes.
GRIDS = [
    (1, {"n_levels": 4, "log2_hashmap_size": 10, "base_resolution": 4, "per_level_scale": 2.0}),
    (1, {"n_levels": 6, "log2_hashmap_size": 4, "base_resolution": 3, "per_level_scale": 1.7}),
    (2, {"n_levels": 3, "log2_hashmap_size": 19, "base_resolution": 5, "per_level_scale": 1.5}),
    (2, {"n_levels": 7, "log2_hashmap_size": 8, "base_resolution": 4, "finest_resolution": 300}),
    (3, {"n_levels": 5, "log2_hashmap_size": 9, "base_resolution": 4, "per_level_scale": 1.38}),
    (3, {"n_levels": 2, "log2_hashmap_size": 14, "base_resolution": 8, "per_level_scale": 2.0}),
    (3, {"n_levels": 1, "base_resolution": 6, "finest_resolution": 6, "n_features_per_level": 1}),
    (4, {"n_levels": 4, "log2_hashmap_size": 7, "base_resolution": 1, "per_level_scale": 2.5}),
    (4, {"n_levels": 3, "log2_hashmap_size": 11, "base_resolution": 3, "finest_resolution": 9,
         "n_features_per_level": 3}),
    (2, {"n_levels": 4, "base_resolution": 3, "finest_resolution": 20, "grid_type": "dense"}),
    (2, {"n_levels": 4, "base_resolution": 5, "per_level_scale": 1.6, "grid_type": "tiled"}),
    (3, {"n_levels": 3, "base_resolution": 3, "per_level_scale": 2.0, "grid_type": "tiled"}),
    (1, {"n_levels": 3, "base_resolution": 4, "per_level_scale": 2.0,
         "interpolation": "smoothstep"}),
    (2, {"n_levels": 4, "log2_hashmap_size": 6, "base_resolution": 4, "per_level_scale": 1.7,
         "interpolation": "smoothstep"}),
    (3, {"n_levels": 4, "log2_hashmap_size": 7, "base_resolution": 3, "per_level_scale": 1.7,
         "interpolation": "smoothstep"}),
    (2, {"n_levels": 4, "log2_hashmap_size": 6, "base_resolution": 4, "per_level_scale": 1.7,
         "interpolation": "nearest"}),
    (3, {"n_levels": 3, "log2_hashmap_size": 6, "base_resolution": 4, "per_level_scale": 1.7,
         "interpolation": "nearest"}),
    (5, {"n_levels": 2, "log2_hashmap_size": 8, "base_resolution": 2, "per_level_scale": 2.0,
         "interpolation": "smoothstep"}),
    (7, {"n_levels": 2, "log2_hashmap_size": 9, "base_resolution": 2, "per_level_scale": 2.0}),
]  # fmt: skip


def loop_levels(d: int, grid: dict[str, float]) -> list[tuple[np.float32, int, int]]:
    """(scale, resolution, entries) of each level."""
    count, base = int(grid["n_levels"]), int(grid["base_resolution"])
    growth = grid.get("per_level_scale")
    if growth is None:
        finest = grid["finest_resolution"]
        growth = math.exp(math.log(finest / base) / (count - 1)) if count > 1 else 1.0
    log2_growth = np.float32(math.log2(np.float32(growth)))
    levels = []
    for level in range(count):
        power = np.float32(2.0 ** float(np.float32(level) * log2_growth))
        scale = power * np.float32(base) - np.float32(1)
        resolution = math.ceil(scale) + 1
        eights = (resolution**d + 7) // 8 * 8
        most = {"hash": 2 ** int(grid.get("log2_hashmap_size", 19)), "tiled": base**d}
        entries = min(eights, most.get(grid.get("grid_type", "hash"), eights))
        levels.append((scale, resolution, entries))
    return levels


def loop_weight(fraction: float, interpolation: str) -> float:
    if interpolation == "nearest":
        return 0.0
    return fraction if interpolation == "linear" else fraction**2 * (3 - 2 * fraction)


def loop_encode(x01: np.ndarray, table: np.ndarray, grid: dict[str, float]) -> np.ndarray:
    """Encode float32 points one by one, one vertex at a time, weights and sums in float64."""
    d, features = x01.shape[1], table.shape[1]
    levels = loop_levels(d, grid)
    out = np.zeros((len(x01), len(levels) * features))
    for n, point in enumerate(x01):
        offset = 0
        for level, (scale, resolution, entries) in enumerate(levels):
            position = [np.float32(float(scale) * float(c) + 0.5) for c in point]
            corner = [math.floor(p) for p in position]
            for bits in itertools.product((0, 1), repeat=d):
                weight, stride, dense, hashed = 1.0, 1, 0, 0
                for k in range(d):
                    part = float(position[k]) - corner[k]
                    part = loop_weight(part, grid.get("interpolation", "linear"))
                    weight *= part if bits[k] else 1 - part
                    vertex = (corner[k] + bits[k]) % MOD
                    dense = (dense + vertex * stride) % MOD
                    hashed ^= vertex * PRIMES[k] % MOD
                    stride *= resolution
                is_hashed = grid.get("grid_type", "hash") == "hash" and entries < stride
                row = offset + (hashed if is_hashed else dense) % entries
                columns = slice(level * features, (level + 1) * features)
                out[n, columns] += weight * table[row]
            offset += entries
    return out


def points(d: int) -> np.ndarray:
    """Random points, the corners of the cube, and points a little and far outside it."""
    rng = np.random.default_rng(d)
    corners = list(itertools.product((0.0, 1.0), repeat=d))
    inside = rng.random((40, d))
    outside = np.concatenate((rng.uniform(-0.2, 1.2, (10, d)), rng.uniform(-30, 30, (5, d))))
    return np.concatenate((corners, inside, outside)).astype(np.float32)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize(("d", "grid"), GRIDS)
def test_values_match_a_loop_over_vertices(d: int, grid: dict, backend: str) -> None:
    layout = HashGridLayout.build(d, **grid)
    x01 = points(d)
    rng = np.random.default_rng(0)
    table = rng.uniform(-1, 1, (layout.total_entries, layout.n_features_per_level))
    table = table.astype(np.float32)
    ours = hashgrid_encode(torch.from_numpy(x01), torch.from_numpy(table), layout, backend=backend)
    np.testing.assert_allclose(ours.numpy(), loop_encode(x01, table, grid), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("d", "grid"), GRIDS)
def test_layout_matches_a_loop_over_levels(d: int, grid: dict) -> None:
    layout = HashGridLayout.build(d, **grid)
    ours = [(np.float32(v.scale), v.resolution, v.entries) for v in layout.levels]
    theirs = loop_levels(d, grid)
    assert ours == theirs
    assert [v.offset for v in layout.levels] == [
        sum(entries for *_, entries in theirs[:n]) for n in range(len(theirs))
    ]
    counted = grid.get("grid_type", "hash") != "hash"
    assert [v.dense for v in layout.levels] == [counted or r**d <= n for _, r, n in theirs]


def test_layout_of_the_published_image_and_nerf_grids() -> None:
    # Levels of base 16 that double have exactly 16 * 2^l vertices per axis; 16 * 1.5^l - 1 rounded
    # up plus one by hand: 16, 24, 36, 54, 81, 122 (121.5), 183 (182.25).
    doubling = HashGridLayout.build(3, per_level_scale=2.0)
    assert [v.resolution for v in doubling.levels] == [16 * 2**n for n in range(16)]
    assert [v.entries for v in doubling.levels[:4]] == [4096, 32768, 262144, 524288]
    assert [v.dense for v in doubling.levels[:4]] == [True, True, True, False]
    slow = HashGridLayout.build(2, n_levels=7, log2_hashmap_size=15, per_level_scale=1.5)
    assert [v.resolution for v in slow.levels] == [16, 24, 36, 54, 81, 122, 183]
    assert [v.entries for v in slow.levels[3:]] == [2920, 6568, 14888, 32768]


@pytest.mark.parametrize("finest", [64, 100, 512, 2048])
def test_finest_level_has_the_resolution_asked_for(finest: int) -> None:
    layout = HashGridLayout.build(2, log2_hashmap_size=10, finest_resolution=finest)
    assert layout.levels[0].resolution == 16
    assert layout.levels[-1].resolution in (finest, finest + 1)


@pytest.mark.parametrize(("d", "grid"), GRIDS)
def test_reference_derivatives(d: int, grid: dict) -> None:
    layout = HashGridLayout.build(d, **{**grid, "log2_hashmap_size": 5, "n_levels": 1}
                                  if "per_level_scale" in grid else grid)  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    table = torch.rand(layout.total_entries, layout.n_features_per_level,
                       generator=generator, dtype=torch.float64)  # fmt: skip
    x01 = torch.rand(3, d, generator=generator, dtype=torch.float64)
    inputs = (x01.requires_grad_(), table.requires_grad_())

    def encode(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return hashgrid_encode(x, t, layout)

    assert torch.autograd.gradcheck(encode, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(encode, inputs, fast_mode=True)


@pytest.mark.parametrize(("d", "grid"), GRIDS)
def test_jacobian_of_the_reference(d: int, grid: dict) -> None:
    layout = HashGridLayout.build(d, **grid)
    generator = torch.Generator().manual_seed(0)
    table = torch.rand(layout.total_entries, layout.n_features_per_level,
                       generator=generator, dtype=torch.float64)  # fmt: skip
    x01 = torch.rand(3, d, generator=generator, dtype=torch.float64).requires_grad_()
    encoded, jacobian = hashgrid_encode_with_jacobian(x01, table, layout)
    wanted = hashgrid_encode(x01, table, layout)
    assert torch.equal(encoded, wanted)
    for column in range(layout.out_features):
        (slope,) = torch.autograd.grad(wanted[:, column].sum(), x01, retain_graph=True)
        torch.testing.assert_close(jacobian[:, column], slope, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(("d", "grid"), [case for case in GRIDS if case[0] in (1, 2, 3)])
def test_jacobian_of_the_reference_is_differentiable(d: int, grid: dict) -> None:
    layout = HashGridLayout.build(d, **{**grid, "log2_hashmap_size": 5})
    generator = torch.Generator().manual_seed(0)
    table = torch.rand(layout.total_entries, layout.n_features_per_level,
                       generator=generator, dtype=torch.float64)  # fmt: skip
    x01 = torch.rand(3, d, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x, t: hashgrid_encode_with_jacobian(x, t, layout),
        (x01.requires_grad_(), table.requires_grad_()),
        fast_mode=True,
    )


def test_features_are_continuous_across_cells() -> None:
    layout = HashGridLayout.build(2, n_levels=5, log2_hashmap_size=6, per_level_scale=1.6)
    table = torch.rand(layout.total_entries, 2, dtype=torch.float64)
    line = torch.linspace(0, 1, 20001, dtype=torch.float64)
    x01 = torch.stack((line, 0.3 + 0.4 * line), dim=-1)
    step = hashgrid_encode(x01, table, layout).diff(dim=0).abs().max()
    # Each coordinate can change a feature by at most one table step per cell.
    assert step <= 2 * layout.levels[-1].scale / 20000


def test_constant_table_gives_a_constant() -> None:
    layout = HashGridLayout.build(3, n_levels=4, log2_hashmap_size=8, per_level_scale=2.0)
    table = torch.full((layout.total_entries, 2), 0.75)
    encoded = hashgrid_encode(torch.rand(100, 3), table, layout)
    torch.testing.assert_close(encoded, torch.full_like(encoded, 0.75))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"per_level_scale": 2.0, "finest_resolution": 64}, "exactly one of `per_level_scale`"),
        ({}, "exactly one of `per_level_scale`"),
        ({"per_level_scale": 0.5}, r"`per_level_scale` \(=0.5\)"),
        ({"per_level_scale": math.nan}, r"`per_level_scale` \(=nan\)"),
        ({"finest_resolution": 8}, r"`finest_resolution` \(=8\)"),
        ({"n_levels": 1, "finest_resolution": 64}, "where `n_levels` is 1"),
        ({"n_levels": 0, "per_level_scale": 2.0}, r"`n_levels` \(=0\)"),
        ({"n_levels": 32, "per_level_scale": 2.0}, "level 21 of the grid"),
        ({"log2_hashmap_size": 2, "per_level_scale": 2.0}, r"`log2_hashmap_size` \(=2\)"),
        ({"log2_hashmap_size": True, "per_level_scale": 2.0}, r"`log2_hashmap_size` \(=True\)"),
        ({"base_resolution": 0, "per_level_scale": 2.0}, r"`base_resolution` \(=0\)"),
        ({"n_features_per_level": 0, "per_level_scale": 2.0}, r"`n_features_per_level` \(=0\)"),
        (
            {"log2_hashmap_size": 25, "n_levels": 3, "finest_resolution": 8000},
            r"33554432 entries; more than 2\^24 need `allow_large=True` \(--force on the command",
        ),
        (
            {"grid_type": "dense", "n_levels": 2, "finest_resolution": 8000},
            "Lower the resolution or allow it",
        ),
        (
            {"grid_type": "tiled", "n_levels": 2, "finest_resolution": 70_000},
            r"`grid_type` \(='tiled'\) counts them in 32 bits",
        ),
    ],
)
def test_layouts_that_cannot_be(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        HashGridLayout.build(2, **arguments)


def test_large_levels_on_demand() -> None:
    layout = HashGridLayout.build(
        2, log2_hashmap_size=25, n_levels=3, finest_resolution=8000, allow_large=True
    )
    assert layout.levels[-1].entries == 2**25


def test_eight_dimensions_are_refused() -> None:
    with pytest.raises(InputError, match=r"`in_features` \(=8\) must be an integer from 1 to 7"):
        HashGridLayout.build(8, per_level_scale=2.0)


def test_unknown_type_of_grid() -> None:
    with pytest.raises(
        InputError, match=r"`grid_type` \(='octree'\) must be one of hash, dense, tiled"
    ):
        _layout._check_choice("grid_type", "octree", _layout.GridType)


def test_tensors_that_do_not_fit_the_layout() -> None:
    layout = HashGridLayout.build(2, n_levels=2, log2_hashmap_size=5, per_level_scale=2.0)
    table = torch.zeros(layout.total_entries, 2)
    with pytest.raises(InputError, match="3 coordinates per point"):
        hashgrid_encode(torch.zeros(4, 3), table, layout)
    with pytest.raises(InputError, match=r"shape \(63, 2\)"):
        hashgrid_encode(torch.zeros(4, 2), table[1:], layout)
    with pytest.raises(InputError, match="same dtype and device"):
        hashgrid_encode(torch.zeros(4, 2, dtype=torch.float64), table, layout)
