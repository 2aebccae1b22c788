"""Spectra of frames, block by block: what lies between signal and result never leaves the cache.

A whole complex spectrum is several times the signal, and writing it to fresh memory costs more than
the transform. Here a block of frames is windowed, transformed, squared and filtered at once, and
the backward pass makes the block's spectrum again rather than keep it.
"""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._framing import frame, overlap_add
from passband.frequency._fresh import fresh
from passband.frequency._magnitude import magnitude

# Samples in a block of frames: with its spectrum about as much as a core's own cache holds.
_BLOCK = 3 * 2**17

# Filters in a group: enough for a matrix product to be worth its call.
_GROUP = 32

Ranges = tuple[tuple[slice, slice], ...]


def filter_ranges(filters: Float[Tensor, "bins filters"]) -> Ranges:
    """Where filters are nonzero: the bins, and the filters, of groups of neighbouring filters.

    Args:
        filters: ``(bins, filters)``.

    Returns:
        For each group its bins and its filters, as slices.

    Example:
        >>> filter_ranges(torch.eye(100)[:, 20:90])[1]
        (slice(52, 84, None), slice(32, 64, None))
    """
    used = filters.detach() != 0
    ranges = []
    for first in range(0, filters.shape[1], _GROUP):
        group = slice(first, min(first + _GROUP, filters.shape[1]))
        bins = used[:, group].any(1).nonzero()
        low, high = (int(bins[0]), int(bins[-1]) + 1) if len(bins) else (0, 0)
        ranges.append((slice(low, high), group))
    return tuple(ranges)


def block_spectrum(
    x: Tensor,
    taper: Tensor,
    hop_length: int,
    power: float | None,
    filters: Tensor | None = None,
    ranges: Ranges | None = None,
) -> Tensor:
    """``|rfft(frames * taper)| ** power @ filters``, as ``(*batch, frames, bins or filters)``.

    Args:
        x: signal, padded; at least as long as ``taper``.
        taper: the window, of frame length.
        hop_length: samples from one frame to the next.
        power: above 0; None for the complex spectrum, without filters.
        filters: ``(bins, filters)``, or None.
        ranges: of ``filters``, as `filter_ranges` gives them, or None for filters that may be
            nonzero anywhere.
    """
    if not in_blocks(x, taper, filters):
        return _at_once(x, taper, hop_length, power, filters)
    if filters is None:
        ranges = ()
    elif ranges is None:
        ranges = ((slice(0, filters.shape[0]), slice(0, filters.shape[1])),)
    flat = x.reshape(-1, x.shape[-1])
    out: Tensor = _BlockSpectrum.apply(flat, taper, hop_length, power, filters, ranges)
    return out.reshape(*x.shape[:-1], *out.shape[-2:])


def in_blocks(x: Tensor, *constants: Tensor | None) -> bool:
    """Whether to work in blocks: on a CPU, run as it stands, for gradients of the signal only."""
    traced = (
        torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
        or torch._C._are_functorch_transforms_active()
        or torch.autograd.forward_ad._current_level >= 0
    )
    trained = torch.is_grad_enabled() and any(c is not None and c.requires_grad for c in constants)
    return x.device.type == "cpu" and x.numel() > 0 and not traced and not trained


def _at_once(
    x: Tensor, taper: Tensor, hop_length: int, power: float | None, filters: Tensor | None
) -> Tensor:
    frames = frame(x, taper.shape[-1], hop_length) * taper
    spectrum: Tensor = torch.fft.rfft(frames)
    if power is None:
        return spectrum
    values = magnitude(spectrum, power=power)
    return values if filters is None else values @ filters


