"""The network from input to output in one Triton kernel, a block of points per program."""

from typing import no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

CHUNK = 64  # columns of the input and of the output taken at a time


def forward(
    x: Tensor, first: Tensor, hidden: Tensor, last: Tensor, *, relu: bool, save: bool
) -> tuple[Tensor, Tensor | None]:
    """Outputs in the dtype of ``x`` and, if saved, what each hidden layer gives (layer, point, H).

    ``first`` (H, inputs), ``hidden`` (layers, H, H) and ``last`` (outputs, H) have one dtype, which
    products are taken in. All tensors are contiguous.
    """
    points, width = len(x), first.shape[0]
    out = torch.empty(points, len(last), dtype=x.dtype, device=x.device)
    saved = None
    if save:
        saved = torch.empty(len(hidden) + 1, points, width, dtype=first.dtype, device=x.device)
    block = points_per_program(width)
    with torch.cuda.device_of(x):
        _forward[(triton.cdiv(points, block),)](
            x, first, hidden, last, out, saved, points, x.shape[1], len(hidden), len(last),
            SAVE=save, BLOCK_IN=padded(x.shape[1]), BLOCK_OUT=padded(len(last)),
            **constants(width, block, relu),
        )  # fmt: skip
    return out, saved


def points_per_program(width: int) -> int:
    """Half as many for the widest layers, whose sums would not fit the registers."""
    return 128 if width <= 64 else 64


def padded(columns: int) -> int:
    """Columns taken at a time: a power of two that the tensor cores can use."""
    return int(min(CHUNK, max(16, triton.next_power_of_2(columns))))


def constants(width: int, block: int, relu: bool) -> dict[str, object]:
    """What the kernels are compiled for."""
    return {
        "H": width,
        "BLOCK": block,
        "RELU": relu,
        "num_warps": 8 if width >= 64 else 4,  # with four, sums spill from the registers
        "num_stages": 1,
        "enable_fp_fusion": True,  # said, because triton 3.9 warns where it is left to a default
    }


@triton.jit
@no_type_check
def matrix(values, row, rows, column, columns, DTYPE: tl.constexpr):
    """The entries of a row-major matrix at these rows and columns, zero outside it."""
    there = (row < rows)[:, None] & (column < columns)[None, :]
    address = values + row[:, None].to(tl.int64) * columns + column[None, :]
    return tl.load(address, mask=there, other=0.0).to(DTYPE)


@triton.jit
@no_type_check
def _activated(total, RELU: tl.constexpr):
    """Not tl.maximum, which turns NaN to zero."""
    return tl.where(total < 0, 0.0, total) if RELU else total


@triton.jit
@no_type_check
def _forward(
    x,
    first,
    hidden,
    last,
    out,
    saved,
    points,
    inputs,
    layers,
    outputs,
    H: tl.constexpr,
    BLOCK: tl.constexpr,
    BLOCK_IN: tl.constexpr,
    BLOCK_OUT: tl.constexpr,
    RELU: tl.constexpr,
    SAVE: tl.constexpr,
):
    dtype: tl.constexpr = first.dtype.element_ty
    point = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    unit = tl.arange(0, H)
    total = tl.zeros((BLOCK, H), tl.float32)
    for start in range(0, inputs, BLOCK_IN):
        column = start + tl.arange(0, BLOCK_IN)
        part = matrix(x, point, points, column, inputs, dtype)
        total = tl.dot(part, tl.trans(matrix(first, unit, H, column, inputs, dtype)), total)
    layer_size = tl.zeros((1, 1), tl.int64) + points * H
    address = point[:, None] * H + unit[None, :]
    there = (point < points)[:, None] & (unit < H)[None, :]
    active = _activated(total, RELU).to(dtype)
    if SAVE:
        tl.store(saved + address, active, mask=there)
    for layer in range(layers):
        weight = matrix(hidden + layer * H * H, unit, H, unit, H, dtype)
        active = _activated(tl.dot(active, tl.trans(weight)), RELU).to(dtype)
        if SAVE:
            address += layer_size
            tl.store(saved + address, active, mask=there)
    for start in range(0, outputs, BLOCK_OUT):
        column = start + tl.arange(0, BLOCK_OUT)
        value = tl.dot(active, tl.trans(matrix(last, column, outputs, unit, H, dtype)))
        inside = (point < points)[:, None] & (column < outputs)[None, :]
        tl.store(out + point[:, None] * outputs + column[None, :], value, mask=inside)
