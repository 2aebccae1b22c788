"""The hash grid on the processor: the reference's values from compiled loops.

Features, Jacobian, gradients and gradients of gradients are compiled; derivatives beyond, and
those of the Jacobian's gradients, are taken through the reference: right, and as slow as it.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from passband.errors import InputError
from passband.inr.kernels.hashgrid import _cpu_passes as passes
from passband.inr.kernels.hashgrid import _reference
from passband.inr.kernels.hashgrid._layout import HashGridLayout


def encode(x01: Tensor, table: Tensor, layout: HashGridLayout) -> Tensor:
    """Features of each level, side by side, of at least one float32 point."""
    _check(x01, table)
    encoded: Tensor = _Encode.apply(x01, table, layout)
    return encoded


def encode_with_jacobian(
    x01: Tensor, table: Tensor, layout: HashGridLayout
) -> tuple[Tensor, Tensor]:
    """Features and their derivatives (points, encoded, d)."""
    _check(x01, table)
    encoded, jacobian = _EncodeWithJacobian.apply(x01, table, layout)
    return encoded, jacobian


def _check(x01: Tensor, table: Tensor) -> None:
    if x01.device.type != "cpu" or x01.dtype != torch.float32:
        raise InputError(
            f"`backend` (='cpu') needs float32 tensors on the processor; got {x01.dtype} on "
            f"{x01.device}. Use backend='reference'."
        )
    if table.numel() >= 2**32:  # rows are found with 32-bit numbers
        raise InputError(
            f"`backend` (='cpu') takes tables of less than 2^32 features; got {table.numel()}. "
            f"Use backend='reference'."
        )


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x01: Tensor, table: Tensor, layout: HashGridLayout) -> Tensor:
        ctx.save_for_backward(x01, table)
        ctx.points = passes.Points.of(x01, layout)
        return passes.features(ctx.points, table)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x01, table = ctx.saved_tensors
        return *_Backward.apply(grads[0], x01, table, ctx.points, *ctx.needs_input_grad[:2]), None


class _Backward(torch.autograd.Function):
    """Gradients of points and table; linear in that of the features."""

    @staticmethod
    def forward(
        ctx: Any,
        grad: Tensor,
        x01: Tensor,
        table: Tensor,
        points: passes.Points,
        wants_points: bool,
        wants_table: bool,
    ) -> tuple[Tensor | None, Tensor | None]:
        ctx.save_for_backward(grad, x01, table)
        ctx.set_materialize_grads(False)
        ctx.points, ctx.wants = points, (wants_points, wants_table)
        return (
            passes.points_gradient(points, table, grad) if wants_points else None,
            passes.table_gradient(points, grad) if wants_table else None,
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        grad, x01, table = ctx.saved_tensors
        direction, added = grads
        found: list[Tensor | None] = [None, None, None]
        if torch.is_grad_enabled():
            encoded = _reference.encode(x01, table, ctx.points.layout)
            wanted = [t for t, wants in zip((x01, table), ctx.wants, strict=True) if wants]
            firsts = torch.autograd.grad(encoded, wanted, grad, create_graph=True)
            kept = [g for g, wants in zip(grads, ctx.wants, strict=True) if wants]
            found = _gradients(firsts, (grad, x01, table), kept)
        elif direction is not None or added is not None:
            found = _second(ctx, grad, table, direction, added)
        return *found, None, None, None


def _second(
    ctx: Any, grad: Tensor, table: Tensor, direction: Tensor | None, added: Tensor | None
) -> list[Tensor | None]:
    """Gradients of ``sum(direction points_gradient) + sum(added table_gradient)``."""
    wants_grad, wants_points, wants_table = ctx.needs_input_grad[:3]
    points = ctx.points
    found: list[Tensor | None] = [None, None, None]
    if wants_grad:
        found[0] = passes.features_along(points, table, direction, added)
    if wants_points and added is not None:
        found[1] = passes.points_gradient(points, added, grad)
    if direction is not None:
        along = passes.SlopeGradients.along(grad, direction)
        if wants_points:
            bent = passes.second_points_gradient(points, table, along)
            found[1] = bent if found[1] is None else bent.add_(found[1])
        if wants_table:
            found[2] = passes.second_table_gradient(points, along)
    return found


class _EncodeWithJacobian(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x01: Tensor, table: Tensor, layout: HashGridLayout
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(x01, table)
        ctx.set_materialize_grads(False)
        ctx.points = passes.Points.of(x01, layout)
        return passes.features_and_jacobian(ctx.points, table)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, Tensor | None, None]:
        x01, table = ctx.saved_tensors
        grad, slopes = grads
        wants_points, wants_table, _ = ctx.needs_input_grad
        if torch.is_grad_enabled():
            outputs = _reference.encode_with_jacobian(x01, table, ctx.points.layout)
            found = _gradients(outputs, (x01, table), grads)
            return found[0], found[1], None
        if slopes is None:
            if grad is None:
                return None, None, None
            return (
                passes.points_gradient(ctx.points, table, grad) if wants_points else None,
                passes.table_gradient(ctx.points, grad) if wants_table else None,
                None,
            )
        if grad is None:
            grad = slopes.new_zeros(slopes.shape[:2])
        given = passes.SlopeGradients.of_jacobian(grad, slopes)
        return (
            passes.second_points_gradient(ctx.points, table, given) if wants_points else None,
            passes.second_table_gradient(ctx.points, given) if wants_table else None,
            None,
        )


def _gradients(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], grads: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """Of the inputs that want one, differentiable; nothing for those that do not."""
    given = [(out, grad) for out, grad in zip(outputs, grads, strict=True) if grad is not None]
    wanted = [tensor for tensor in inputs if tensor.requires_grad]
    if not given or not wanted:
        return [None for _ in inputs]
    heads, slopes = zip(*given, strict=True)
    found = iter(torch.autograd.grad(heads, wanted, slopes, create_graph=True, allow_unused=True))
    return [next(found) if tensor.requires_grad else None for tensor in inputs]
