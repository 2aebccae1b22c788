"""Tapered frames at arbitrary frequencies as one differentiable operation."""

from typing import Any

import torch
from torch import Tensor

from passband.frequency._framing import frame, overlap_add
from passband.frequency._nonuniform_plan import Band, NonuniformPlan

# Frames transformed at once on a CPU, so that their spectra stay in its cache.
_BLOCK = 256


def nonuniform_frames(
    x: Tensor, taper: Tensor, weights: Tensor, plan: NonuniformPlan, hop: int
) -> Tensor:
    """Transform of the frames of ``(items, time)``, in pairs ``(items, frames, 2 bins)``."""
    if torch.compiler.is_compiling():  # which follows no Function that has a forward derivative
        points = torch.fft.rfft(frame(x, taper.shape[-1], hop) * taper, n=plan.n_points)
        return _banded(torch.view_as_real(points).flatten(-2), weights, plan.bands)
    pairs: Tensor = _NonuniformFrames.apply(x, taper, weights, plan, hop)
    return pairs


class _NonuniformFrames(torch.autograd.Function):
    """Transform of tapered frames, as (real, imaginary) pairs ``(items, frames, 2 bins)``.

    Frames go through the FFT a cacheful at a time, and so do their gradients; autograd alone would
    keep every spectrum, and undo every slice of it with zeros of full size.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor, taper: Tensor, weights: Tensor, plan: NonuniformPlan, hop: int
    ) -> Tensor:
        frames = frame(x, taper.shape[-1], hop)
        out = None
        for items, part in _blocks(frames):
            points = torch.fft.rfft(frames[items, part] * taper, n=plan.n_points)
            flat = torch.view_as_real(points).flatten(-2)
            if out is None:
                out = flat.new_empty(*frames.shape[:2], 2 * plan.n_bins)
            for band, matrix in zip(plan.bands, _matrices(weights, plan.bands), strict=True):
                source = flat[..., 2 * band.first_point : 2 * band.last_point]
                out[items, part, 2 * band.first_bin : 2 * band.last_bin] = source @ matrix
        assert out is not None
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, taper, weights, ctx.plan, ctx.hop = inputs
        ctx.save_for_backward(x, taper, weights)
        ctx.save_for_forward(x, taper, weights)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None, None, None, None]:
        x, taper, weights = ctx.saved_tensors
        frames = frame(x, taper.shape[-1], ctx.hop)
        rows: dict[int, list[Tensor]] = {}
        tapers = []
        for items, part in _blocks(frames):
            adjoint = _adjoint(grads[0][items, part], weights, ctx.plan, taper.shape[-1])
            rows.setdefault(items.start, []).append(adjoint * taper)
            if ctx.needs_input_grad[1]:
                tapers.append((adjoint * frames[items, part]).sum((0, 1)))
        summed = [overlap_add(torch.cat(parts, dim=-2), ctx.hop) for parts in rows.values()]
        signal = torch.cat(summed)
        unseen = x.shape[-1] - signal.shape[-1]  # samples after the last whole frame
        return (
            torch.nn.functional.pad(signal, (0, unseen)),
            torch.stack(tapers).sum(0) if tapers else None,
            None,
            None,
            None,
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        x, taper, weights = ctx.saved_tensors
        rest = (weights, ctx.plan, ctx.hop)
        pairs = ((tangents[0], taper), (x, tangents[1]))
        parts = [
            nonuniform_frames(*pair, *rest)
            for pair in pairs
            if pair[0] is not None and pair[1] is not None
        ]
        return torch.stack(parts).sum(0)


def _blocks(frames: Tensor) -> list[tuple[slice, slice]]:
    """Items and frames to transform at once."""
    n_items, count = frames.shape[:2]
    block = _BLOCK if frames.device.type == "cpu" else 16 * _BLOCK
    step = max(1, block // count)
    block = -(-count // -(-count // block))
    return [
        (slice(item, item + step), slice(start, start + block))
        for item in range(0, n_items, step)
        for start in range(0, count, block)
    ]


def _adjoint(pairs: Tensor, weights: Tensor, plan: NonuniformPlan, n_fft: int) -> Tensor:
    """Gradient of the frames, from the gradient of (real, imaginary) pairs."""
    half = plan.n_points // 2
    flat: Tensor = _BandedAdjoint.apply(pairs, weights, plan.bands, 2 * half + 2)
    points = torch.view_as_complex(flat.reshape(*flat.shape[:-1], -1, 2))
    # irfft counts the points between the first and the last twice, once as their mirror image.
    both = points.new_full((half + 1,), 0.5, dtype=pairs.dtype)
    both[0] = both[-1] = 1
    frames: Tensor = torch.fft.irfft(points * both, n=plan.n_points, norm="forward")
    return frames[..., :n_fft]


class _BandedAdjoint(torch.autograd.Function):
    """``x[band] += y[band] @ weights[band].T``: bands overlap, so that their sums are in place."""

    generate_vmap_rule = True

    @staticmethod
    def forward(bins: Tensor, weights: Tensor, bands: tuple[Band, ...], width: int) -> Tensor:
        out = bins.new_zeros(*bins.shape[:-1], width)
        for band, matrix in zip(bands, _matrices(weights, bands), strict=True):
            part = bins[..., 2 * band.first_bin : 2 * band.last_bin]
            out[..., 2 * band.first_point : 2 * band.last_point] += part @ matrix.mT
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, weights, ctx.bands, ctx.width = inputs
        ctx.save_for_backward(weights)
        ctx.save_for_forward(weights)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (weights,) = ctx.saved_tensors
        return _banded(grads[0], weights, ctx.bands), None, None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        (weights,) = ctx.saved_tensors
        adjoint: Tensor = _BandedAdjoint.apply(tangents[0], weights, ctx.bands, ctx.width)
        return adjoint


def _banded(points: Tensor, weights: Tensor, bands: tuple[Band, ...]) -> Tensor:
    products = [
        points[..., 2 * band.first_point : 2 * band.last_point] @ matrix
        for band, matrix in zip(bands, _matrices(weights, bands), strict=True)
    ]
    return torch.cat(products, dim=-1)


def _matrices(weights: Tensor, bands: tuple[Band, ...]) -> list[Tensor]:
    shapes = [(2 * (b.last_point - b.first_point), 2 * (b.last_bin - b.first_bin)) for b in bands]
    flat = torch.split(weights, [rows * columns for rows, columns in shapes])
    return [part.view(shape) for part, shape in zip(flat, shapes, strict=True)]
