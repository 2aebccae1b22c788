"""The hash grid on the processor: the reference's values from compiled loops.

Values and coordinate gradients go over blocks of points in parallel; within a block level by level,
so that one level's part of the table stays in cache. The table's gradient goes over levels in
parallel: one thread owns one level's rows, so there are no locks and the sums come out the same,
bit for bit, every time.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from passband.inr.kernels.hashgrid import _cpu_kernels, _reference
from passband.inr.kernels.hashgrid._layout import HashGridLayout
from passband.inr.kernels.hashgrid._parallel import run_tasks

BLOCK = 4096  # points per task
CHUNK = 65536  # points whose feature gradients stay in the last-level cache from level to level


def encode(x01: Tensor, table: Tensor, layout: HashGridLayout) -> Tensor:
    """Features of each level, side by side, of at least one float32 point.

    First derivatives come from compiled loops. Where they are to be differentiated again
    (``create_graph=True``) they are taken through the reference: right, and as slow as it.
    """
    encoded: Tensor = _Encode.apply(x01, table, layout)
    return encoded


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x01: Tensor, table: Tensor, layout: HashGridLayout) -> Tensor:
        ctx.save_for_backward(x01, table)
        ctx.layout = layout
        ctx.columns = x, inside = _columns(x01)
        # numpy asks for huge pages, torch does not: fewer faults where the result is large.
        encoded = torch.from_numpy(np.empty((len(x01), layout.out_features), np.float32))
        source, target, levels = _flat(table), encoded.numpy(), _level_arrays(layout)

        def block(number: int) -> None:
            begin, end = number * BLOCK, min((number + 1) * BLOCK, len(x01))
            _cpu_kernels.forward(
                x, source, target, levels, layout.n_features_per_level, inside, begin, end
            )

        run_tasks(block, -(-len(x01) // BLOCK))
        return encoded

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x01, table = ctx.saved_tensors
        wants_points, wants_table, _ = ctx.needs_input_grad
        if torch.is_grad_enabled():
            wanted = [tensor for tensor in (x01, table) if tensor.requires_grad]
            encoded = _reference.encode(x01, table, ctx.layout)
            found = list(torch.autograd.grad(encoded, wanted, grads, create_graph=True))
            return found.pop(0) if wants_points else None, found[0] if wants_table else None, None
        x, inside = ctx.columns
        grad = grads[0].contiguous().numpy()
        return (
            _points_gradient(x, inside, table, grad, ctx.layout) if wants_points else None,
            _table_gradient(x, inside, table, grad, ctx.layout) if wants_table else None,
            None,
        )


def _points_gradient(
    x: np.ndarray, inside: bool, table: Tensor, grad: np.ndarray, layout: HashGridLayout
) -> Tensor:
    x_grad = np.empty_like(x)
    source, levels = _flat(table), _level_arrays(layout)

    def block(number: int) -> None:
        begin, end = number * BLOCK, min((number + 1) * BLOCK, len(grad))
        _cpu_kernels.point_backward(
            x, source, grad, x_grad, levels, layout.n_features_per_level, inside, begin, end
        )

    run_tasks(block, -(-len(grad) // BLOCK))
    return torch.from_numpy(x_grad.T.copy())


def _table_gradient(
    x: np.ndarray, inside: bool, table: Tensor, grad: np.ndarray, layout: HashGridLayout
) -> Tensor:
    table_grad = torch.empty(table.shape)
    target, levels = _flat(table_grad), _level_arrays(layout)
    for begin in range(0, len(grad), CHUNK):
        end = min(begin + CHUNK, len(grad))

        def level(number: int, begin: int = begin, end: int = end) -> None:
            _cpu_kernels.table_backward(
                x, grad, target, levels, layout.n_features_per_level, inside, begin, end, number
            )

        run_tasks(level, len(layout.levels))
    return table_grad


def _columns(x01: Tensor) -> tuple[np.ndarray, bool]:
    """Coordinates one axis after the other, and whether all of them are in [0, 1]."""
    x = np.ascontiguousarray(x01.detach().numpy().T)
    return x, bool(x.min() >= 0 and x.max() <= 1)


def _flat(table: Tensor) -> np.ndarray:
    flat: np.ndarray = table.detach().contiguous().view(-1).numpy()
    return flat


@lru_cache(maxsize=64)
def _level_arrays(layout: HashGridLayout) -> tuple[np.ndarray, ...]:
    levels = layout.levels
    return (
        np.array([level.scale for level in levels], np.float32),
        np.array([level.resolution for level in levels], np.uint32),
        np.array([level.offset for level in levels], np.int64),
        np.array([level.entries for level in levels], np.uint32),
        np.array([level.dense for level in levels], np.bool_),
    )
