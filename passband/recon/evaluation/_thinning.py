"""A cloud with no two points nearer than a distance."""

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor

from passband.errors import InputError
from passband.training import make_generator

_STREAM = 19
_MOST_CELLS = 2**20  # along an axis, so that a cell's number fits 63 bits


def thinned(
    points: Float[Tensor, "n 3"], spacing: float, *, seed: int = 0
) -> Int64[Tensor, " kept"]:
    """Numbers of points no two of which are within ``spacing``, all others within it of one.

    Points are visited in random order, and kept where no kept one is near. So densely scanned
    parts of a surface count as much as others.

    Args:
        points: a cloud.
        spacing: least distance between points that are kept, above 0.
        seed: of the order.

    Returns:
        Indices into ``points``, increasing.

    Raises:
        InputError: ``spacing`` is not above 0, or too small for the extent of the cloud.

    Example:
        >>> line = torch.arange(5.0)[:, None] * torch.tensor([1.0, 0.0, 0.0])
        >>> kept = thinned(line, 1.5)
        >>> bool((kept.diff() > 1).all()), len(kept) in (2, 3)
        (True, True)

    Reference: Jensen, Dahl, Vogiatzis, Tola, Aanaes, *Large Scale Multi-view Stereopsis
    Evaluation*, CVPR 2014 (the rule; the grid that finds neighbours is ours).
    """
    if not spacing > 0:
        raise InputError(f"`spacing` (={spacing:g}) must be above 0. Pass 0.2 for DTU's mm.")
    places = points.double().numpy()
    if not len(places):
        return torch.zeros(0, dtype=torch.int64)
    cells = np.floor((places - places.min(axis=0)) / spacing).astype(np.int64) + 1
    if cells.max() + 1 >= _MOST_CELLS:
        raise InputError(
            f"`spacing` (={spacing:g}) must be more than 1e-6 of the cloud's extent "
            f"{np.ptp(places, axis=0).max():g}. Crop the cloud, or pass it in millimetres."
        )
    numbers = (cells[:, 0] * _MOST_CELLS + cells[:, 1]) * _MOST_CELLS + cells[:, 2]
    occupied, cell = np.unique(numbers, return_inverse=True)
    order = torch.randperm(len(places), generator=make_generator(seed, _STREAM)).numpy()
    from passband.recon.evaluation._thinning_loop import visit  # noqa: PLC0415  compiles

    kept: NDArray[np.bool_] = visit(places, order, cell, occupied, _MOST_CELLS, spacing**2)
    return torch.from_numpy(np.flatnonzero(kept))
