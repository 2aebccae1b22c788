"""What every kernel of the hash grid starts with: the corners around points, in Triton.

A program works on a block of points at one level, on tiles (points, corners): bit k of a corner is
its side along coordinate k. Corners lie side by side in a tile, so that neighbours along the first
coordinate, which share a sector of memory, are read by one instruction.
"""

from functools import lru_cache
from typing import no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

from passband.inr.kernels.hashgrid._layout import PRIMES, HashGridLayout

TILE = 2048  # points x corners x features of a program: 16 per thread

_PRIMES = tl.constexpr(PRIMES)


@lru_cache(maxsize=64)
def level_tensors(layout: HashGridLayout, device: torch.device) -> tuple[Tensor, Tensor]:
    """Scales (levels,) and, per level, resolution, first row, number of rows, hashed or not."""
    scales = [level.scale for level in layout.levels]
    cells = [(v.resolution, v.offset, v.entries, int(not v.dense)) for v in layout.levels]
    return (
        torch.tensor(scales, dtype=torch.float32, device=device),
        torch.tensor(cells, dtype=torch.int64, device=device),
    )


def grid(points: int, layout: HashGridLayout) -> tuple[int, int]:
    """Programs: all blocks of the first level, then of the next, so a level stays in cache."""
    return triton.cdiv(points, _block(layout)), len(layout.levels)


def constants(layout: HashGridLayout) -> dict[str, object]:
    """What every kernel is compiled for."""
    return {
        "D": layout.in_features,
        "F": layout.n_features_per_level,
        "CORNERS": _corners(layout),
        "BLOCK_D": triton.next_power_of_2(layout.in_features),
        "BLOCK_F": triton.next_power_of_2(layout.n_features_per_level),
        "BLOCK": _block(layout),
        "INTERPOLATION": layout.interpolation,
        "enable_fp_fusion": True,  # said, because triton 3.9 warns where it is left to a default
    }


def _corners(layout: HashGridLayout) -> int:
    return 1 if layout.interpolation == "nearest" else 2**layout.in_features


def _block(layout: HashGridLayout) -> int:
    """Points per program, a power of two."""
    wide = _corners(layout) * triton.next_power_of_2(layout.n_features_per_level)
    return int(min(256, max(1, TILE // wide)))


@triton.jit
@no_type_check
def block_of_points(points, BLOCK: tl.constexpr):
    """Numbers of this program's points, and which of them exist."""
    point = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    return point, point < points


@triton.jit
@no_type_check
def _position(x, point, mask, scale, K: tl.constexpr, D: tl.constexpr, CORNERS: tl.constexpr):
    """``scale x + 0.5`` along coordinate K, rounded once (points, corners).

    Each corner loads its own copy, from one address: a copy per point would have to change lanes.
    """
    shape: tl.constexpr = (point.shape[0], CORNERS)
    address = x + tl.broadcast_to((point * D + K)[:, None], shape)
    there = tl.broadcast_to(mask[:, None], shape)
    return tl.fma(tl.load(address, mask=there, other=0.0), scale, 0.5)


@triton.jit
@no_type_check
def corner_rows(x, point, mask, scale, cells, D: tl.constexpr, CORNERS: tl.constexpr):
    """Rows of the corners in the whole table, int64 (points, corners)."""
    level = cells + tl.program_id(1) * 4
    offset = tl.load(level + 1)
    entries = tl.load(level + 2).to(tl.uint32)
    hashed = tl.load(level + 3) != 0
    corner = tl.arange(0, CORNERS)[None, :]
    stride = tl.full((1, 1), 1, tl.uint32)
    resolution = stride * tl.load(level).to(tl.uint32)
    row = tl.zeros((point.shape[0], CORNERS), tl.uint32)
    for k in tl.static_range(D):
        low = tl.floor(_position(x, point, mask, scale, k, D, CORNERS)).to(tl.int32)
        vertex = (low + ((corner >> k) & 1)).to(tl.uint32)
        if hashed:
            row = row ^ (vertex * tl.full((1, 1), _PRIMES[k], tl.uint32))
        else:
            row = row + vertex * stride
        stride = stride * resolution
    if hashed:  # the number of rows is a power of two
        row = row & (entries - 1)
    else:
        row = row % entries
    return offset + row.to(tl.int64)


@triton.jit
@no_type_check
def _side(fraction, scale, high, ORDER: tl.constexpr, INTERPOLATION: tl.constexpr):
    """The weight of a corner's side along one coordinate, or its derivative of that order."""
    if INTERPOLATION == "nearest":
        side = tl.full((1, 1), 1.0 if ORDER == 0 else 0.0, tl.float32)
    elif ORDER == 0:
        blend = fraction
        if INTERPOLATION == "smoothstep":
            blend = fraction * fraction * (3 - 2 * fraction)
        side = tl.where(high, blend, 1 - blend)
    else:
        slope = tl.zeros_like(fraction) + scale
        if INTERPOLATION == "smoothstep":
            slope *= 6 * fraction * (1 - fraction) if ORDER == 1 else scale * (6 - 12 * fraction)
        elif ORDER == 2:
            slope = tl.zeros_like(fraction)
        side = tl.where(high, slope, -slope)
    return side


@triton.jit
@no_type_check
def corner_weights(
    x,
    point,
    mask,
    scale,
    J: tl.constexpr,
    K: tl.constexpr,
    D: tl.constexpr,
    CORNERS: tl.constexpr,
    INTERPOLATION: tl.constexpr,
):
    """Weights of the corners (points, corners), differentiated in x along J and K; -1: neither."""
    corner = tl.arange(0, CORNERS)[None, :]
    weight = tl.full((point.shape[0], CORNERS), 1.0, tl.float32)
    for k in tl.static_range(D):
        position = _position(x, point, mask, scale, k, D, CORNERS)
        fraction = position - tl.floor(position)
        high = ((corner >> k) & 1) != 0
        weight = weight * _side(fraction, scale, high, (k == J) + (k == K), INTERPOLATION)
    return weight


@triton.jit
@no_type_check
def table_rows(table, row, mask, F: tl.constexpr, BLOCK_F: tl.constexpr):
    """Addresses of the features of rows (points, corners, features), and which to touch."""
    feature = tl.arange(0, BLOCK_F)[None, None, :]
    return table + row[:, :, None] * F + feature, mask[:, None, None] & (feature < F)


@triton.jit
@no_type_check
def level_features(values, points, point, mask, F: tl.constexpr, BLOCK_F: tl.constexpr):
    """Addresses of the features of points (points, features) in (levels, points, features)."""
    feature = tl.arange(0, BLOCK_F)[None, :]
    start = (tl.program_id(1).to(tl.int64) * points + point) * F
    return values + start[:, None] + feature, mask[:, None] & (feature < F)
