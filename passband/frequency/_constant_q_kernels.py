"""Design of the constant-Q transform: each filter at the lowest rate that still carries it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from passband.frequency._constant_q import (
    constant_q_filter,
    filter_lengths,
    relative_bandwidth,
    require_below_nyquist,
    require_hertz,
)
from passband.frequency._constant_q_rates import deepest_level, noise_bandwidth
from passband.frequency._decimation import (
    FACTOR,
    REACH,
    decimation_blocks,
    low_pass_filter,
)
from passband.frequency._validate import require_between, require_positive

# Samples at a filter's ends that together hold less than this part of its norm are left out.
_TRIMMED = 2e-6
# Filters share one product up to this many, which a product does at hardly the cost of one, and
# beyond while the longest is at most this much longer than the shortest.
_GROUP, _GROUP_RATIO = 24, 1.3


@dataclass(frozen=True)
class FilterGroup:
    """Neighbouring filters at one rate, ``sample_rate / 4 ** level``.

    Args:
        level: how often the rate is divided by 4.
        reach: samples of the kernel before the frame's own position, at that rate.
        kernel: ``(taps, 2 bins)``, real and imaginary part of each conjugated filter side by side.
    """

    level: int
    reach: int
    kernel: Tensor


@dataclass(frozen=True)
class ConstantQKernels:
    """Everything `constant_q` needs: filters in groups, lowest bins first.

    Args:
        hop_length: samples from one frame to the next.
        groups: filters, in the order of ascending frequency.
        blocks: the low-pass filter that divides the rate by 4.
        order: where bin k stands among the ascending ones; None if bins ascend by themselves.
    """

    hop_length: int
    groups: tuple[FilterGroup, ...]
    blocks: Tensor
    order: Tensor | None

    @property
    def levels(self) -> int:
        """How often the rate is divided by 4 for the lowest filters."""
        return max(group.level for group in self.groups)

    @property
    def reach(self) -> tuple[int, int]:
        """Samples at the full rate that a frame looks at before, and after, its own position."""
        left = right = 0
        for group in self.groups:
            step = FACTOR**group.level
            tails = (step - 1) // (FACTOR - 1) * REACH
            after = group.kernel.shape[0] - 1 - group.reach
            left = max(left, group.reach * step + tails)
            right = max(right, after * step + tails)
        return left, right

    def to(self, like: Tensor) -> "ConstantQKernels":
        """The same in the real type and on the device of ``like``."""
        dtype = like.real.dtype if like.is_complex() else like.dtype
        groups = tuple(
            replace(group, kernel=group.kernel.to(device=like.device, dtype=dtype))
            for group in self.groups
        )
        order = None if self.order is None else self.order.to(like.device)
        blocks = self.blocks.to(device=like.device, dtype=dtype)
        return replace(self, groups=groups, blocks=blocks, order=order)


def constant_q_kernels(
    frequencies: Sequence[float],
    *,
    sample_rate: float,
    hop_length: int,
    bins_per_octave: float | None = None,
    gamma: float | None = 0.0,
    filter_scale: float = 1.0,
    norm: float | None = 1.0,
    window: str | tuple[str, float] = "hann",
    scale: bool = True,
) -> ConstantQKernels:
    """Kernels of the constant-Q (``gamma`` 0) or variable-Q transform at ``frequencies``.

    The filter of bin k is ``w(t) exp(2 pi i f t / sample_rate)`` of ``Q sample_rate / (f + gamma /
    alpha)`` samples with ``Q = filter_scale / alpha``, ``alpha = (r^2 - 1) / (r^2 + 1)``, r the
    ratio of neighbouring frequencies.

    Args:
        frequencies: centre frequencies in Hz, in any order, each once.
        sample_rate: in Hz.
        hop_length: samples from one frame to the next, any number.
        bins_per_octave: bins from a frequency to its double; from each bin's neighbours if None.
        gamma: bandwidth added to every filter, in Hz, at least 0; that of the ear (ERB) if None.
        filter_scale: factor on the lengths: below 1 for sharper times, above 1 for sharper bins.
        norm: order of the norm the windows are divided by; None leaves them.
        window: name, or name and parameter, as `window` takes it.
        scale: multiply by the root of the length rather than by the length.

    Returns:
        Kernels in float64 on the CPU.

    Raises:
        ValueError: for values out of range, or a filter that reaches above the Nyquist frequency.

    Example:
        >>> kernels = constant_q_kernels(
        ...     [220.0, 440.0], sample_rate=8000, hop_length=100, bins_per_octave=12
        ... )
        >>> kernels.levels  # 220 Hz is analysed at 8000 / 4 Hz
        1

    Agrees with ``librosa.filters.wavelet`` in frequencies, lengths, windows and norms exactly.
    Reference: Schörkhuber & Klapuri, Constant-Q transform toolbox for music processing, SMC 2010,
    sections 2 and 3; Schörkhuber et al., A Matlab toolbox for efficient perfect reconstruction
    time-frequency transforms with log-frequency resolution, AES 2014, for gamma.
    """
    require_positive("hop_length", hop_length, "Pass e.g. 512.")
    require_hertz("sample_rate", sample_rate)
    require_between("filter_scale", filter_scale, 1e-3, 1e3, "Pass e.g. 1.")
    if gamma is not None:
        require_between("gamma", gamma, 0, math.inf, "Pass 0 for constant Q.", unit="Hz")
    if bins_per_octave is not None:
        require_between("bins_per_octave", bins_per_octave, 1, 1e4, "Pass e.g. 12.")
    return _design(
        tuple(float(f) for f in frequencies),
        sample_rate,
        hop_length,
        bins_per_octave,
        gamma,
        filter_scale,
        norm,
        window,
        scale,
    )


def filter_geometry(
    frequencies: Sequence[float],
    sample_rate: float,
    bins_per_octave: float | None,
    gamma: float | None,
    filter_scale: float,
    window: str | tuple[str, float],
) -> NDArray[np.float64]:
    """Lengths of the filters in samples, after a check that all of them fit below Nyquist."""
    f = np.asarray(frequencies, dtype=np.float64)
    if f.ndim != 1 or len(f) == 0:
        raise ValueError(f"`frequencies` ({f.shape}) must be a list of at least one. Pass some.")
    for value in f:
        require_hertz("frequencies", float(value))
    if len(np.unique(f)) != len(f):
        raise ValueError(f"`frequencies` ({len(f)}) must differ from one another. Drop doubles.")
    order = np.argsort(f)
    alpha = np.empty_like(f)
    alpha[order] = relative_bandwidth(f[order], bins_per_octave)
    lengths = filter_lengths(f, alpha, sample_rate, filter_scale, gamma)
    half_width = 0.5 * noise_bandwidth(window) * sample_rate / lengths
    require_below_nyquist(frequencies, f + half_width, sample_rate)
    return lengths


@lru_cache(maxsize=16)
def _design(
    frequencies: tuple[float, ...],
    sample_rate: float,
    hop_length: int,
    bins_per_octave: float | None,
    gamma: float | None,
    filter_scale: float,
    norm: float | None,
    window: str | tuple[str, float],
    scale: bool,
) -> ConstantQKernels:
    lengths = filter_geometry(
        frequencies, sample_rate, bins_per_octave, gamma, filter_scale, window
    )
    ascending = sorted(range(len(frequencies)), key=lambda k: frequencies[k])
    groups: list[tuple[int, list[tuple[NDArray[np.complex128], int]]]] = []
    for k in ascending:
        f, length = frequencies[k], lengths[k]
        taps, first = constant_q_filter(f, length, sample_rate, window, norm)
        taps = taps * (math.sqrt(length) if scale else length)
        level = deepest_level(f, length / sample_rate, sample_rate, window)
        if groups:  # levels are walked in order; unevenly spaced filters may not keep to it
            level = min(level, groups[-1][0])
        moved = _trimmed(*_at_level(taps, first, level))
        longest = max((len(g) for g, _ in groups[-1][1]), default=0) if groups else 0
        small = bool(groups) and len(groups[-1][1]) < _GROUP
        alike = longest <= _GROUP_RATIO * len(moved[0])
        if groups and groups[-1][0] == level and (small or alike):
            groups[-1][1].append(moved)
        else:
            groups.append((level, [moved]))
    order = None
    if ascending != list(range(len(frequencies))):
        order = torch.tensor(np.argsort(ascending))
    return ConstantQKernels(
        hop_length=hop_length,
        groups=tuple(_stack(level, filters) for level, filters in groups),
        blocks=decimation_blocks(),
        order=order,
    )


def _at_level(
    taps: NDArray[np.complex128], first: int, level: int
) -> tuple[NDArray[np.complex128], int]:
    """The filter at the rate divided ``level`` times, as the signal is decimated."""
    low_pass = low_pass_filter()
    for _ in range(level):
        start = first - REACH
        smooth = np.convolve(taps, low_pass)
        skip = -start % FACTOR
        taps, first = FACTOR * smooth[skip::FACTOR], (start + skip) // FACTOR
    return taps, first


def _trimmed(taps: NDArray[np.complex128], first: int) -> tuple[NDArray[np.complex128], int]:
    energy = np.abs(taps) ** 2
    allowed = _TRIMMED**2 * energy.sum()
    begin = int(np.searchsorted(np.cumsum(energy), allowed))
    end = len(taps) - int(np.searchsorted(np.cumsum(energy[::-1]), allowed))
    return taps[begin:end], first + begin


def _stack(level: int, filters: list[tuple[NDArray[np.complex128], int]]) -> FilterGroup:
    first = min(start for _, start in filters)
    end = max(start + len(taps) for taps, start in filters)
    kernel = np.zeros((end - first, len(filters), 2))
    for column, (taps, start) in enumerate(filters):
        rows = slice(start - first, start - first + len(taps))
        kernel[rows, column, 0] = taps.real
        kernel[rows, column, 1] = -taps.imag
    return FilterGroup(level, -first, torch.from_numpy(kernel.reshape(end - first, -1)))
