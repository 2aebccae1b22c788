"""A quarter of the sampling rate: one linear-phase low-pass filter, and its adjoint."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

FACTOR = 4
# Kaiser low-pass: flat to 1e-4 up to 0.40 of the new rate, down by 80 dB from 0.60 of it on.
REACH = 49
_BETA = 7.6
_BLOCK = 24  # outputs of a block: the filter then reaches over two blocks of inputs at most


@lru_cache(maxsize=1)
def low_pass_filter() -> NDArray[np.float64]:
    """Symmetric taps ``h[-REACH ... REACH]`` with sum 1."""
    n = np.arange(-REACH, REACH + 1)
    taps = np.sinc(n / FACTOR) * np.kaiser(2 * REACH + 1, _BETA)
    normed: NDArray[np.float64] = taps / taps.sum()
    return normed


@lru_cache(maxsize=1)
def decimation_blocks() -> Tensor:
    """The filter as ``(4 block, 2 block)``: to the outputs of a block, and of the one before."""
    taps, step = low_pass_filter(), FACTOR * _BLOCK
    blocks = np.zeros((2 * step, _BLOCK))
    for output in range(_BLOCK):
        blocks[FACTOR * output : FACTOR * output + len(taps), output] = taps
    return torch.from_numpy(np.concatenate((blocks[:step], blocks[step:]), axis=1))


def decimation_needs(first: int, count: int, shift: int) -> tuple[int, int]:
    """First index and number of the samples `decimate` takes to give ``count`` from ``first`` on.

    Output m stands at input ``4 m + shift``.
    """
    return FACTOR * first + shift - REACH, (-(-count // _BLOCK) + 1) * FACTOR * _BLOCK


def decimate(x: Tensor, count: int, blocks: Tensor) -> Tensor:
    """``y[m] = sum_j h[j] x[4 m + REACH + j]`` for the first ``count`` m.

    Computed as one product of blocks of samples with a small matrix.

    Args:
        x: ``(*batch, time)``, of exactly as many samples as `decimation_needs` says.
        count: samples to give.
        blocks: `decimation_blocks` in the type and on the device of ``x``.
    """
    parts = -(-count // _BLOCK)
    pieces = x.unflatten(-1, (parts + 1, FACTOR * _BLOCK)) @ blocks
    y: Tensor = pieces[..., :-1, :_BLOCK] + pieces[..., 1:, _BLOCK:]
    return y.flatten(-2)[..., :count]


def decimate_adjoint(y: Tensor, blocks: Tensor) -> Tensor:
    """Adjoint of `decimate`: as many samples as `decimation_needs` says."""
    count = y.shape[-1]
    parts = -(-count // _BLOCK)
    pieces = pad(y, (0, parts * _BLOCK - count)).unflatten(-1, (parts, _BLOCK))
    here = pad(pieces @ blocks[:, :_BLOCK].mT, (0, 0, 0, 1))
    after = pad(pieces @ blocks[:, _BLOCK:].mT, (0, 0, 1, 0))
    return (here + after).flatten(-2)
