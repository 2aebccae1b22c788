"""Products of overlapping frames with a matrix, and the adjoint, at the cost of a product each."""

from typing import Any

import torch
from torch import Tensor

from passband.frequency._framing import frame, overlap_add


def framed_product(x: Tensor, kernel: Tensor, hop_length: int) -> Tensor:
    """``y[k, c] = sum_n x[k hop + n] kernel[n, c]`` for every whole frame.

    Args:
        x: real signal ``(*batch, time)``, at least as long as a frame.
        kernel: ``(frame_length, columns)``.
        hop_length: samples from one frame to the next.

    Returns:
        ``(*batch, frames, columns)``.
    """
    # A compiler follows no Function that has a forward derivative; without a gradient none is due.
    if torch.compiler.is_compiling() or not torch.is_grad_enabled():
        return _FramedProduct.forward(x, kernel, hop_length)
    product: Tensor = _FramedProduct.apply(x, kernel, hop_length)
    return product


class _FramedProduct(torch.autograd.Function):
    """Keeps the signal, not its frames, and adds gradients back frame by frame."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, kernel: Tensor, hop_length: int) -> Tensor:
        frames = frame(x, kernel.shape[0], hop_length)
        # One flat product: a batched one over few long items is slower.
        product = frames.reshape(-1, kernel.shape[0]) @ kernel
        return product.reshape(*frames.shape[:-1], -1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:
        x, kernel, ctx.hop_length = inputs
        ctx.save_for_backward(x, kernel)
        ctx.save_for_forward(x, kernel)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, kernel = ctx.saved_tensors
        (grad,) = grads
        to_x = to_kernel = None
        if ctx.needs_input_grad[0]:
            seen = overlap_add(grad @ kernel.mT, ctx.hop_length)
            to_x = torch.nn.functional.pad(seen, (0, x.shape[-1] - seen.shape[-1]))
        if ctx.needs_input_grad[1]:
            frames = frame(x, kernel.shape[0], ctx.hop_length)
            to_kernel = frames.flatten(0, -2).mT @ grad.flatten(0, -2)
        return to_x, to_kernel, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        x, kernel = ctx.saved_tensors
        of_x, of_kernel, _ = tangents
        parts = []
        if of_x is not None:
            parts.append(framed_product(of_x, kernel, ctx.hop_length))
        if of_kernel is not None:
            parts.append(framed_product(x, of_kernel, ctx.hop_length))
        return sum(parts[1:], parts[0])
