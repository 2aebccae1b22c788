"""The derivatives of the hash grid and of its Jacobian in table and points, in Triton.

Sums over points are atomic additions in float32, whose order differs from run to run: the table's
gradient on CUDA is not the same bit for bit.
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
from passband.inr.kernels.hashgrid._triton_forward import level_by_level


def backward(
    x: Tensor, table: Tensor, grad: Tensor, layout: HashGridLayout, *, points: bool, rows: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Float32 gradients of ``sum_c w_c (T_c . grad)`` in points and in the table, those wanted."""
    return _launch(x, layout, dotted=table, table=table, grad=grad, mixed="none",
                   table_value=True, points=points, rows=rows)  # fmt: skip


def backward_of_points(
    x: Tensor,
    table: Tensor,
    grad: Tensor,
    direction: Tensor | None,
    table_direction: Tensor | None,
    layout: HashGridLayout,
    *,
    points: bool,
    rows: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of ``direction . d/dx sum_c w_c (T_c . grad) + sum_c w_c (V_c . grad)``.

    That is :func:`backward` contracted with what comes back to its two results, ``V`` being
    ``table_direction``; either may be missing.
    """
    return _launch(x, layout, dotted=table_direction, table=table, grad=grad,
                   direction=direction, mixed="none" if direction is None else "outer",
                   points=points, rows=rows)  # fmt: skip


def backward_of_jacobian(
    x: Tensor,
    table: Tensor,
    grad: Tensor | None,
    jacobian_grad: Tensor,
    layout: HashGridLayout,
    *,
    points: bool,
    rows: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of ``sum_c w_c (T_c . grad) + sum_ck dw_c/dx_k (T_c . jacobian_grad_k)``."""
    dotted = None if grad is None else table
    return _launch(x, layout, dotted=dotted, table=table, grad=grad, mixed="full",
                   jacobian_grad=jacobian_grad, table_value=grad is not None,
                   points=points, rows=rows)  # fmt: skip


def _launch(
    x: Tensor,
    layout: HashGridLayout,
    *,
    dotted: Tensor | None,
    table: Tensor,
    grad: Tensor | None,
    mixed: str,
    points: bool,
    rows: bool,
    direction: Tensor | None = None,
    jacobian_grad: Tensor | None = None,
    table_value: bool = False,
) -> tuple[Tensor | None, Tensor | None]:
    point_grad = torch.zeros_like(x) if points else None
    table_grad = torch.zeros(table.shape, device=x.device) if rows else None
    grad, jacobian_grad = (
        None if g is None else level_by_level(g, layout) for g in (grad, jacobian_grad)
    )
    with torch.cuda.device_of(x):
        _backward[grid(len(x), layout)](
            x, dotted, table, grad, direction, jacobian_grad, point_grad, table_grad,
            *level_tensors(layout, x.device), len(x), **constants(layout),
            VALUE=grad is not None, POINTS=points, TABLE=rows, POINTS_VALUE=dotted is not None,
            TABLE_VALUE=table_value, MIXED=mixed,
        )  # fmt: skip
    return point_grad, table_grad


@triton.jit
@no_type_check
def _mixed_grad(
    grad,
    direction,
    jacobian_grad,
    points,
    point,
    mask,
    K: tl.constexpr,
    D: tl.constexpr,
    F: tl.constexpr,
    BLOCK_F: tl.constexpr,
    MIXED: tl.constexpr,
):
    """What came back to the derivatives along K (points, features)."""
    if MIXED == "outer":
        along = grad * tl.load(direction + point * D + K, mask=mask, other=0.0)[:, None]
    else:
        feature = tl.arange(0, BLOCK_F)[None, :]
        start = (tl.program_id(1).to(tl.int64) * points + point)[:, None] * F + feature
        there = mask[:, None] & (feature < F)
        along = tl.load(jacobian_grad + start * D + K, mask=there, other=0.0).to(tl.float32)
    return along


@triton.jit
@no_type_check
def _point_slope(
    x,
    dotted,
    table,
    out,
    direction,
    jacobian_grad,
    row,
    points,
    point,
    mask,
    scale,
    J: tl.constexpr,
    D: tl.constexpr,
    F: tl.constexpr,
    CORNERS: tl.constexpr,
    BLOCK_F: tl.constexpr,
    INTERPOLATION: tl.constexpr,
    POINTS_VALUE: tl.constexpr,
    MIXED: tl.constexpr,
):
    """How the loss changes with coordinate J of the points, by way of the weights (points,)."""
    slope = tl.zeros((point.shape[0], CORNERS), tl.float32)
    if POINTS_VALUE:
        address, there = table_rows(dotted, row, mask, F, BLOCK_F)
        entry = tl.load(address, mask=there, other=0.0).to(tl.float32)
        value = tl.sum(entry * out[:, None, :], axis=2)
        slope += value * corner_weights(x, point, mask, scale, J, -1, D, CORNERS, INTERPOLATION)
    if MIXED != "none":
        address, there = table_rows(table, row, mask, F, BLOCK_F)
        entry = tl.load(address, mask=there, other=0.0).to(tl.float32)
        for k in tl.static_range(D):
            if J != k or INTERPOLATION == "smoothstep":
                along = _mixed_grad(
                    out, direction, jacobian_grad, points, point, mask, k, D, F, BLOCK_F, MIXED
                )
                value = tl.sum(entry * along[:, None, :], axis=2)
                slope += value * corner_weights(
                    x, point, mask, scale, J, k, D, CORNERS, INTERPOLATION
                )
    return tl.sum(slope, axis=1)


@triton.jit
@no_type_check
def _row_grads(
    x,
    out,
    direction,
    jacobian_grad,
    points,
    point,
    mask,
    scale,
    D: tl.constexpr,
    F: tl.constexpr,
    CORNERS: tl.constexpr,
    BLOCK_F: tl.constexpr,
    INTERPOLATION: tl.constexpr,
    TABLE_VALUE: tl.constexpr,
    MIXED: tl.constexpr,
):
    """What the points add to the gradients of their corners' rows (points, corners, features)."""
    total = tl.zeros((point.shape[0], CORNERS, BLOCK_F), tl.float32)
    if TABLE_VALUE:
        weight = corner_weights(x, point, mask, scale, -1, -1, D, CORNERS, INTERPOLATION)
        total += weight[:, :, None] * out[:, None, :]
    if MIXED != "none":
        for k in tl.static_range(D):
            weight = corner_weights(x, point, mask, scale, k, -1, D, CORNERS, INTERPOLATION)
            along = _mixed_grad(
                out, direction, jacobian_grad, points, point, mask, k, D, F, BLOCK_F, MIXED
            )
            total += weight[:, :, None] * along[:, None, :]
    return total


@triton.jit
@no_type_check
def _backward(
    x,
    dotted,
    table,
    grad,
    direction,
    jacobian_grad,
    point_grad,
    table_grad,
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
    POINTS: tl.constexpr,
    TABLE: tl.constexpr,
    POINTS_VALUE: tl.constexpr,
    TABLE_VALUE: tl.constexpr,
    MIXED: tl.constexpr,
):
    point, mask = block_of_points(points, BLOCK)
    scale = tl.load(scales + tl.program_id(1))
    row = corner_rows(x, point, mask, scale, cells, D, CORNERS)
    out = tl.zeros((BLOCK, BLOCK_F), tl.float32)
    if VALUE:
        address, there = level_features(grad, points, point, mask, F, BLOCK_F)
        out = tl.load(address, mask=there, other=0.0).to(tl.float32)
    axis = tl.arange(0, BLOCK_D)[None, :]
    slopes = tl.zeros((BLOCK, BLOCK_D), tl.float32)
    if POINTS:
        for j in tl.static_range(D):
            slope = _point_slope(
                x, dotted, table, out, direction, jacobian_grad, row, points, point, mask, scale,
                j, D, F, CORNERS, BLOCK_F, INTERPOLATION, POINTS_VALUE, MIXED,
            )  # fmt: skip
            slopes = tl.where(axis == j, slope[:, None], slopes)
    if TABLE:
        total = _row_grads(
            x, out, direction, jacobian_grad, points, point, mask, scale,
            D, F, CORNERS, BLOCK_F, INTERPOLATION, TABLE_VALUE, MIXED,
        )  # fmt: skip
        address, there = table_rows(table_grad, row, mask, F, BLOCK_F)
        tl.atomic_add(address, total, mask=there, sem="relaxed")
    if POINTS:
        address = point_grad + point[:, None] * D + axis
        tl.atomic_add(address, slopes, mask=mask[:, None] & (axis < D), sem="relaxed")
