"""A spectrum through a bank of wavelets and back, one band of bins at a time.

No table of filters is kept: a wavelet's values are computed where they count, its own band of
bins, and the results are written once, straight into their place.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from passband.frequency._extension import fast_length, filled
from passband.frequency._fresh import fresh
from passband.frequency._wavelets import Wavelet

# Complex values in flight: enough for two threads, little enough for the cache.
_IN_FLIGHT = 1 << 21
# Rows computed together: more, and their bands have less in common.
_ROWS = 8
_LEAST_MARGIN = 1024


class FilterPlan(NamedTuple):
    """Where each wavelet of a bank lies in a spectrum of ``size`` bins.

    Args:
        wavelet: the wavelet of scale 1.
        scales: scales, in samples.
        gains: what each row is multiplied by.
        bands: first bin of each wavelet, and the bin after its last.
        size: length of the padded signal, in samples.
        start: where the signal begins in it.
        length: samples of the signal.
    """

    wavelet: Wavelet
    scales: tuple[float, ...]
    gains: tuple[float, ...]
    bands: tuple[tuple[int, int], ...]
    size: int
    start: int
    length: int


def plan_filters(
    time: int,
    scales: Sequence[float],
    wavelet: Wavelet,
    *,
    norm: str,
    pad_mode: str,
    dtype: torch.dtype,
) -> FilterPlan:
    """Plan for a signal of ``time`` samples in real type ``dtype``."""
    size = time if pad_mode == "circular" else _padded(time, scales, wavelet)
    low, high = wavelet.edges(dtype)
    bands, gains = [], []
    for scale in scales:
        bins = size / (2 * math.pi * scale)
        first = min(max(0, math.floor(low * bins)), size // 2)
        bands.append((first, min(math.ceil(high * bins), size // 2) + 1))
        gains.append(1.0 if norm == "l1" else math.sqrt(scale / wavelet.energy))
    start = size - time - (size - time) // 2
    return FilterPlan(wavelet, tuple(scales), tuple(gains), tuple(bands), size, start, time)


def part_of(plan: FilterPlan, first: int, last: int) -> FilterPlan:
    """The rows ``first ... last - 1`` of the plan alone."""
    rows = slice(first, last)
    return plan._replace(scales=plan.scales[rows], gains=plan.gains[rows], bands=plan.bands[rows])


def summed_response(plan: FilterPlan, weights: Sequence[float], like: Tensor) -> Tensor:
    """``S[k] = sum_s w_s psi^_s[k]`` on bins ``0 ... size // 2``, as `analyse` weighs them."""
    total = torch.zeros(plan.size // 2 + 1, dtype=like.real.dtype, device=like.device)
    for first in range(0, len(plan.scales), _ROWS):
        rows = slice(first, min(first + _ROWS, len(plan.scales)))
        low, high = _band(plan, rows)
        total[low:high] += filled(weights[rows], total) @ _responses(plan, rows, like)
    return total


def analyse(spectrum: Tensor, plan: FilterPlan) -> Tensor:
    """Rows ``y_s[n] = (1 / size) sum_k psi^_s[k] X[k] exp(2 pi i k n / size)`` of the signal.

    Args:
        spectrum: ``(*batch, size // 2 + 1)``, bins from zero up.
        plan: the bank.

    Returns:
        Complex ``(*batch, scales, length)``.
    """
    if torch.compiler.is_compiling():
        return _analysed(spectrum, plan)  # the compiler derives the gradient, and wants to
    rows: Tensor = _Analysis.apply(spectrum, plan)
    return rows


def _analysed(spectrum: Tensor, plan: FilterPlan) -> Tensor:
    flat = spectrum.reshape(-1, spectrum.shape[-1])
    out = fresh((len(flat), len(plan.scales), plan.length), flat)
    inside = slice(plan.start, plan.start + plan.length)
    for rows, items, buffer in _blocks(flat, plan):
        low, high = _band(plan, rows)
        responses = _responses(plan, rows, flat)
        for some in items:
            held = buffer[: some.stop - some.start, : len(responses)]
            held[..., low:high] = flat[some, None, low:high] * responses
            out[some, rows] = torch.fft.ifft(held)[..., inside]
        buffer[..., low:high] = 0
    return out.reshape(*spectrum.shape[:-1], len(plan.scales), plan.length)


class _Analysis(torch.autograd.Function):
    """Linear, with `_Adjoint` as its gradient: nothing of the forward pass is kept."""

    generate_vmap_rule = True

    @staticmethod
    def forward(spectrum: Tensor, plan: FilterPlan) -> Tensor:
        return _analysed(spectrum, plan)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, FilterPlan], output: Tensor) -> None:
        ctx.plan = inputs[1]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _Adjoint.apply(grad, ctx.plan), None


