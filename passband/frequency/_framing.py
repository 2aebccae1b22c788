"""Cutting a signal into overlapping frames, and the adjoint: adding frames back where they were."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_positive


def frame(
    x: Float[Tensor, "*batch time"], frame_length: int, hop_length: int
) -> Float[Tensor, "*batch frames {frame_length}"]:
    """Overlapping frames ``y[k, n] = x[k hop + n]``, as a view: no sample is copied.

    Samples after the last whole frame are left out.

    Args:
        x: signal, at least ``frame_length`` samples long.
        frame_length: samples in a frame, at least 1.
        hop_length: samples from one frame to the next, at least 1; may exceed ``frame_length``.

    Returns:
        Frames ``(*batch, 1 + (time - frame_length) // hop_length, frame_length)``, sharing the
        memory of ``x``.

    Raises:
        ValueError: for a length or hop below 1, or a signal shorter than a frame.

    Example:
        >>> frame(torch.arange(6.0), 4, 2)
        tensor([[0., 1., 2., 3.],
                [2., 3., 4., 5.]])

    Agrees with ``librosa.util.frame`` (transposed) exactly.
    """
    require_positive("frame_length", frame_length, "Pass the samples in a frame, e.g. 1024.")
    require_positive("hop_length", hop_length, "Pass e.g. frame_length // 4.")
    if x.shape[-1] < frame_length:
        raise ValueError(
            f"`frame_length` (={frame_length}) must be at most the {x.shape[-1]} samples of `x`. "
            "Shorten the frame or pad the signal."
        )
    return x.unfold(-1, frame_length, hop_length)


def overlap_add(
    frames: Float[Tensor, "*batch frames length"], hop_length: int
) -> Float[Tensor, "*batch time"]:
    """Sum of shifted frames ``x[t] = sum_k y[k, t - k hop]``, the adjoint of `frame`.

    Args:
        frames: frames ``(*batch, frames, frame_length)``, at least one.
        hop_length: samples from one frame to the next, at least 1; may exceed ``frame_length``.

    Returns:
        Signal of ``(frames - 1) * hop_length + frame_length`` samples.

    Raises:
        ValueError: for a hop below 1 or no frames.

    Example:
        >>> overlap_add(torch.ones(3, 4), 2)
        tensor([1., 1., 2., 2., 2., 2., 1., 1.])

    Agrees with the gradient of `frame`, and with ``torch.nn.functional.fold``, to 1e-12.
    """
    require_positive("hop_length", hop_length, "Pass e.g. frame_length // 4.")
    if frames.ndim < 2 or 0 in frames.shape[-2:]:
        raise ValueError(
            f"`frames` (shape {tuple(frames.shape)}) must be (*batch, frames, frame_length) with "
            "at least one frame and one sample. Check the axes."
        )
    if torch.compiler.is_compiling():  # which follows no Function that has a forward derivative
        return _OverlapAdd.forward(frames, hop_length)
    summed: Tensor = _OverlapAdd.apply(frames, hop_length)
    return summed


class _OverlapAdd(torch.autograd.Function):
    """Adds frames in place, which autograd alone would undo one clone per addition."""

    generate_vmap_rule = True

    @staticmethod
    def forward(frames: Tensor, hop_length: int) -> Tensor:
        count, length = frames.shape[-2:]
        blocks = -(-length // hop_length)
        if blocks * hop_length != length:
            frames = torch.nn.functional.pad(frames, (0, blocks * hop_length - length))
        pieces = frames.reshape(*frames.shape[:-1], blocks, hop_length)
        out = frames.new_zeros(*frames.shape[:-2], count + blocks - 1, hop_length)
        for block in range(blocks):
            out[..., block : block + count, :] += pieces[..., block, :]
        return out.flatten(-2)[..., : (count - 1) * hop_length + length]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
        frames, ctx.hop_length = inputs
        ctx.frame_length = frames.shape[-1]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return frame(grads[0], ctx.frame_length, ctx.hop_length), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        return overlap_add(tangents[0], ctx.hop_length)
