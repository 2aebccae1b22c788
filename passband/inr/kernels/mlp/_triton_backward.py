"""The gradients of the network in Triton, from the activations that the forward kernel saved."""

from typing import no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

from passband.inr.kernels.mlp._triton_forward import constants, matrix, padded, points_per_program

SPLIT = 4096  # points that one partial sum of a weight's gradient runs over
STEP = 64  # of them at a time


def point_gradients(
    x: Tensor,
    grad: Tensor,
    scale: Tensor,
    first: Tensor,
    hidden: Tensor,
    last: Tensor,
    saved: Tensor,
    *,
    relu: bool,
    inputs: bool,
) -> tuple[Tensor, Tensor | None]:
    """Gradients in the layers' sums (layer, point, H), times ``scale``, and in ``x`` if wanted.

    ``grad`` is the gradient in the outputs times ``scale``, in the dtype of the weights.
    """
    points, width = len(x), first.shape[0]
    deltas = torch.empty_like(saved)
    x_grad = torch.empty_like(x) if inputs else None
    block = points_per_program(width)
    with torch.cuda.device_of(x):
        _point_gradients[(triton.cdiv(points, block),)](
            grad, first, hidden, last, saved, deltas, x_grad, scale, points, x.shape[1],
            len(hidden), len(last), INPUTS=inputs, BLOCK_IN=padded(x.shape[1]),
            BLOCK_OUT=padded(len(last)), **constants(width, block, relu),
        )  # fmt: skip
    return deltas, x_grad


def weight_gradient(delta: Tensor, active: Tensor) -> Tensor:
    """``delta^T active`` in float32: partial sums over runs of points, then their sum, in order."""
    points, rows = delta.shape
    columns = active.shape[1]
    block_row, block_column = padded(rows), padded(columns)
    splits = triton.cdiv(points, SPLIT)
    parts = torch.empty(splits, rows, columns, device=delta.device)
    grid = (splits, triton.cdiv(rows, block_row), triton.cdiv(columns, block_column))
    with torch.cuda.device_of(delta):
        _weight_gradient[grid](
            delta, active, parts, points, rows, columns, SPLIT=SPLIT, STEP=STEP,
            BLOCK_ROW=block_row, BLOCK_COLUMN=block_column, num_warps=4, enable_fp_fusion=True,
        )  # fmt: skip
    return parts.sum(dim=0)


@triton.jit
@no_type_check
def _point_gradients(
    grad,
    first,
    hidden,
    last,
    saved,
    deltas,
    x_grad,
    scale,
    points,
    inputs,
    layers,
    outputs,
    H: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCK_IN: tl.constexpr,
    BLOCK_OUT: tl.constexpr,
    RELU: tl.constexpr,
    INPUTS: tl.constexpr,
):
    dtype: tl.constexpr = first.dtype.element_ty
    point = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    unit = tl.arange(0, H)
    total = tl.zeros((BLOCK, H), tl.float32)
    for start in range(0, outputs, BLOCK_OUT):
        column = start + tl.arange(0, BLOCK_OUT)
        part = matrix(grad, point, points, column, outputs, dtype)
        total = tl.dot(part, matrix(last, column, outputs, unit, H, dtype), total)
    there = (point < points)[:, None] & (unit < H)[None, :]
    layer_size = tl.zeros((1, 1), tl.int64) + points * H
    address = layers * layer_size + point[:, None] * H + unit[None, :]
    delta = _before_activation(total, saved + address, there, RELU).to(dtype)
    tl.store(deltas + address, delta, mask=there)
    for step in range(layers):
        weight = matrix(hidden + (layers - 1 - step) * H * H, unit, H, unit, H, dtype)
        address -= layer_size
        total = tl.dot(delta, weight)
        delta = _before_activation(total, saved + address, there, RELU).to(dtype)
        tl.store(deltas + address, delta, mask=there)
    if INPUTS:
        unscale = 1.0 / tl.load(scale)
        for start in range(0, inputs, BLOCK_IN):
            column = start + tl.arange(0, BLOCK_IN)
            value = tl.dot(delta, matrix(first, unit, H, column, inputs, dtype)) * unscale
            inside = (point < points)[:, None] & (column < inputs)[None, :]
            tl.store(x_grad + point[:, None] * inputs + column[None, :], value, mask=inside)


@triton.jit
@no_type_check
def _before_activation(total, saved, there, RELU: tl.constexpr):
    """The gradient in a layer's sums from the one in what it gave."""
    if RELU:
        total = tl.where(tl.load(saved, mask=there, other=0.0) > 0, total, 0.0)
    return total


@triton.jit
@no_type_check
def _weight_gradient(
    delta,
    active,
    parts,
    points,
    rows,
    columns,
    SPLIT: tl.constexpr,
    STEP: tl.constexpr,
    BLOCK_ROW: tl.constexpr,
    BLOCK_COLUMN: tl.constexpr,
):
    dtype: tl.constexpr = delta.dtype.element_ty
    split = tl.program_id(0)
    row = tl.program_id(1) * BLOCK_ROW + tl.arange(0, BLOCK_ROW)
    column = tl.program_id(2) * BLOCK_COLUMN + tl.arange(0, BLOCK_COLUMN)
    first = split.to(tl.int64) * SPLIT
    count = tl.minimum(points - first, SPLIT)
    total = tl.zeros((BLOCK_ROW, BLOCK_COLUMN), tl.float32)
    for start in range(0, count, STEP):
        point = first + start + tl.arange(0, STEP)
        left = matrix(delta, point, points, row, rows, dtype)
        right = matrix(active, point, points, column, columns, dtype)
        total = tl.dot(tl.trans(left), right, total)
    there = (row < rows)[:, None] & (column < columns)[None, :]
    start = split.to(tl.int64) * rows * columns
    tl.store(parts + start + row[:, None] * columns + column[None, :], total, mask=there)
