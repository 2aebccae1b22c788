"""Radial features on the processor: the reference's values from compiled loops.

Features go over blocks of points in parallel. The weights' gradient goes over blocks of kernels,
whose points are sorted first: no two threads add to the same row, and the sums come out the same,
bit for bit, every time.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from passband.inr.kernels._parallel import run_tasks
from passband.inr.kernels.neurbf import _cpu_kernels, _reference
from passband.inr.kernels.neurbf._shapes import InverseQuadratic, RadialKernel, Tent

BLOCK = 4096  # points per task
KERNELS = 64  # kernels per task
_LOOPS: dict[type, Callable[..., None]] = {
    InverseQuadratic: _cpu_kernels.inverse_quadratic,
    Tent: _cpu_kernels.tent,
}


def normalised_values(
    x: Tensor, nearest: Tensor, centres: Tensor, shapes: Tensor, kernel: RadialKernel
) -> Tensor:
    """The reference's values; where the points are to be differentiated, from the reference."""
    loop = _LOOPS.get(type(kernel))
    if loop is None or (x.requires_grad and torch.is_grad_enabled()):
        return _reference.normalised_values(x, nearest, centres, shapes, kernel)
    values = torch.empty(nearest.shape)
    arrays = [_array(tensor) for tensor in (x, nearest, centres, shapes, values)]
    _over_points(loop, [*arrays, np.float32(kernel.softening)], len(x))
    return values


def compose(values: Tensor, nearest: Tensor, weights: Tensor, multipliers: Tensor) -> Tensor:
    """The reference's features.

    The gradient of the weights comes from compiled loops; that of the values, and second
    derivatives, from the reference.
    """
    composed: Tensor = _Compose.apply(values, nearest, weights, multipliers)
    return composed


class _Compose(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, nearest: Tensor, weights: Tensor, multipliers: Tensor
    ) -> Tensor:
        ctx.save_for_backward(values, nearest, weights, multipliers)
        composed = torch.empty(len(values), weights.shape[1])
        tensors = (values, nearest, weights, multipliers / (2 * torch.pi), composed)
        _over_points(_cpu_kernels.compose, [_array(tensor) for tensor in tensors], len(values))
        return composed

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        values, nearest, weights, multipliers = ctx.saved_tensors
        wants_values, _, wants_weights, _ = ctx.needs_input_grad
        again = torch.is_grad_enabled()
        if not (again or wants_values):
            gradient = _weight_gradient(values, nearest, weights, multipliers, grads[0])
            return None, None, gradient, None
        inputs = [values, weights]
        if not again:
            inputs = [values.detach().requires_grad_(), weights.detach()]
            inputs[1].requires_grad_(wants_weights)
        with torch.enable_grad():
            composed = _reference.compose(inputs[0], nearest, inputs[1], multipliers)
        wanted = [tensor for tensor in inputs if tensor.requires_grad]
        found = iter(torch.autograd.grad(composed, wanted, grads, create_graph=again))
        by_input = [next(found) if tensor.requires_grad else None for tensor in inputs]
        return by_input[0], None, by_input[1], None


def _weight_gradient(
    values: Tensor, nearest: Tensor, weights: Tensor, multipliers: Tensor, grad: Tensor
) -> Tensor:
    pairs = _array(nearest).reshape(-1)
    begins = np.empty(len(weights) + 1, np.int64)
    order = np.empty(len(pairs), np.int64)
    _cpu_kernels.sort_pairs(pairs, begins, order)
    out = torch.empty(weights.shape)
    arrays = [_array(tensor) for tensor in (values, grad, multipliers / (2 * torch.pi))]
    target = out.numpy()

    def block(number: int) -> None:
        first, last = number * KERNELS, min((number + 1) * KERNELS, len(weights))
        _cpu_kernels.weight_gradient(*arrays, begins, order, target, first, last)

    run_tasks(block, -(-len(weights) // KERNELS))
    return out


def _over_points(loop: Callable[..., None], arguments: list[Any], count: int) -> None:
    def block(number: int) -> None:
        loop(*arguments, number * BLOCK, min((number + 1) * BLOCK, count))

    run_tasks(block, -(-count // BLOCK))


def _array(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().contiguous().numpy()
    return array
