"""A hash grid and its small network on the processor: compiled, from tensors to tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from passband.inr.kernels._parallel import run_tasks
from passband.inr.kernels.hashgrid._cpu_passes import Points, _level_arrays
from passband.inr.kernels.hashgrid._layout import HashGridLayout
from passband.inr.kernels.hashgrid._results import new_result
from passband.recon.surfaces import _cpu_kernels
from passband.recon.surfaces._cpu_products import PITCH, ROWS, TILE

BLOCK = 8 * TILE  # points of a task
_ROUND = 16  # tiles: results of nearly equal sizes take the same memory again

Geometry = tuple[Tensor, Tensor, Tensor]


def distances(
    x01: Tensor,
    table: Tensor,
    layout: HashGridLayout,
    hidden: Tensor,
    output: Tensor,
    bias: Tensor,
    width: float,
) -> Tensor:
    """Distances of points (n, 3), without gradients."""
    points, matrices = Points.of(x01, layout), _Matrices.of(hidden, output)
    out = np.empty(points.count, np.float32)
    shift, source = np.float32(bias[0].item()), _words(table)

    def block(begin: int, end: int) -> None:
        _cpu_kernels.distances(
            points.x, source, matrices.hidden, matrices.output, shift, np.float32(width),
            _level_arrays(layout), points.interpolation, points.inside, begin, end, out,
        )  # fmt: skip

    over_blocks(block, points.count)
    return torch.from_numpy(out)


def geometry(
    x01: Tensor,
    table: Tensor,
    layout: HashGridLayout,
    hidden: Tensor,
    output: Tensor,
    bias: Tensor,
    width: float,
) -> Geometry:
    """Distance (n,), its gradient (n, 3) and features, differentiable in all but the points.

    Args:
        x01: points (n, 3), coordinates in [0, 1].
        table: rows of two features.
        layout: of the table, in 3-D.
        hidden: (units, inputs); inputs are the features, the coordinates in [-1, 1], and a one.
        output: (1 + features, units).
        bias: of the output.
        width: of the activation.
    """
    distance, gradient, features = _Geometry.apply(x01, table, hidden, output, bias, layout, width)
    return distance, gradient, features


class _Geometry(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x01: Tensor,
        table: Tensor,
        hidden: Tensor,
        output: Tensor,
        bias: Tensor,
        layout: HashGridLayout,
        width: float,
    ) -> Geometry:
        points, matrices = Points.of(x01, layout), _Matrices.of(hidden, output)
        kept = _Kept.of(points.count, matrices)
        distance = np.empty(points.count, np.float32)
        gradient = np.empty((points.count, 3), np.float32)
        features = np.empty((points.count, len(output) - 1), np.float32)
        source, shift = _words(table), bias.detach().contiguous().numpy()

        def block(begin: int, end: int) -> None:
            _cpu_kernels.forward(
                points.x, source, matrices.hidden, matrices.hidden_t, matrices.output, shift,
                np.float32(width), _level_arrays(layout), points.interpolation, points.inside,
                begin, end, kept.inputs, kept.sums, kept.slopes, distance, gradient, features,
            )  # fmt: skip

        over_blocks(block, points.count)
        # As tensors, which autograd drops after the way back: the next step takes their memory.
        ctx.save_for_backward(table, hidden, output, *kept.tensors())
        ctx.points, ctx.matrices, ctx.width = points, matrices, width
        return torch.from_numpy(distance), torch.from_numpy(gradient), torch.from_numpy(features)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        table, hidden, output, *tensors = ctx.saved_tensors
        kept = _Kept(*(tensor.numpy() for tensor in tensors))
        given = tuple(grad.contiguous().numpy() for grad in grads)
        inputs_grad, hidden_grad, output_grad = _weights_backward(ctx, kept, table, given)
        bias_grad = torch.cat((grads[0].sum().reshape(1), grads[2].sum(dim=0)))
        return (
            None,
            _table_backward(ctx, kept.slopes, inputs_grad, given[1]),
            torch.from_numpy(hidden_grad[: len(hidden), : hidden.shape[1]]),
            torch.from_numpy(output_grad[: len(output), : output.shape[1]]),
            bias_grad,
            None,
            None,
        )


@dataclass(frozen=True)
class _Matrices:
    """Weights padded with zeros to fours of rows and columns, and their transposes."""

    hidden: np.ndarray
    hidden_t: np.ndarray
    output: np.ndarray
    output_t: np.ndarray

    @classmethod
    def of(cls, hidden: Tensor, output: Tensor) -> "_Matrices":
        first, second = padded(hidden), padded(output)
        return cls(first, np.ascontiguousarray(first.T), second, np.ascontiguousarray(second.T))


@dataclass(frozen=True)
class _Kept:
    """Of the way forward, per tile: (tiles, rows, PITCH)."""

    inputs: np.ndarray
    sums: np.ndarray
    slopes: np.ndarray

    @classmethod
    def of(cls, points: int, matrices: _Matrices) -> "_Kept":
        units, depth = matrices.hidden.shape
        return cls(*(new_tiles(points, rows) for rows in (depth, units, depth)))

    def tensors(self) -> tuple[Tensor, ...]:
        """Of the same memory."""
        arrays = (self.inputs, self.sums, self.slopes)
        return tuple(torch.from_numpy(array) for array in arrays)


def _weights_backward(
    ctx: Any, kept: _Kept, table: Tensor, given: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    points, matrices = ctx.points, ctx.matrices
    units, depth = matrices.hidden.shape
    inputs_grad, source = new_tiles(points.count, depth), _words(table)
    tasks = -(-points.count // BLOCK)
    # One sum per task, added up in their order: the same values every time.
    hidden_grad = np.zeros((tasks, units, depth), np.float32)
    output_grad = np.zeros((tasks, *matrices.output.shape), np.float32)

    def block(begin: int, end: int) -> None:
        task = begin // BLOCK
        _cpu_kernels.backward(
            points.x, source, matrices.hidden, matrices.hidden_t, matrices.output,
            matrices.output_t, np.float32(ctx.width), _level_arrays(points.layout),
            points.interpolation, points.inside, begin, end, kept.inputs, kept.sums, *given,
            inputs_grad, hidden_grad[task], output_grad[task],
        )  # fmt: skip

    over_blocks(block, points.count)
    return inputs_grad, hidden_grad.sum(axis=0), output_grad.sum(axis=0)


def _table_backward(
    ctx: Any, slopes: np.ndarray, inputs_grad: np.ndarray, gradient: np.ndarray
) -> Tensor:
    """One thread owns one level's rows: no locks."""
    points, layout = ctx.points, ctx.points.layout
    table_grad = new_result((layout.total_entries, layout.n_features_per_level))
    target = table_grad.reshape(-1).view(np.float64)

    def level(number: int) -> None:
        _cpu_kernels.table_backward(
            points.x, inputs_grad, slopes, gradient, _level_arrays(layout), points.interpolation,
            points.inside, 0, points.count, number, target,
        )  # fmt: skip

    target.fill(0.0)
    run_tasks(level, len(layout.levels))
    return torch.from_numpy(table_grad)


def over_blocks(task: Callable[[int, int], None], count: int) -> None:
    """Call ``task(begin, end)`` for stretches of ``count`` points, on torch's threads."""

    def block(number: int) -> None:
        task(number * BLOCK, min((number + 1) * BLOCK, count))

    run_tasks(block, -(-count // BLOCK))


def new_tiles(points: int, rows: int) -> np.ndarray:
    """Room for ``rows`` values of each point, (tiles, rows, PITCH), with any values in it."""
    tiles = -(-points // TILE)
    return new_result((-(-tiles // _ROUND) * _ROUND, rows, PITCH))


def padded(matrix: Tensor) -> np.ndarray:
    """With zeros up to fours of rows and columns."""
    rows, columns = (-(-size // ROWS) * ROWS for size in matrix.shape)
    padded = np.zeros((rows, columns), np.float32)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix.detach().numpy()
    return padded


def _words(table: Tensor) -> np.ndarray:
    # A parameter in the midst of a larger buffer may start at an odd multiple of four bytes.
    flat = table.detach().contiguous().numpy().reshape(-1).view(np.float64)
    return np.require(flat, requirements="A")
