"""Weights that turn one FFT of a frame into its transform at arbitrary frequencies."""

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_positive

# Kaiser-Bessel taps and oversampling: exp(-pi taps sqrt(1 - 1 / oversampling)) = 6e-11.
_TAPS = 13
_OVERSAMPLING = 1.5

# Bins whose taps lie within this many points share one dense product: it costs less than a gather.
_BAND_POINTS = 256
_BAND_BINS = 64


class Band(NamedTuple):
    """Neighbouring bins made of neighbouring points: both as ranges."""

    first_bin: int
    last_bin: int
    first_point: int
    last_point: int


class NonuniformPlan(NamedTuple):
    """What `nonuniform_stft` needs besides the signal and its window.

    Args:
        correction: factors of the window, for the kernel's own transform.
        weights: the real matrices of all bands, one after the other.
        bands: which bins are made of which points of the FFT.
        n_points: length of the FFT.
    """

    correction: Tensor
    weights: Tensor
    bands: tuple[Band, ...]
    n_points: int

    @property
    def n_bins(self) -> int:
        """Number of frequencies."""
        return self.bands[-1].last_bin


def nonuniform_plan(frequencies: Float[Tensor, " bins"], n_fft: int) -> NonuniformPlan:
    """Weights with which one FFT of a frame gives its transform at any frequencies.

    ``X(v) = sum_k phi(v K - k) exp(2 pi i c (k / K - v)) G[k]``, where ``G`` is the FFT of K points
    of the frame divided by the transform of ``phi``, a Kaiser-Bessel kernel of 13 taps, and ``c``
    the frame's centre.

    Args:
        frequencies: in cycles per sample, in any order; the result is fastest where neighbours in
            the list are neighbours in frequency.
        n_fft: samples in a frame, at least 1.

    Returns:
        The plan, in float64.

    Raises:
        ValueError: for no frequencies, one that is not finite, or ``n_fft`` below 1.

    Example:
        >>> nonuniform_plan(torch.tensor([0.1, 0.2], dtype=torch.float64), 64).n_bins
        2

    Agrees with the Fourier sum to 1e-8 of the frame's norm.
    Reference: Barnett, Magland & af Klinteberg, A parallel nonuniform fast Fourier transform
    library based on an "exponential of semicircle" kernel, SIAM J. Sci. Comput. 41(5), 2019,
    eqs. 3.9 to 3.12; the kernel is Kaiser and Bessel's.
    """
    require_positive("n_fft", n_fft, "Pass the samples in a frame, e.g. 4096.")
    if frequencies.ndim != 1 or len(frequencies) == 0 or not bool(frequencies.isfinite().all()):
        raise ValueError(
            f"`frequencies` (shape {tuple(frequencies.shape)}) must be a list of finite values, "
            "at least one. Pass cycles per sample."
        )
    from scipy.fft import next_fast_len  # noqa: PLC0415  only where a plan is made

    n_points = next_fast_len(math.ceil(_OVERSAMPLING * n_fft), real=True)
    n_points += n_points % 2
    beta = math.pi * _TAPS * (1 - n_fft / (2 * n_points))
    positions = frequencies.detach().double().cpu().numpy() * n_points
    points = np.ceil(positions - _TAPS / 2)[:, None] + np.arange(_TAPS)
    distance = positions[:, None] - points
    kernel = np.i0(beta * np.sqrt(np.maximum(0, 1 - (2 * distance / _TAPS) ** 2)))
    kernel = kernel * np.exp(-2j * np.pi * (n_fft // 2) * distance / n_points)
    points = points.astype(np.int64) % n_points
    mirrored = points > n_points // 2  # of a real frame: the conjugate of the mirror image
    points = np.where(mirrored, n_points - points, points)
    bands = _bands(points)
    weights = [_matrix(band, points, kernel, mirrored).ravel() for band in bands]
    return NonuniformPlan(
        torch.from_numpy(1 / _transform(n_fft, n_points, beta)),
        torch.from_numpy(np.concatenate(weights)),
        bands,
        n_points,
    )


def _transform(n_fft: int, n_points: int, beta: float) -> np.ndarray:
    """Fourier transform of the kernel over the samples of a frame."""
    angle = np.pi * _TAPS * (np.arange(n_fft) - n_fft // 2) / n_points
    root = np.sqrt(beta**2 - angle**2)
    transform: np.ndarray = _TAPS * np.sinh(root) / root
    return transform


def _bands(points: np.ndarray) -> tuple[Band, ...]:
    """Runs of bins whose points lie close together."""
    bands, start = [], 0
    lows, highs = points.min(axis=1), points.max(axis=1) + 1
    low, high = int(lows[0]), int(highs[0])
    for i in range(1, len(points)):
        wider = min(low, int(lows[i])), max(high, int(highs[i]))
        if wider[1] - wider[0] > _BAND_POINTS or i - start >= _BAND_BINS:
            bands.append(Band(start, i, low, high))
            start, wider = i, (int(lows[i]), int(highs[i]))
        low, high = wider
    return (*bands, Band(start, len(points), low, high))


def _matrix(band: Band, points: np.ndarray, kernel: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Complex taps as a real matrix from (real, imaginary) points to (real, imaginary) bins."""
    first, last, low, high = band
    matrix = np.zeros((high - low, 2, last - first, 2))
    rows = points[first:last] - low
    columns = np.broadcast_to(np.arange(last - first)[:, None], rows.shape)
    taps, sign = kernel[first:last], np.where(mirrored[first:last], -1.0, 1.0)
    parts = ((0, 0, taps.real), (0, 1, taps.imag), (1, 0, -taps.imag * sign))
    for source, target, values in (*parts, (1, 1, taps.real * sign)):
        np.add.at(matrix[:, source, :, target], (rows, columns), values)
    return matrix
