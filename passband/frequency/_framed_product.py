"""Products of overlapping frames with matrices, and the adjoint, at the cost of a product each."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from passband.frequency._framing import frame, overlap_add


def framed_products(
    x: Tensor, kernels: Sequence[Tensor], offsets: Sequence[int], hop_length: int
) -> Tensor:
    """``y[k, c] = sum_n x[k hop + offset + n] kernel[n, c]``, the kernels' columns side by side.

    Args:
        x: real signal ``(*batch, time)``, at least as long as a frame.
        kernels: each ``(taps, columns)``.
        offsets: where in the frame each kernel begins, one of them at 0. The frame ends with the
            kernel that ends last.
        hop_length: samples from one frame to the next.

    Returns:
        ``(*batch, frames, columns)``, one for every whole frame.
    """
    # A compiler follows no Function that has a forward derivative; without a gradient none is due.
    if torch.compiler.is_compiling() or not torch.is_grad_enabled():
        return _FramedProducts.forward(x, tuple(offsets), hop_length, *kernels)
    product: Tensor = _FramedProducts.apply(x, tuple(offsets), hop_length, *kernels)
    return product


class _FramedProducts(torch.autograd.Function):
    """Keeps the signal, not its frames, and adds gradients back frame by frame."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, offsets: tuple[int, ...], hop_length: int, *kernels: Tensor) -> Tensor:
        frames = frame(x, _length(offsets, kernels), hop_length)
        # One flat product each: a batched one over few long items is slower.
        rows = frames.reshape(-1, frames.shape[-1])
        parts = [
            rows[:, offset : offset + kernel.shape[0]] @ kernel
            for offset, kernel in zip(offsets, kernels, strict=True)
        ]
        joined = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        return joined.reshape(*frames.shape[:-1], -1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, ctx.offsets, ctx.hop_length, *kernels = inputs
        ctx.save_for_backward(x, *kernels)
        ctx.save_for_forward(x, *kernels)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, *kernels = ctx.saved_tensors
        parts = grads[0].split([kernel.shape[1] for kernel in kernels], dim=-1)
        length = _length(ctx.offsets, kernels)
        to_x = None
        if ctx.needs_input_grad[0]:
            spread = [
                pad(part @ kernel.mT, (offset, length - offset - kernel.shape[0]))
                for part, kernel, offset in zip(parts, kernels, ctx.offsets, strict=True)
            ]
            seen = overlap_add(sum(spread[1:], spread[0]), ctx.hop_length)
            to_x = pad(seen, (0, x.shape[-1] - seen.shape[-1]))
        to_kernels: list[Tensor | None] = []
        frames = frame(x, length, ctx.hop_length)
        for needed, part, kernel, offset in zip(
            ctx.needs_input_grad[3:], parts, kernels, ctx.offsets, strict=True
        ):
            under = frames[..., offset : offset + kernel.shape[0]]
            to_kernels.append(under.flatten(0, -2).mT @ part.flatten(0, -2) if needed else None)
        return to_x, None, None, *to_kernels

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        x, *kernels = ctx.saved_tensors
        of_x, _, _, *of_kernels = tangents
        parts = []
        if of_x is not None:
            parts.append(framed_products(of_x, kernels, ctx.offsets, ctx.hop_length))
        if any(tangent is not None for tangent in of_kernels):
            moved = [
                torch.zeros_like(kernel) if tangent is None else tangent
                for kernel, tangent in zip(kernels, of_kernels, strict=True)
            ]
            parts.append(framed_products(x, moved, ctx.offsets, ctx.hop_length))
        return sum(parts[1:], parts[0])


def _length(offsets: Sequence[int], kernels: Sequence[Tensor]) -> int:
    return max(o + kernel.shape[0] for o, kernel in zip(offsets, kernels, strict=True))
