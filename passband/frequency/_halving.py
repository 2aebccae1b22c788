"""Half the sampling rate: one linear-phase half-band filter, and its adjoint."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

# Kaiser half-band: flat to 1e-5 up to 0.40 of the new rate and down by 95 dB from 0.60 of it on.
REACH = 31
_BETA = 9.3
_BLOCK = 32  # outputs of a block: a filter then reaches over two blocks of inputs at most


@lru_cache(maxsize=1)
def half_band_filter() -> NDArray[np.float64]:
    """Symmetric taps ``h[-REACH ... REACH]`` with sum 1 and every second one zero."""
    n = np.arange(-REACH, REACH + 1)
    taps = 0.5 * np.sinc(n / 2) * np.kaiser(2 * REACH + 1, _BETA)
    normed: NDArray[np.float64] = taps / taps.sum()
    return normed


@lru_cache(maxsize=1)
def halving_blocks() -> Tensor:
    """The filter as ``(2 block, 2 block)``: to the outputs of a block, and of the one before."""
    taps = half_band_filter()
    blocks = np.zeros((4 * _BLOCK, _BLOCK))
    for output in range(_BLOCK):
        blocks[2 * output : 2 * output + len(taps), output] = taps
    first, second = blocks[: 2 * _BLOCK], blocks[2 * _BLOCK :]
    return torch.from_numpy(np.concatenate((first, second), axis=1))


def halving_needs(first: int, count: int, shift: int) -> tuple[int, int]:
    """First index and number of the samples that `halve` takes to give ``count`` from ``first``."""
    return 2 * first + shift - REACH, (-(-count // _BLOCK) + 1) * 2 * _BLOCK


def halve(x: Tensor, count: int, blocks: Tensor) -> Tensor:
    """``y[m] = sum_j h[j] x[2 m + REACH + j]`` for the first ``count`` m.

    Computed as one product of blocks of samples with a small matrix.

    Args:
        x: ``(*batch, time)``, of exactly as many samples as `halving_needs` says.
        count: samples to give.
        blocks: `halving_blocks` in the type and on the device of ``x``.
    """
    parts = -(-count // _BLOCK)
    pieces = x.unflatten(-1, (parts + 1, 2 * _BLOCK)) @ blocks
    y: Tensor = pieces[..., :-1, :_BLOCK] + pieces[..., 1:, _BLOCK:]
    return y.flatten(-2)[..., :count]


def halve_adjoint(y: Tensor, blocks: Tensor) -> Tensor:
    """Adjoint of `halve`: as many samples as `halving_needs` says."""
    count = y.shape[-1]
    parts = -(-count // _BLOCK)
    pieces = pad(y, (0, parts * _BLOCK - count)).unflatten(-1, (parts, _BLOCK))
    here = pad(pieces @ blocks[:, :_BLOCK].mT, (0, 0, 0, 1))
    after = pad(pieces @ blocks[:, _BLOCK:].mT, (0, 0, 1, 0))
    return (here + after).flatten(-2)
