"""The hash grid and its Jacobian, in Triton.

Kernels write (levels, points, features): whole lines of memory, where the encoding's own order
would leave three quarters of each to another level. One copy at the end puts levels side by side.
"""

from typing import no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

from passband.inr.kernels.hashgrid._layout import HashGridLayout
from passband.inr.kernels.hashgrid._triton_corners import (
    block_of_points,
    constants,
    corner_rows,
    corner_weights,
    grid,
    level_features,
    level_tensors,
    table_rows,
)


def forward(x: Tensor, table: Tensor, layout: HashGridLayout) -> Tensor:
    """``sum_c w_c T_c`` per level, in the table's dtype. ``x`` is float32, both contiguous."""
    return interpolate(x, table, None, None, layout, table.dtype)


def interpolate(
    x: Tensor,
    table: Tensor | None,
    sloped: Tensor | None,
    direction: Tensor | None,
    layout: HashGridLayout,
    dtype: torch.dtype,
) -> Tensor:
    """``sum_c w_c table_c + sum_c (direction . dw_c/dx) sloped_c``, either term where given."""
    features = layout.n_features_per_level
    out = torch.empty(len(layout.levels), len(x), features, dtype=dtype, device=x.device)
    with torch.cuda.device_of(x):
        _interpolate[grid(len(x), layout)](
            x, table, sloped, direction, out, *level_tensors(layout, x.device), len(x),
            **constants(layout), VALUE=table is not None, SLOPE=sloped is not None,
        )  # fmt: skip
    return side_by_side(out)


def forward_with_jacobian(
    x: Tensor, table: Tensor, layout: HashGridLayout
) -> tuple[Tensor, Tensor]:
    """Features in the table's dtype and their derivatives (points, encoded, d) in float32."""
    shape = (len(layout.levels), len(x), layout.n_features_per_level)
    out = torch.empty(shape, dtype=table.dtype, device=x.device)
    jacobian = torch.empty(*shape, layout.in_features, device=x.device)
    with torch.cuda.device_of(x):
        _jacobian[grid(len(x), layout)](
            x, table, out, jacobian, *level_tensors(layout, x.device), len(x), **constants(layout)
        )
    return side_by_side(out), side_by_side(jacobian)


def side_by_side(values: Tensor) -> Tensor:
    """(levels, points, features, ...) to (points, levels * features, ...)."""
    return values.transpose(0, 1).flatten(1, 2)


def level_by_level(values: Tensor, layout: HashGridLayout) -> Tensor:
    """(points, levels * features, ...) to contiguous (levels, points, features, ...)."""
    split = values.unflatten(1, (len(layout.levels), layout.n_features_per_level))
    levels: Tensor = split.transpose(0, 1).contiguous()
    return levels


@triton.jit
@no_type_check
def _interpolate(
    x,
    table,
    sloped,
    direction,
    out,
    scales,
    cells,
    points,
    D: tl.constexpr,
    F: tl.constexpr,
    CORNERS: tl.constexpr,
    BLOCK_F: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK: tl.constexpr,
    INTERPOLATION: tl.constexpr,
    VALUE: tl.constexpr,
    SLOPE: tl.constexpr,
):
    point, mask = block_of_points(points, BLOCK)
    scale = tl.load(scales + tl.program_id(1))
    row = corner_rows(x, point, mask, scale, cells, D, CORNERS)
    total = tl.zeros((BLOCK, BLOCK_F), tl.float32)
    if VALUE:
        weight = corner_weights(x, point, mask, scale, -1, -1, D, CORNERS, INTERPOLATION)
        address, there = table_rows(table, row, mask, F, BLOCK_F)
        entry = tl.load(address, mask=there, other=0.0).to(tl.float32)
        total += tl.sum(weight[:, :, None] * entry, axis=1)
    if SLOPE:
        weight = tl.zeros((BLOCK, CORNERS), tl.float32)
        for k in tl.static_range(D):
            along = tl.load(direction + point * D + k, mask=mask, other=0.0)[:, None]
            weight += along * corner_weights(
                x, point, mask, scale, k, -1, D, CORNERS, INTERPOLATION
            )
        address, there = table_rows(sloped, row, mask, F, BLOCK_F)
        entry = tl.load(address, mask=there, other=0.0).to(tl.float32)
        total += tl.sum(weight[:, :, None] * entry, axis=1)
    address, there = level_features(out, points, point, mask, F, BLOCK_F)
    tl.store(address, total, mask=there)


@triton.jit
@no_type_check
def _jacobian(
    x,
    table,
    out,
    jacobian,
    scales,
    cells,
    points,
    D: tl.constexpr,
    F: tl.constexpr,
    CORNERS: tl.constexpr,
    BLOCK_F: tl.constexpr,
    BLOCK_D: tl.constexpr,
    BLOCK: tl.constexpr,
    INTERPOLATION: tl.constexpr,
):
    point, mask = block_of_points(points, BLOCK)
    scale = tl.load(scales + tl.program_id(1))
    row = corner_rows(x, point, mask, scale, cells, D, CORNERS)
    address, there = table_rows(table, row, mask, F, BLOCK_F)
    entry = tl.load(address, mask=there, other=0.0).to(tl.float32)
    weight = corner_weights(x, point, mask, scale, -1, -1, D, CORNERS, INTERPOLATION)
    address, there = level_features(out, points, point, mask, F, BLOCK_F)
    tl.store(address, tl.sum(weight[:, :, None] * entry, axis=1), mask=there)
    axis = tl.arange(0, BLOCK_D)[None, None, :]
    slopes = tl.zeros((BLOCK, BLOCK_F, BLOCK_D), tl.float32)
    for k in tl.static_range(D):
        weight = corner_weights(x, point, mask, scale, k, -1, D, CORNERS, INTERPOLATION)
        slope = tl.sum(weight[:, :, None] * entry, axis=1)
        slopes = tl.where(axis == k, slope[:, :, None], slopes)
    start = tl.program_id(1).to(tl.int64) * points + point
    feature = tl.arange(0, BLOCK_F)[None, :, None]
    address = jacobian + (start[:, None, None] * F + feature) * D + axis
    tl.store(address, slopes, mask=mask[:, None, None] & (feature < F) & (axis < D))
