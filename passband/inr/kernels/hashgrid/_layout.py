"""Where each level of a multi-resolution hash grid keeps its entries."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from passband.errors import InputError

# One prime per dimension (tiny-cuda-nn's "coherent" hash); the first is 1, so neighbours along the
# first coordinate share a cache line.
PRIMES = (1, 2654435761, 805459861, 3674653429, 2097192037, 1434869437, 2165219737)

# A float32 position has no fraction left from 2^24 cells on.
MAX_RESOLUTION = 2**24

# Rows of one level that are taken without being asked twice: 128 MiB of two features.
MAX_ENTRIES = 2**24

GridType = Literal["hash", "dense", "tiled"]
Interpolation = Literal["linear", "smoothstep", "nearest"]


@dataclass(frozen=True)
class HashGridLevel:
    """One level: a ``resolution**d`` lattice of vertices over ``entries`` rows of the table.

    Attributes:
        scale: cells per unit of the coordinate, a float32 value.
        resolution: vertices per axis, ``ceil(scale) + 1``.
        offset: first row of this level in the table.
        entries: rows of this level.
        dense: rows are counted along the lattice, modulo ``entries``, which only a tiled level has
            fewer of than vertices. Otherwise vertices are hashed and may share rows.
    """

    scale: float
    resolution: int
    offset: int
    entries: int
    dense: bool


@dataclass(frozen=True)
class HashGridLayout:
    """The levels of a grid, from coarse to fine, and where they lie in one table.

    Attributes:
        in_features: coordinates of a point.
        n_features_per_level: features of a row.
        levels: from coarse to fine.
        interpolation: weight of the upper vertex along an axis at the fraction f of a cell:
            ``linear`` f, ``smoothstep`` f^2 (3 - 2 f), ``nearest`` 0.

    Example:
        >>> layout = HashGridLayout.build(3, n_levels=4, log2_hashmap_size=14, per_level_scale=2.0)
        >>> [(level.resolution, level.entries, level.dense) for level in layout.levels]
        [(16, 4096, True), (32, 16384, False), (64, 16384, False), (128, 16384, False)]
        >>> layout.total_entries
        53248
    """

    in_features: int
    n_features_per_level: int
    levels: tuple[HashGridLevel, ...]
    interpolation: Interpolation = "linear"

    @property
    def total_entries(self) -> int:
        """Rows of the table, all levels together."""
        return self.levels[-1].offset + self.levels[-1].entries

    @property
    def out_features(self) -> int:
        """Features of an encoded point: levels times features per level."""
        return len(self.levels) * self.n_features_per_level

    @classmethod
    def build(
        cls,
        in_features: int,
        *,
        n_levels: int = 16,
        n_features_per_level: int = 2,
        log2_hashmap_size: int = 19,
        base_resolution: int = 16,
        per_level_scale: float | None = None,
        finest_resolution: int | None = None,
        grid_type: GridType = "hash",
        interpolation: Interpolation = "linear",
        allow_large: bool = False,
    ) -> "HashGridLayout":
        """Lay out tiny-cuda-nn's grid of type Hash, Dense or Tiled.

        Level l has ``scale = 2^(l log2 b) base - 1`` (float32), ``resolution = ceil(scale) + 1``
        and ``resolution^d`` entries, rounded up to a multiple of 8; but at most ``2^T`` in a
        ``hash`` grid, which hashes its vertices where that is too few, and at most ``base^d`` in a
        ``tiled`` one, which then repeats.

        Args:
            in_features: coordinates of a point, 1 to 7.
            n_levels: number of levels, at least 1.
            n_features_per_level: features in one row of the table, at least 1.
            log2_hashmap_size: T, 3 to 28; only a ``hash`` grid has use for it.
            base_resolution: vertices per axis at the coarsest level, at least 1.
            per_level_scale: growth b from level to level, at least 1.
            finest_resolution: vertices per axis at the finest level. One of the two is given.
            grid_type: ``hash``, ``dense`` or ``tiled``.
            interpolation: see the attribute.
            allow_large: take levels of more than 2^24 entries.

        Raises:
            InputError: a value out of range, not exactly one of the two that give the growth, or
                vertices that 32 bits cannot count.
        """
        _check_range("in_features", in_features, 1, len(PRIMES))
        _check_range("n_levels", n_levels, 1, 128)
        _check_range("n_features_per_level", n_features_per_level, 1, 64)
        _check_range("log2_hashmap_size", log2_hashmap_size, 3, 28)
        _check_range("base_resolution", base_resolution, 1, MAX_RESOLUTION)
        _check_choice("grid_type", grid_type, GridType)
        _check_choice("interpolation", interpolation, Interpolation)
        growth = _growth(n_levels, base_resolution, per_level_scale, finest_resolution)
        most = {"hash": 2**log2_hashmap_size, "tiled": base_resolution**in_features}.get(grid_type)
        levels: list[HashGridLevel] = []
        offset = 0
        for index in range(n_levels):
            scale = _level_scale(index, growth, base_resolution)
            resolution = math.ceil(scale) + 1
            _check_resolution(index, resolution, n_levels)
            vertices = resolution**in_features
            eights = -(-vertices // 8) * 8
            entries = eights if most is None else min(eights, most)
            _check_entries(index, entries, vertices, grid_type, allow_large)
            dense = grid_type != "hash" or vertices <= entries
            levels.append(HashGridLevel(scale, resolution, offset, entries, dense))
            offset += entries
        return cls(in_features, n_features_per_level, tuple(levels), interpolation)


def _check_resolution(index: int, resolution: int, n_levels: int) -> None:
    if resolution > MAX_RESOLUTION + 1:
        raise InputError(
            f"level {index} of the grid would have {resolution} vertices per axis; "
            f"float32 positions allow {MAX_RESOLUTION}. Lower `n_levels` "
            f"(={n_levels}) or the growth."
        )


def _check_entries(
    index: int, entries: int, vertices: int, grid_type: str, allow_large: bool
) -> None:
    if grid_type != "hash" and vertices >= 2**32:
        raise InputError(
            f"level {index} of the {grid_type} grid would have {vertices} vertices; `grid_type` "
            f"(={grid_type!r}) counts them in 32 bits. Lower the resolution or take 'hash'."
        )
    if entries > MAX_ENTRIES and not allow_large:
        raise InputError(
            f"level {index} of the {grid_type} grid would have {entries} entries; more than 2^24 "
            f"need `allow_large=True` (--force on the command line). Lower "
            f"{'`log2_hashmap_size`' if grid_type == 'hash' else 'the resolution'} or allow it."
        )


def _level_scale(level: int, growth: float, base_resolution: int) -> float:
    """``2^(level log2 b) base - 1``, each step rounded to float32 as tiny-cuda-nn's is.

    Powers and logarithms are taken in float64 and rounded: numpy's float32 ones differ in the last
    bit between processors, and that bit can move ``ceil`` and with it the size of the table.
    """
    log2_growth = np.float32(math.log2(np.float32(growth)))
    power = np.float32(2.0 ** float(np.float32(level) * log2_growth))
    return float(power * np.float32(base_resolution) - np.float32(1))


def _growth(
    n_levels: int, base: int, per_level_scale: float | None, finest_resolution: int | None
) -> float:
    if (per_level_scale is None) == (finest_resolution is None):
        raise InputError(
            f"exactly one of `per_level_scale` (={per_level_scale}) and `finest_resolution` "
            f"(={finest_resolution}) must be given. Pass e.g. finest_resolution=512."
        )
    if per_level_scale is not None:
        if not (math.isfinite(per_level_scale) and per_level_scale >= 1):
            raise InputError(
                f"`per_level_scale` (={per_level_scale}) must be at least 1. Pass e.g. 1.5."
            )
        return per_level_scale
    assert finest_resolution is not None
    _check_range("finest_resolution", finest_resolution, base, MAX_RESOLUTION)
    if n_levels == 1:
        if finest_resolution != base:
            raise InputError(
                f"`finest_resolution` (={finest_resolution}) must equal `base_resolution` "
                f"(={base}) where `n_levels` is 1. Set both to the resolution wanted."
            )
        return 1.0
    return math.exp(math.log(finest_resolution / base) / (n_levels - 1))


def _check_choice(name: str, value: str, choices: object) -> None:
    if value not in get_args(choices):
        raise InputError(f"`{name}` (={value!r}) must be one of {', '.join(get_args(choices))}.")


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"`{name}` (={value}) must be an integer from {low} to {high}.")
