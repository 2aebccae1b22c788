"""From a 3x4 projection to the camera it stands for."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import rq
from torch import Tensor

from passband.errors import InputError


def decompose_projection(
    projection: Float[Tensor, "3 4"],
) -> tuple[Float[Tensor, "3 3"], Float[Tensor, "4 4"]]:
    """Calibration and pose of ``P = s K [R | t]``, by the RQ decomposition of the left block.

    K has a positive diagonal and last entry 1, R is a rotation; the scale s, of either sign, is
    dropped. Work is in float64.

    Args:
        projection: P, from homogeneous points to homogeneous pixels.

    Returns:
        K, and the rigid transform from the camera to the frame of the points, in P's dtype.

    Raises:
        InputError: P holds NaN or its left 3x3 block is singular.

    Example:
        >>> matrix = torch.tensor([[512.0, 0, 32, 0], [0, 512, 64, 0], [0, 0, 1, 2]])
        >>> calibration, pose = decompose_projection(-3 * matrix)
        >>> calibration[1].tolist(), pose[:3, 3].tolist()
        ([0.0, 512.0, 64.0], [0.125, 0.25, -2.0])

    Reference: Hartley & Zisserman, *Multiple View Geometry*, 2nd ed., 2004, section 6.2.4.
    """
    matrix = projection.detach().cpu().double().numpy()
    left = matrix[:, :3]
    if not np.isfinite(matrix).all() or abs(np.linalg.det(left)) <= 1e-12 * np.abs(left).max() ** 3:
        raise InputError(
            "`projection` must be finite with an invertible left 3x3 block. "
            "Check that it is K [R | t] of a camera."
        )
    upper, rotation = rq(left * np.sign(np.linalg.det(left)))
    signs = np.diag(np.sign(np.diag(upper)))
    upper, rotation = upper @ signs, signs @ rotation
    pose = np.eye(4)
    pose[:3, :3] = rotation.T
    pose[:3, 3] = -np.linalg.solve(left, matrix[:, 3])
    return (
        torch.from_numpy(upper / upper[2, 2]).to(projection),
        torch.from_numpy(pose).to(projection),
    )