class _Adjoint(torch.autograd.Function):
    """``X[k] = (1 / size) sum_s psi^_s[k] sum_n y_s[n] exp(-2 pi i k n / size)``."""

    generate_vmap_rule = True

    @staticmethod
    def forward(rows_in: Tensor, plan: FilterPlan) -> Tensor:
        flat = rows_in.reshape(-1, *rows_in.shape[-2:])
        out = flat.new_zeros(len(flat), plan.size // 2 + 1)
        inside = slice(plan.start, plan.start + plan.length)
        for rows, items, buffer in _blocks(flat[:, 0], plan):
            low, high = _band(plan, rows)
            responses = _responses(plan, rows, flat)
            for some in items:
                held = buffer[: some.stop - some.start, : len(responses)]
                held[..., inside] = flat[some, rows]
                spectra = torch.fft.fft(held, norm="forward")[..., low:high]
                out[some, low:high] += (spectra * responses).sum(1)
        return out.reshape(*rows_in.shape[:-2], plan.size // 2 + 1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, FilterPlan], output: Tensor) -> None:
        ctx.plan = inputs[1]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _Analysis.apply(grad, ctx.plan), None


def _band(plan: FilterPlan, rows: slice) -> tuple[int, int]:
    """The bins that any of the rows needs."""
    bands = plan.bands[rows]
    return min(low for low, _ in bands), max(high for _, high in bands)


def _responses(plan: FilterPlan, rows: slice, like: Tensor) -> Tensor:
    """Values of some wavelets on their `_band`, in the real type and on the device of ``like``."""
    low, high = _band(plan, rows)
    bins = torch.arange(low, high, device=like.device, dtype=like.real.dtype)
    step = filled([2 * math.pi * scale / plan.size for scale in plan.scales[rows]], bins)
    value = plan.wavelet.transform(bins * step[:, None])
    value = value * filled(plan.gains[rows], bins)[:, None]
    if 2 * (high - 1) == plan.size:
        # Half of the bin at half the rate belongs to the negative frequencies.
        value[:, -1:] *= 0.5
    return value


def _blocks(like: Tensor, plan: FilterPlan) -> Iterator[tuple[slice, list[slice], Tensor]]:
    """Rows and batch items to take together, and a zeroed buffer for them."""
    count = len(plan.scales)
    at_once = max(1, _IN_FLIGHT // plan.size)
    deep = min(_ROWS, at_once, count)
    some = max(1, min(len(like), at_once // deep))
    items = [slice(i, min(i + some, len(like))) for i in range(0, len(like), some)]
    buffer = like.new_zeros(some, deep, plan.size)
    for first in range(0, count, deep):
        yield slice(first, min(first + deep, count)), items, buffer


def _padded(time: int, scales: Sequence[float], wavelet: Wavelet) -> int:
    """Length to pad to: the reach of the longest wavelet on both sides, at most about double."""
    most = 1 << (1 + round(math.log2(time)))
    if wavelet.main_band[1] > math.pi * min(scales):
        return most  # cut at half the rate, a wavelet rings on for long
    margin = max(_LEAST_MARGIN, math.ceil(wavelet.reach * max(scales)))
    return min(most, fast_length(time + 2 * margin))
