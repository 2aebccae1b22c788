"""The hash grid on a CUDA GPU: the reference's values from Triton kernels.

Features, Jacobian, gradients and gradients of gradients are kernels; derivatives beyond, and those
of the Jacobian's gradients, are taken through the reference. Tables may be float32, float16 or
bfloat16; positions, weights and sums are float32 in any case. Gradients are sums in no fixed order:
two runs differ in the last bits.
"""

from typing import Any

import torch
from torch import Tensor
from triton import knobs

from passband.errors import InputError
from passband.inr.kernels.hashgrid import _reference, _triton_backward, _triton_forward
from passband.inr.kernels.hashgrid._layout import HashGridLayout

_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def encode(x01: Tensor, table: Tensor, layout: HashGridLayout) -> Tensor:
    """Features of each level, side by side, of at least one point, in the table's dtype."""
    _check(x01, table)
    encoded: Tensor = _Encode.apply(x01.float(), table, layout)
    return encoded


def encode_with_jacobian(
    x01: Tensor, table: Tensor, layout: HashGridLayout
) -> tuple[Tensor, Tensor]:
    """Features and their derivatives (points, encoded, d), those in the dtype of the points."""
    _check(x01, table)
    encoded, jacobian = _EncodeWithJacobian.apply(x01.float(), table, layout)
    return encoded, jacobian.to(x01.dtype)


def _check(x01: Tensor, table: Tensor) -> None:
    for name, tensor in (("x01", x01), ("table", table)):
        on_gpu = tensor.device.type == "cuda" or knobs.runtime.interpret
        if not on_gpu or tensor.dtype not in _DTYPES:
            raise InputError(
                f"`backend` (='cuda') needs float32, float16 or bfloat16 tensors on a CUDA GPU; "
                f"`{name}` is {tensor.dtype} on {tensor.device}. Use backend='reference'."
            )


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, table: Tensor, layout: HashGridLayout) -> Tensor:
        ctx.save_for_backward(x, table)
        ctx.layout = layout
        return _triton_forward.forward(x.contiguous(), table.contiguous(), layout)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, table = ctx.saved_tensors
        points, rows, _ = ctx.needs_input_grad
        point_grad, table_grad = _EncodeBackward.apply(grads[0], x, table, ctx.layout, points, rows)
        return point_grad, table_grad, None


class _EncodeBackward(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        grad: Tensor,
        x: Tensor,
        table: Tensor,
        layout: HashGridLayout,
        points: bool,
        rows: bool,
    ) -> tuple[Tensor | None, Tensor | None]:
        ctx.save_for_backward(grad, x, table)
        ctx.layout = layout
        ctx.set_materialize_grads(False)
        point_grad, table_grad = _triton_backward.backward(
            x.contiguous(), table.contiguous(), grad, layout, points=points, rows=rows
        )
        return point_grad, _as(table, table_grad)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        grad, x, table = ctx.saved_tensors
        wants_grad, points, rows = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():
            return *_third(ctx, grads), None, None, None
        x, plain = x.contiguous(), table.contiguous()
        to_points, to_table = (None if g is None else g.contiguous() for g in grads)
        grad_grad = None
        if wants_grad:
            sloped = None if to_points is None else plain
            grad_grad = _triton_forward.interpolate(
                x, to_table, sloped, to_points, ctx.layout, grad.dtype
            )
        point_grad, table_grad = _triton_backward.backward_of_points(
            x, plain, grad, to_points, to_table, ctx.layout, points=points, rows=rows
        )
        return grad_grad, point_grad, _as(table, table_grad), None, None, None


class _EncodeWithJacobian(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, table: Tensor, layout: HashGridLayout
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(x, table)
        ctx.layout = layout
        ctx.set_materialize_grads(False)
        return _triton_forward.forward_with_jacobian(x.contiguous(), table.contiguous(), layout)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, Tensor | None, None]:
        grad, jacobian_grad = grads
        x, table = ctx.saved_tensors
        points, rows, _ = ctx.needs_input_grad
        if torch.is_grad_enabled():
            x, table = _aliases((x, table))
            both = _reference.encode_with_jacobian(x, table.float(), ctx.layout)
            point_grad, table_grad = _again(both, grads, (x, table))
            return point_grad, table_grad, None
        x, plain = x.contiguous(), table.contiguous()
        if jacobian_grad is None:
            assert grad is not None  # else there is nothing to go back from
            point_grad, table_grad = _triton_backward.backward(
                x, plain, grad, ctx.layout, points=points, rows=rows
            )
        else:
            point_grad, table_grad = _triton_backward.backward_of_jacobian(
                x, plain, grad, jacobian_grad, ctx.layout, points=points, rows=rows
            )
        return point_grad, _as(table, table_grad), None


def _third(ctx: Any, cotangents: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    """What :class:`_EncodeBackward` gives back, differentiable once more."""
    grad, x, table = _aliases(ctx.saved_tensors)
    encoded = _reference.encode(x, table.float(), ctx.layout)
    first = _again((encoded,), (grad,), (x, table))
    return _again(first, cotangents, (grad, x, table))


def _aliases(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Tensors to differentiate in, none a function of another, as a gradient is of the points."""
    return tuple(tensor.view_as(tensor) for tensor in tensors)


def _again(
    outputs: tuple[Tensor | None, ...],
    cotangents: tuple[Tensor | None, ...],
    inputs: tuple[Tensor, ...],
) -> tuple[Tensor | None, ...]:
    """Gradients of the outputs that have a cotangent, in the inputs that want one."""
    pairs = [
        (o, c.to(o.dtype))
        for o, c in zip(outputs, cotangents, strict=True)
        if o is not None and c is not None
    ]
    wanted = [tensor for tensor in inputs if tensor.requires_grad]
    values, grads = [o for o, _ in pairs], [c for _, c in pairs]
    found = iter(torch.autograd.grad(values, wanted, grads, create_graph=True, allow_unused=True))
    return tuple(next(found) if tensor.requires_grad else None for tensor in inputs)


def _as(like: Tensor, grad: Tensor | None) -> Tensor | None:
    return None if grad is None else grad.to(like.dtype)
