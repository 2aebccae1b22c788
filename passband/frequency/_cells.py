"""Cells of an N-D spectrum: their frequencies, and sums over groups of them.

A real signal has conjugate cells of equal magnitude, so the transform computes about half of them.
The sums here are over all cells: each is read from the half where it, or its conjugate, is kept.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from passband.frequency._validate import require_real

Cells = list[NDArray[np.int64]]
"""Integer frequency of every cell, one array per axis, shaped to broadcast to a grid."""


def require_grid(name: str, signal: Tensor, ndim: int, leading: int) -> tuple[int, ...]:
    """Sides of the last ``ndim`` axes; raise unless they exist after ``leading`` others."""
    require_real(name, signal)
    if ndim not in (1, 2, 3):
        raise ValueError(f"`ndim` (={ndim}) must be 1, 2 or 3. Pass the number of grid axes.")
    if signal.ndim < ndim + leading or 0 in signal.shape:
        layout = "(*batch, channels, *grid)" if leading else "(*batch, *grid)"
        raise ValueError(
            f"`{name}` (shape {tuple(signal.shape)}) must be {layout} with {ndim} grid axes and no "
            "empty axis. Add the missing axis with unsqueeze."
        )
    return tuple(signal.shape[-ndim:])


def half_spectrum(signal: Tensor, ndim: int) -> Tensor:
    """DFT over the last ``ndim`` axes, without the conjugate half."""
    spectrum: Tensor = torch.fft.rfftn(signal, dim=tuple(range(-ndim, 0)))
    return spectrum


def signed_cells(sides: Sequence[int], limit: float) -> Cells:
    """Cells of frequency ``-n/2 <= f < n/2`` on each axis of ``n``, with ``|f| <= limit``."""
    axes = [np.arange(-(n // 2), n - n // 2) for n in sides]
    return list(np.ix_(*(f[np.abs(f) <= limit] for f in axes)))


def radius(cells: Cells) -> NDArray[np.float64]:
    """Radial frequency ``sqrt(sum_i f_i^2)`` of every cell."""
    return np.asarray(np.sqrt(sum(f.astype(np.float64) ** 2 for f in cells)))


def largest_radius(sides: Sequence[int]) -> float:
    """Radial frequency of the farthest corner of the spectrum."""
    return math.sqrt(sum((n // 2) ** 2 for n in sides))


def sum_groups(values: Tensor, cells: Cells, group: NDArray[np.int64], count: int) -> Tensor:
    """Sum ``values`` ``(*batch, *half grid)`` over cells of equal ``group`` in ``0 ... count - 1``.

    Cells of any other group are left out.
    """
    ndim = len(cells)
    kept = (group >= 0) & (group < count)
    conjugate = np.sign(cells[-1]) < 0
    flat = np.zeros((1,) * ndim, dtype=np.int64)
    for f, side in zip(cells, values.shape[-ndim:], strict=True):
        # A negative frequency on the halved last axis is read at its conjugate, on all axes.
        flat = flat * side + np.where(conjugate, -f, f) % side
    source = torch.from_numpy(np.broadcast_to(flat, group.shape)[kept]).to(values.device)
    target = torch.from_numpy(group[kept]).to(values.device)
    taken = values.flatten(-ndim).index_select(-1, source)
    sums = values.new_zeros(*values.shape[:-ndim], count)
    return sums.scatter_add(-1, target.expand_as(taken), taken)
