"""Energy of a signal in bands of radial frequency."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._cells import half_spectrum, radius, require_grid, signed_cells, sum_groups

# A corner computed with math.hypot and one with sqrt may differ in the last digit.
_EDGE_TOLERANCE = 1e-9

# Samples of a smooth function, and their transform, are off by a few units in the last place.
_ROUNDING_UNITS = 10


def octave_edges(max_frequency: float, *, n_bands: int | None = None) -> list[float]:
    """Edges ``0, 1, 2, 4, 8, ..., max_frequency`` of bands an octave wide.

    The first band, ``0 <= f < 1``, holds the mean alone.

    Args:
        max_frequency: end of the last band, in cycles per side of the grid, above 1. The farthest
            corner of a spectrum is at ``sqrt(sum_i (n_i // 2)^2)``.
        n_bands: number of bands, at least 2; the last one then takes in what would follow it. All
            the octaves there are if not given.

    Returns:
        Edges, one more than there are bands.

    Raises:
        ValueError: for a frequency of 1 or below, or more bands than there are.

    Example:
        >>> octave_edges(20)
        [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0]
        >>> octave_edges(20, n_bands=3)
        [0.0, 1.0, 2.0, 20.0]
    """
    if not (math.isfinite(max_frequency) and max_frequency > 1):
        raise ValueError(
            f"`max_frequency` (={max_frequency} cycles per side) must be finite and above 1. "
            "Pass e.g. half the shortest side."
        )
    octaves = math.ceil(math.log2(max_frequency))
    edges = [0.0, *(2.0**k for k in range(octaves)), float(max_frequency)]
    most = len(edges) - 1
    if n_bands is None:
        return edges
    if not 2 <= n_bands <= most:
        raise ValueError(
            f"`n_bands` (={n_bands}) must be 2 to {most} up to {max_frequency} cycles per side. "
            "Ask for fewer bands, or None for all."
        )
    return [*edges[:n_bands], edges[-1]]


def band_energy(
    signal: Float[Tensor, "..."], *, ndim: int, edges: Sequence[float]
) -> Float[Tensor, "... bands"]:
    """Energy ``E[b] = sum |F[f]|^2 / N^2`` over the cells ``f`` of band ``b``, mean over channels.

    A band is ``edges[b] <= |f| < edges[b + 1]`` in radial frequency; the last includes its end.
    ``N`` is the number of samples, so bands that cover the spectrum sum to the signal's mean
    square (Parseval).

    Args:
        signal: values ``(*batch, channels, *grid)``.
        ndim: number of grid axes: 1, 2 or 3.
        edges: at least two frequencies from 0 up, in cycles per side, as `octave_edges` gives.

    Returns:
        Energies ``(*batch, bands)``, in the unit of the signal squared.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for edges that do not increase.

    Example:
        >>> wave = 2 + torch.cos(2 * torch.pi * 3 * torch.arange(16) / 16)
        >>> band_energy(wave[None], ndim=1, edges=[0, 1, 2, 4, 8]).round(decimals=6)
        tensor([4.0000, 0.0000, 0.5000, 0.0000])

    Agrees with the mean square of the signal, summed over bands, to 1e-12 in float64.
    """
    sides = require_grid("signal", signal, ndim, leading=1)
    limits = _limits(edges)
    cells = signed_cells(sides, limits[-1])
    band = np.searchsorted(limits, radius(cells), side="right") - 1
    spectrum = half_spectrum(signal, ndim) / math.prod(sides)
    energy = (spectrum.real.square() + spectrum.imag.square()).mean(-ndim - 1)
    return sum_groups(energy, cells, band, len(limits) - 1)


def band_error(
    target: Float[Tensor, "*shape"],
    estimate: Float[Tensor, "*shape"],
    *,
    ndim: int,
    edges: Sequence[float],
) -> Float[Tensor, "... bands"]:
    """Relative error ``E[b](target - estimate) / E[b](target)``, with ``E`` as in `band_energy`.

    It is 0 where neither has energy, and infinite where only the target has none. Energy within
    rounding, ``(10 eps)^2`` times the target's mean square, is none.

    Args:
        target: values ``(*batch, channels, *grid)``.
        estimate: values of the same shape.
        ndim: number of grid axes: 1, 2 or 3.
        edges: as `band_energy` takes them.

    Returns:
        Errors ``(*batch, bands)``, without unit: 0 is perfect, 1 is what silence would get.

    Raises:
        TypeError: for signals that are not float32 or float64.
        ValueError: for different shapes, or edges that do not increase.

    Example:
        >>> target = torch.tensor([[3.0, -1.0, 3.0, -1.0]])
        >>> band_error(target, torch.ones(1, 4), ndim=1, edges=[0, 1, 2])
        tensor([0., 1.])
    """
    if target.shape != estimate.shape:
        raise ValueError(
            f"`estimate` (shape {tuple(estimate.shape)}) must have the shape of `target` "
            f"{tuple(target.shape)}. Evaluate it on the same grid."
        )
    energy = band_energy(target, ndim=ndim, edges=edges)
    error = band_energy(target - estimate, ndim=ndim, edges=edges)
    mean_square = target.detach().square().flatten(-ndim - 1).mean(-1, keepdim=True)
    floor = (_ROUNDING_UNITS * torch.finfo(target.dtype).eps) ** 2 * mean_square
    heard = energy > floor
    ratio = error / torch.where(heard, energy, 1)
    return torch.where(heard, ratio, torch.where(error > floor, torch.inf, 0.0))


def _limits(edges: Sequence[float]) -> list[float]:
    """Edges as floats, the last one moved out by a rounding error."""
    limits = [float(edge) for edge in edges]
    rising = all(a < b for a, b in itertools.pairwise(limits))
    if len(limits) < 2 or limits[0] < 0 or not rising:
        raise ValueError(
            f"`edges` (={limits}) must be at least two frequencies from 0 up, each above the last. "
            "Pass e.g. octave_edges(64)."
        )
    return [*limits[:-1], limits[-1] * (1 + _EDGE_TOLERANCE)]
