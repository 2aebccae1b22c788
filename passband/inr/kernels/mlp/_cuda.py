"""The network on a CUDA GPU: its Triton kernels and their place in autograd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from passband.inr.kernels.mlp import _reference, _triton_backward, _triton_forward

# Gradients below 2^-100 come from a loss that is zero for all purposes.
_LEAST_EXPONENT = -100


def linear_output(
    x: Tensor, weights: Sequence[Tensor], activation: str, precision: torch.dtype
) -> Tensor:
    """The last layer's linear output (points, out), in the dtype of ``x``, of at least one point.

    Where gradients are differentiated again (``create_graph=True``) they are taken through the
    reference with the same roundings.
    """
    trained = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (x, *weights))
    values: Tensor = _LinearOutput.apply(x, activation, precision, trained, *weights)
    return values


class _LinearOutput(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        activation: str,
        precision: torch.dtype,
        trained: bool,
        *weights: Tensor,
    ) -> Tensor:
        first, *inner, last = (weight.detach().to(precision).contiguous() for weight in weights)
        hidden = torch.stack(inner) if inner else first.new_empty(0, len(first), len(first))
        out, saved = _triton_forward.forward(
            x.contiguous(), first, hidden, last, relu=activation == "relu", save=trained
        )
        ctx.save_for_backward(x, first, hidden, last, saved, *weights)
        ctx.activation, ctx.precision = activation, precision
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, first, hidden, last, saved, *weights = ctx.saved_tensors
        needs_x, _, _, _, *needs_weights = ctx.needs_input_grad
        if torch.is_grad_enabled():
            x_grad, *weight_grads = _again(ctx, grads[0], x, weights)
            return x_grad, None, None, None, *weight_grads
        x = x.contiguous()
        scale = _scale(grads[0])
        grad = (grads[0] * scale).to(ctx.precision).contiguous()
        deltas, x_grad = _triton_backward.point_gradients(
            x, grad, scale, first, hidden, last, saved,
            relu=ctx.activation == "relu", inputs=needs_x,
        )  # fmt: skip
        pairs = zip((*deltas, grad), (x, *saved), needs_weights, weights, strict=True)
        weight_grads = [
            (_triton_backward.weight_gradient(delta, active) / scale).to(weight.dtype)
            if needed else None
            for delta, active, needed, weight in pairs
        ]  # fmt: skip
        return x_grad, None, None, None, *weight_grads


def _scale(grad: Tensor) -> Tensor:
    """The power of two that brings the largest gradient to between 1/2 and 1."""
    largest = grad.detach().float().abs().amax()
    exponent = torch.frexp(largest.nan_to_num(1.0, posinf=1.0)).exponent.clamp(_LEAST_EXPONENT)
    return torch.ldexp(torch.ones_like(largest), -exponent)


def _again(ctx: Any, grad: Tensor, x: Tensor, weights: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradients, differentiable once more."""
    # Aliases: no input is then a function of another, whose gradient would be added to its own.
    inputs = [tensor.view_as(tensor) for tensor in (x, *weights)]
    wanted = [tensor for tensor in inputs if tensor.requires_grad]
    values = _reference.rounded_linear_output(inputs[0], inputs[1:], ctx.activation, ctx.precision)
    found = iter(torch.autograd.grad(values, wanted, grad.float(), create_graph=True))
    return [next(found) if tensor.requires_grad else None for tensor in inputs]
