"""Poses that cannot be used, left out; poses with a scale, freed of it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from passband.errors import InputError
from passband.recon.data._listing import Listing, name_some

_TOLERANCE = 1e-2


def sound_poses(listing: Listing) -> Listing:
    """The listing without pictures whose pose or K is NaN, singular or sheared.

    A rotation times a scale keeps its rotation. A reflection stays as it is.
    """
    turn = listing.poses[:, :3, :3]
    numbers = np.concatenate((listing.poses[:, :3], listing.intrinsics), 2)
    finite: NDArray[np.bool_] = np.isfinite(numbers).all((1, 2))
    scale = np.cbrt(np.abs(np.linalg.det(np.where(finite[:, None, None], turn, 0))))
    finite &= scale > 1e-12
    unit = turn / np.where(finite, scale, 1)[:, None, None]
    shear = np.abs(unit.transpose(0, 2, 1) @ unit - np.eye(3)).max((1, 2))
    finite &= np.nan_to_num(shear, nan=np.inf) < _TOLERANCE
    kept, lost = np.flatnonzero(finite).tolist(), np.flatnonzero(~finite).tolist()
    if not kept:
        raise InputError(
            f"{listing.folder} has no picture with a usable pose: all {len(lost)} are NaN or no "
            f"rotation. Run structure from motion again."
        )
    notes = []
    if lost:
        names = name_some([listing.images[i].name for i in lost])
        notes.append(f"{len(lost)} poses are NaN or no rotation and were left out: {names}")
    if (np.abs(scale[kept] - 1) > _TOLERANCE).any():
        notes.append(f"the poses have a scale (of {scale[kept[0]]:.4g}), which was taken out")
    poses = listing.poses.copy()
    poses[:, :3, :3] = unit
    poses[:, 3] = (0, 0, 0, 1)
    return replace(listing, poses=poses).keep(kept, *notes)
