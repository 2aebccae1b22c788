"""Similarities of space, and poses carried along by them."""

import numpy as np

from passband.recon.data._listing import Floats


def around(center: Floats, radius: float) -> Floats:
    """The similarity that takes the unit sphere to the sphere around ``center``, (4, 4)."""
    matrix = np.diag([radius, radius, radius, 1.0])
    matrix[:3, 3] = center
    return matrix


def move_poses(similarity: Floats, poses: Floats) -> Floats:
    """Rigid poses after ``similarity`` has moved what they lead to: its scale moves centres only.

    Args:
        similarity: (4, 4).
        poses: (n, 4, 4).
    """
    scale = np.cbrt(abs(np.linalg.det(similarity[:3, :3])))
    moved = similarity @ poses
    moved[:, :3, :3] /= scale
    return moved
