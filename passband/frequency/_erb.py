"""The scale of auditory filters, and half-cosine filters spaced on it."""

import math
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_positive

Number = TypeVar("Number", float, Tensor)

# Glasberg & Moore's constants, in the rounding that filter banks on this scale use.
_WIDTHS = 9.265
_LEAST_HZ = 24.7


def hz_to_erb(frequency: Number) -> Number:
    """Position ``9.265 log(1 + f / (24.7 x 9.265))`` on the scale of auditory filters.

    Args:
        frequency: in Hz, at least 0; a number or a tensor.

    Returns:
        Number of auditory filters below ``frequency``.

    Example:
        >>> round(hz_to_erb(1000.0), 3)
        15.572

    Agrees with ``24.7 (1 + f / (24.7 x 9.265))`` Hz being the width of a filter at ``f``.
    Reference: Glasberg & Moore, Derivation of auditory filter shapes from notched-noise data,
    Hearing Research 47, 1990, eq. 4.
    """
    if isinstance(frequency, Tensor):
        return _WIDTHS * torch.log1p(frequency / (_LEAST_HZ * _WIDTHS))
    return _WIDTHS * math.log1p(frequency / (_LEAST_HZ * _WIDTHS))


def erb_to_hz(erb: Number) -> Number:
    """Frequency ``24.7 x 9.265 (exp(n / 9.265) - 1)``, the inverse of `hz_to_erb`.

    Args:
        erb: number of auditory filters, at least 0; a number or a tensor.

    Returns:
        Frequency in Hz.

    Example:
        >>> round(erb_to_hz(hz_to_erb(1000.0)), 6)
        1000.0

    Agrees with the inverse of `hz_to_erb` to 1e-12.
    Reference: Glasberg & Moore, Hearing Research 47, 1990, eq. 4.
    """
    if isinstance(erb, Tensor):
        return _LEAST_HZ * _WIDTHS * torch.expm1(erb / _WIDTHS)
    return _LEAST_HZ * _WIDTHS * math.expm1(erb / _WIDTHS)


def erb_frequencies(
    n_filters: int, f_min: float, f_max: float, sample_factor: int = 4
) -> Float[Tensor, " channels"]:
    """Centres of the filters of `erb_filters`, in Hz; the low-pass and high-pass ones at the ends.

    Args:
        n_filters: as in `erb_filters`.
        f_min: as in `erb_filters`.
        f_max: as in `erb_filters`.
        sample_factor: as in `erb_filters`.

    Returns:
        ``sample_factor (n_filters + 3) - 1`` frequencies, in float64. A low-pass filter is named
        after the lower end of the band-pass filter it completes, which may lie below 0 Hz and is
        then 0; a high-pass filter after the upper end.

    Raises:
        ValueError: for a count below 1, or frequencies that are not in order.

    Example:
        >>> len(erb_frequencies(50, 50.0, 10000.0))
        211

    Agrees with chcochleagram's, less those it sets to 1 Hz, to 1e-9.
    Reference: Feather et al., Model metamers reveal divergent invariances between biological and
    artificial neural networks, Nature Neuroscience 26, 2023, methods.
    """
    centres, spacing = _centres(n_filters, f_min, f_max, sample_factor)
    reach = sample_factor * spacing
    below, above = centres[:sample_factor] - reach, centres[-sample_factor:] + reach
    return erb_to_hz(torch.cat((below, centres, above))).clamp(min=0)


def erb_filters(
    frequencies: Float[Tensor, " freq"],
    n_filters: int = 50,
    f_min: float = 50.0,
    f_max: float = 10000.0,
    sample_factor: int = 4,
) -> Float[Tensor, "channels freq"]:
    """Half-cosine filters evenly spaced on the scale of auditory filters; of squared sum 1.

    Channel c is ``cos(pi (n(f) - n_c) / width)`` where that argument is within a quarter turn;
    ``sample_factor`` low-pass and as many high-pass filters complete the others at the ends.

    Args:
        frequencies: where to evaluate them, in Hz, at least 0.
        n_filters: filters it takes to span the range at an overlap of a half.
        f_min: lower end of the range, in Hz, at least 0.
        f_max: its upper end, in Hz.
        sample_factor: how many times more filters there are than that.

    Returns:
        ``(channels, freq)``: ``sample_factor`` low-pass, ``sample_factor (n_filters + 1) - 1``
        band-pass and ``sample_factor`` high-pass amplitudes, in the type of ``frequencies``.

    Raises:
        ValueError: for a count below 1, or frequencies that are not in order.

    Example:
        >>> filters = erb_filters(torch.linspace(0, 10000, 1001))
        >>> filters.shape, float(filters.square().sum(0).sub(1).abs().max()) < 1e-5
        (torch.Size([211, 1001]), True)

    Agrees with a loop over the recipe of chcochleagram to 1e-7 in float64, which its own root of
    ``1 - cos^2`` loses near the centres.
    Reference: McDermott & Simoncelli, Sound texture perception via statistics of the auditory
    periphery, Neuron 71(5), 2011, methods; Feather et al., Nature Neuroscience 26, 2023, methods.
    """
    count = channel_count(n_filters, sample_factor)
    channels = torch.arange(count, device=frequencies.device)
    return some_erb_filters(frequencies, channels, n_filters, f_min, f_max, sample_factor)


def some_erb_filters(
    frequencies: Float[Tensor, " freq"],
    channels: Tensor,
    n_filters: int,
    f_min: float,
    f_max: float,
    sample_factor: int,
) -> Float[Tensor, "some freq"]:
    """The rows ``channels`` of `erb_filters`, for banks that do not fit in memory at once."""
    centres, spacing = _centres(n_filters, f_min, f_max, sample_factor, frequencies.device)
    n_bands, s = len(centres), sample_factor
    low, high = channels < s, channels >= s + n_bands
    band = torch.where(low, channels, torch.where(high, channels - 2 * s, channels - s))
    away = hz_to_erb(frequencies.double()) - centres[band][:, None]
    phase = away * (math.pi / (2 * s * spacing))
    inside = phase.abs() < math.pi / 2
    passed = torch.where(inside, phase.cos(), 0.0)
    rest = torch.where(inside, phase.sin().abs(), 1.0)
    passed = torch.where(low[:, None], torch.where(away < 0, rest, 0.0), passed)
    passed = torch.where(high[:, None], torch.where(away > 0, rest, 0.0), passed)
    return (passed / math.sqrt(s)).to(frequencies.dtype)


def channel_count(n_filters: int, sample_factor: int) -> int:
    """Number of rows of `erb_filters`."""
    require_positive("n_filters", n_filters, "Pass e.g. 50.")
    require_positive("sample_factor", sample_factor, "Pass e.g. 4.")
    return sample_factor * (n_filters + 3) - 1


def _centres(
    n_filters: int,
    f_min: float,
    f_max: float,
    sample_factor: int,
    device: torch.device | None = None,
) -> tuple[Tensor, float]:
    """Centres of the band-pass filters and their spacing, in auditory filters."""
    channel_count(n_filters, sample_factor)
    if not 0 <= f_min < f_max < math.inf:
        raise ValueError(
            f"`f_min` (={f_min:g} Hz) must be at least 0 Hz and below `f_max` (={f_max:g} Hz). "
            "Pass e.g. 50."
        )
    steps = sample_factor * (n_filters + 1)
    low, high = hz_to_erb(f_min), hz_to_erb(f_max)
    ends = torch.linspace(low, high, steps + 1, dtype=torch.float64, device=device)
    return ends[1:-1], (high - low) / steps
