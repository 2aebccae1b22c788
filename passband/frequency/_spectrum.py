"""Magnitude spectra of signals on 1-D, 2-D and 3-D grids, and their reduction to one axis."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from passband.frequency._cells import (
    Cells,
    half_spectrum,
    largest_radius,
    radius,
    require_grid,
    signed_cells,
    sum_groups,
)
from passband.frequency._framing import frame
from passband.frequency._validate import require_choice, require_positive
from passband.frequency._windows import window

Reduction = Literal["radial", "l1", "fresh"]


def magnitude_spectrum(signal: Float[Tensor, "*shape"], *, ndim: int) -> Float[Tensor, "*shape"]:
    """Magnitude ``|sum_x s[x] exp(-2 pi i f . x / N)|`` of the DFT over the last ``ndim`` axes.

    Args:
        signal: values ``(*batch, *grid)``.
        ndim: number of grid axes: 1, 2 or 3.

    Returns:
        Magnitudes of the same shape, frequency 0 first on each axis (not shifted), not scaled.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for another ``ndim``, or a signal without that many axes.

    Example:
        >>> magnitude_spectrum(torch.tensor([1.0, 0.0, -1.0, 0.0]), ndim=1)
        tensor([0., 2., 0., 2.])

    Agrees with ``numpy.abs(numpy.fft.fftn(signal))`` to 1e-12 in float64.
    """
    require_grid("signal", signal, ndim, leading=0)
    spectrum: Tensor = torch.fft.fftn(signal, dim=tuple(range(-ndim, 0)))
    return spectrum.abs()


def reduced_spectrum(
    signal: Float[Tensor, "..."],
    *,
    ndim: int,
    reduction: Reduction = "radial",
    bins: int | None = None,
) -> Float[Tensor, "... bins"]:
    """Spectrum on one axis: ``S[m] = sum |F[f]|`` over channels and the cells ``f`` of bin ``m``.

    Cells are those of the whole DFT, both signs of every frequency, summed and not averaged. The
    frequencies ``f_i`` are whole cycles per side of the grid. Bin 0, the mean, is left out.

    - ``radial``: ``round(sqrt(sum_i f_i^2)) = m``.
    - ``l1``: ``sum_i |f_i| = m``.
    - ``fresh``: ``sum_i j_i = m`` over the indices ``0 <= j_i < N`` of the DFT as it is stored,
      as far as ``m <= N - 1``. This is what the released code of FreSh computes, kept for
      comparison: up to ``m = N / 2`` it sees the frequencies of one sign pattern only, so that
      ``cos(2 pi k (x - y) / N)`` does not show.

    On 1-D signals ``fresh`` is ``|rfft|`` and the others, which count both signs, twice that, but
    for the frequency ``N / 2``, of which there is one.

    Args:
        signal: values ``(*batch, channels, *grid)``.
        ndim: number of grid axes: 1, 2 or 3. Sides may differ, except under ``fresh``.
        reduction: ``radial``, ``l1`` or ``fresh``.
        bins: number of bins, from ``m = 1``; half the shortest side if not given.

    Returns:
        Magnitudes ``(*batch, bins)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for an unknown reduction, more bins than there are, or unequal sides under
            ``fresh``.

    Example:
        >>> x = torch.arange(16) / 16
        >>> waves = torch.cos(2 * torch.pi * (2 * x[:, None] - 3 * x))
        >>> reduced_spectrum(waves[None], ndim=2, reduction="l1").argmax() + 1
        tensor(5)

    Agrees with the sums above, written as loops over ``numpy.fft.fftn``, to 1e-12 in float64.
    Reference: Kania et al., FreSh: Frequency shifting for accelerated neural representation
    learning, ICLR 2025 (arXiv 2410.05050), section 3.
    """
    sides = require_grid("signal", signal, ndim, leading=1)
    require_choice("reduction", reduction, ("radial", "l1", "fresh"))
    if reduction == "fresh" and len(set(sides)) > 1:
        raise ValueError(
            f"`signal` (grid {sides}) must have equal sides under reduction='fresh'. "
            "Resize it, or use reduction='radial'."
        )
    bins = _bins(bins, min(sides) // 2, _most_bins(sides, reduction), f"a grid of {sides}")
    cells, group = _group(sides, reduction, bins)
    magnitudes = half_spectrum(signal, ndim).abs().sum(-ndim - 1)
    return sum_groups(magnitudes, cells, group - 1, bins)


def welch_spectrum(
    signal: Float[Tensor, "*batch channels time"],
    *,
    segment_length: int,
    bins: int | None = None,
) -> Float[Tensor, "*batch bins"]:
    """Magnitude ``S[m] = mean_k |rfft(w y_k)[m]|`` over half-overlapping segments ``y_k``.

    For long signals: the spectrum of one DFT has as many bins as half the samples, this one has
    half a segment's. ``w`` is the periodic Hann window. Channels are summed, bin 0 is left out.

    Args:
        signal: values ``(*batch, channels, time)``.
        segment_length: samples in a segment, 2 to ``time``.
        bins: number of bins, from ``m = 1``, in cycles per segment; half the segment's samples if
            not given.

    Returns:
        Magnitudes ``(*batch, bins)``. Samples after the last whole segment are not used.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for a segment longer than the signal, or more bins than there are.

    Example:
        >>> tone = torch.cos(2 * torch.pi * 8 * torch.arange(1000) / 64)
        >>> welch_spectrum(tone[None], segment_length=64).argmax() + 1
        tensor(8)

    Agrees with the mean of ``abs(scipy.signal.stft)`` to 1e-12 in float64, up to its scale.
    Reference: Welch, The use of fast Fourier transform for the estimation of power spectra, IEEE
    Trans. Audio and Electroacoustics 15(2), 1967.
    """
    (time,) = require_grid("signal", signal, 1, leading=1)
    require_positive("segment_length", segment_length, "Pass e.g. 2048.")
    if not 2 <= segment_length <= time:
        raise ValueError(
            f"`segment_length` (={segment_length}) must be 2 to the {time} samples of `signal`. "
            "Shorten the segment."
        )
    most = segment_length // 2
    bins = _bins(bins, most, most, f"a segment of {segment_length}")
    taper = window("hann", segment_length, dtype=signal.dtype, device=signal.device)
    segments = frame(signal, segment_length, segment_length // 2) * taper
    spectra: Tensor = torch.fft.rfft(segments)[..., 1 : bins + 1]
    return spectra.abs().mean(-2).sum(-2)


def _bins(bins: int | None, default: int, most: int, where: str) -> int:
    if bins is None:
        bins = default
    if not 1 <= bins <= most:
        raise ValueError(
            f"`bins` (={bins}) must be 1 to {most} for {where}. Ask for fewer, or sample finer."
        )
    return bins


def _most_bins(sides: tuple[int, ...], reduction: Reduction) -> int:
    if reduction == "fresh":
        return sides[0] - 1
    if reduction == "l1":
        return sum(n // 2 for n in sides)
    return round(largest_radius(sides))


def _group(
    sides: tuple[int, ...], reduction: Reduction, bins: int
) -> tuple[Cells, NDArray[np.int64]]:
    """Cells that may fall in the first ``bins`` bins, and the bin of each."""
    if reduction == "fresh":
        half = sides[0] // 2
        indices = np.ix_(*(np.arange(min(n - 1, bins) + 1) for n in sides))
        cells = [(j + half) % sides[0] - half for j in indices]
        return cells, np.asarray(sum(indices))
    cells = signed_cells(sides, bins)
    if reduction == "l1":
        return cells, np.asarray(sum(np.abs(f) for f in cells))
    return cells, np.rint(radius(cells)).astype(np.int64)
