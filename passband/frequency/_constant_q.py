"""Definition of the constant-Q transform: its frequencies, lengths and filters, librosa's."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from passband.frequency._validate import require_positive
from passband.frequency._windows import window as named_window

# Width of an auditory filter (ERB) is 24.7 Hz + f / 9.265; librosa's gamma=None, in its constants.
_ERB_HZ, _ERB_SLOPE = 24.7, 0.108


def cqt_frequencies(
    n_bins: int, f_min: float, bins_per_octave: int = 12, *, tuning: float = 0.0
) -> Float[Tensor, " {n_bins}"]:
    """Centre frequencies ``f_min 2 ** ((k + tuning) / bins_per_octave)``, in Hz, float64.

    Args:
        n_bins: how many, at least 1.
        f_min: the lowest, in Hz, above 0.
        bins_per_octave: bins from a frequency to its double, at least 1.
        tuning: offset in bins, such as an instrument's deviation from 440 Hz.

    Returns:
        Frequencies in Hz, ascending.

    Raises:
        ValueError: for counts below 1 or a frequency that is not positive.

    Example:
        >>> cqt_frequencies(3, 110.0, bins_per_octave=1)
        tensor([110., 220., 440.], dtype=torch.float64)

    Agrees with ``librosa.cqt_frequencies`` to 1e-12.
    """
    require_positive("n_bins", n_bins, "Pass e.g. 84 for seven octaves of 12.")
    require_positive("bins_per_octave", bins_per_octave, "Pass e.g. 12.")
    require_hertz("f_min", f_min)
    steps = torch.arange(n_bins, dtype=torch.float64) + tuning
    return f_min * torch.exp2(steps / bins_per_octave)


def relative_bandwidth(
    frequencies: NDArray[np.float64], bins_per_octave: float | None
) -> NDArray[np.float64]:
    """``(r^2 - 1) / (r^2 + 1)`` per bin, r the ratio of one frequency to the next.

    For a list of frequencies r comes from the distance between a bin's two neighbours.
    """
    if bins_per_octave is None:
        if len(frequencies) < 2:
            raise ValueError(
                "`frequencies` (1 of them) must be at least 2, whose distances give the filters' "
                "widths. Pass `bins_per_octave` for a single frequency."
            )
        octaves = np.log2(frequencies)
        local = np.empty_like(octaves)
        local[0] = 1 / (octaves[1] - octaves[0])
        local[-1] = 1 / (octaves[-1] - octaves[-2])
        local[1:-1] = 2 / (octaves[2:] - octaves[:-2])
    else:
        local = np.full(len(frequencies), float(bins_per_octave))
    ratio = np.exp2(2 / local)
    bandwidth: NDArray[np.float64] = (ratio - 1) / (ratio + 1)
    return bandwidth


def filter_lengths(
    frequencies: NDArray[np.float64],
    bandwidths: NDArray[np.float64],
    sample_rate: float,
    filter_scale: float,
    gamma: float | None,
) -> NDArray[np.float64]:
    """Lengths ``Q sample_rate / (f + gamma / alpha)`` in samples, ``Q = filter_scale / alpha``."""
    extra = bandwidths * _ERB_HZ / _ERB_SLOPE if gamma is None else np.full_like(bandwidths, gamma)
    quality = filter_scale / bandwidths
    return quality * sample_rate / (frequencies + extra / bandwidths)


def constant_q_filter(
    frequency: float,
    length: float,
    sample_rate: float,
    window: str | tuple[str, float],
    norm: float | None,
) -> tuple[NDArray[np.complex128], int]:
    """The filter ``w(t) exp(2 pi i f t / sample_rate)`` and the t of its first sample."""
    first, last = math.floor(-length / 2), math.floor(length / 2)
    taper = _window(window, last - first)
    if norm is not None:
        taper = taper / np.linalg.norm(taper, ord=norm)
    phase = 2j * math.pi * frequency / sample_rate * np.arange(first, last)
    return taper * np.exp(phase), first


def require_hertz(name: str, value: float) -> None:
    """Raise unless ``value`` is a finite frequency above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"`{name}` (={value} Hz) must be above 0 Hz and finite. Pass e.g. 32.7.")


def require_below_nyquist(
    frequencies: Sequence[float], edges: NDArray[np.float64], sample_rate: float
) -> None:
    """Raise unless every filter's upper edge is at most the Nyquist frequency."""
    nyquist = sample_rate / 2
    above = int((edges > nyquist).sum())
    if above:
        worst = int(edges.argmax())
        raise ValueError(
            f"`n_bins` (={len(frequencies)}, {above} of them too high: the filter at "
            f"{frequencies[worst]:.1f} Hz reaches {edges[worst]:.1f} Hz) must end below the "
            f"Nyquist frequency {nyquist:g} Hz. Pass at most {len(frequencies) - above} bins, or a "
            "higher sample_rate."
        )


@lru_cache(maxsize=4096)
def _window(name: str | tuple[str, float], length: int) -> NDArray[np.float64]:
    return named_window(name, length, dtype=torch.float64).numpy()
