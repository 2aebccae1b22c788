"""The lowest rate that still carries a windowed tone, given the filter that lowers the rate."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from passband.frequency._decimation import FACTOR, REACH, low_pass_filter
from passband.frequency._windows import window as named_window

# Part of a filter's norm that a lower rate may lose to the slope of the low-pass filter.
_LOSS = 2e-4


def deepest_level(
    frequency: float, seconds: float, sample_rate: float, window: str | tuple[str, float]
) -> int:
    """How often the rate may be divided before the filter loses more than `_LOSS` of its norm."""
    offsets, power = window_spectrum(window)
    heard = frequency + offsets / seconds
    level = 0
    while frequency < sample_rate / FACTOR ** (level + 1) / 2:
        cycles = heard * FACTOR**level / sample_rate
        kept = _low_pass_response(cycles)
        folded = [kept * _low_pass_response(cycles + j / FACTOR) for j in range(1, FACTOR)]
        loss = (power * ((1 - kept**2) ** 2 + sum(alias**2 for alias in folded))).sum()
        if loss > _LOSS**2:
            break
        level += 1
    return level


@lru_cache(maxsize=16)
def window_spectrum(
    window: str | tuple[str, float],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power spectrum of the window, sum 1, and its offsets in cycles per window length.

    Near its peak finely sampled; the side lobes further out summed up in ever wider stretches, to
    as many cycles as the longest filters have samples.
    """
    count, fine, near = 2**15, 8, 64
    taper = named_window(window, count, dtype=torch.float64).numpy()
    power = np.abs(np.fft.fft(taper, count * fine)[: count * fine // 2]) ** 2
    inner = near * fine
    edges = np.unique(np.geomspace(inner, len(power), 200).astype(int))[:-1]
    outer = np.add.reduceat(power, edges)
    positive = np.concatenate((power[:inner], outer))
    offsets = np.concatenate((np.arange(inner), edges)) / fine
    mirrored = np.concatenate((positive[:0:-1], positive))
    return np.concatenate((-offsets[:0:-1], offsets)), mirrored / mirrored.sum()


def noise_bandwidth(window: str | tuple[str, float]) -> float:
    """Equivalent noise bandwidth in cycles per window length: 1.5 for Hann."""
    taper = named_window(window, 1024, dtype=torch.float64).numpy()
    return float(len(taper) * (taper**2).sum() / taper.sum() ** 2)


def _low_pass_response(cycles: NDArray[np.float64]) -> NDArray[np.float64]:
    grid = _low_pass_grid()
    position = np.abs((cycles + 0.5) % 1 - 0.5) * 2 * (len(grid) - 1)
    response: NDArray[np.float64] = np.interp(position, np.arange(len(grid)), grid)
    return response


@lru_cache(maxsize=1)
def _low_pass_grid() -> NDArray[np.float64]:
    """The low-pass filter's response from 0 to half a cycle per sample."""
    taps = low_pass_filter()
    padded = np.zeros(8192)
    padded[: REACH + 1] = taps[REACH:]
    padded[-REACH:] = taps[:REACH]
    return np.fft.rfft(padded).real