class _BlockSpectrum(torch.autograd.Function):
    @staticmethod
    def forward(
        x: Tensor,
        taper: Tensor,
        hop_length: int,
        power: float | None,
        filters: Tensor | None,
        ranges: Ranges,
    ) -> Tensor:
        frames = frame(x, taper.shape[-1], hop_length)
        banks = _banks(filters, ranges)
        bins = taper.shape[-1] // 2 + 1 if filters is None else filters.shape[1]
        dtype = x.dtype.to_complex() if power is None else x.dtype
        out = fresh((*frames.shape[:-1], bins), x, dtype)
        for block in blocks(*frames.shape):
            spectrum = torch.fft.rfft(frames[block] * taper)
            values = spectrum if power is None else _power(spectrum, power)
            if filters is None:
                out[block] = values
                continue
            # A block is part of one item or all of several: its rows of the result lie together.
            rows, place = values.flatten(0, 1), out[block].flatten(0, 1)
            for (used, group), bank in zip(ranges, banks, strict=True):
                torch.mm(rows[:, used], bank, out=place[:, group])
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, taper, ctx.hop_length, ctx.power, filters, ctx.ranges = inputs
        ctx.save_for_backward(x, taper, filters)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, taper, filters = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted
            y = _at_once(x, taper, ctx.hop_length, ctx.power, filters)
            (dx,) = torch.autograd.grad(y, x, grads[0], create_graph=True)
            return dx, None, None, None, None, None
        frames = frame(x, taper.shape[-1], ctx.hop_length)
        banks = _banks(filters, ctx.ranges)
        dx = torch.zeros_like(x)
        for items, times in blocks(*frames.shape):
            block = frames[items, times] * taper
            grad = grads[0][items, times]
            spectrum = _gradient_spectrum(block, grad, ctx.power, banks, ctx.ranges)
            spread = torch.fft.irfft(spectrum, n=taper.shape[-1], norm="forward").mul_(taper)
            added = overlap_add(spread, ctx.hop_length)
            start = times.start * ctx.hop_length
            dx[items, start : start + added.shape[-1]] += added
        return dx, None, None, None, None, None


def _banks(filters: Tensor | None, ranges: Ranges) -> list[Tensor]:
    return [] if filters is None else [filters[used, group].contiguous() for used, group in ranges]


def blocks(items: int, count: int, length: int) -> Iterator[tuple[slice, slice]]:
    """Items and frames, of ``length`` samples each, to work on at once."""
    times = max(16, _BLOCK // length)
    together = max(1, times // count)
    for item in range(0, items, together):
        for time in range(0, count, times):
            yield slice(item, item + together), slice(time, time + times)


def _power(spectrum: Tensor, power: float) -> Tensor:
    """``|X| ** power``; the spectrum is overwritten."""
    squares = torch.view_as_real(spectrum).square_()
    values = squares[..., 0] + squares[..., 1]
    if power == 2:
        return values
    return values.sqrt_() if power == 1 else values.pow_(power / 2)


def _gradient_spectrum(
    block: Tensor, grad: Tensor, power: float | None, banks: list[Tensor], ranges: Ranges
) -> Tensor:
    """The half spectrum whose inverse transform is the gradient of the windowed frames."""
    if power is None:
        half = grad * 0.5
    else:
        half = torch.fft.rfft(block)
        if banks:
            grad = _unfiltered(grad, banks, ranges, half.shape[-1])
        half = half * (grad * _slope(half, power))
    # The inverse transform counts each bin twice, for itself and its mirror image; these have none.
    half[..., 0] *= 2
    if block.shape[-1] % 2 == 0:
        half[..., -1] *= 2
    return half


def _unfiltered(grad: Tensor, banks: list[Tensor], ranges: Ranges, bins: int) -> Tensor:
    rows = grad.reshape(-1, grad.shape[-1])
    spread = rows.new_zeros(len(rows), bins)
    for (used, group), bank in zip(ranges, banks, strict=True):
        spread[:, used].addmm_(rows[:, group], bank.mT)
    return spread.reshape(*grad.shape[:-1], bins)


def _slope(spectrum: Tensor, power: float) -> Tensor | float:
    """Half of ``d |X| ** power / d X``, over ``X``: zero at silence."""
    if power == 2:
        return 1.0
    squares = torch.view_as_real(spectrum).square()
    squares = squares[..., 0] + squares[..., 1]
    slope = squares.pow(power / 2 - 1).mul_(power / 2)
    return slope.masked_fill_(squares <= torch.finfo(squares.dtype).tiny, 0)
