"""Lens distortion of the Brown-Conrady model, as OpenCV orders it, and its inverse."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_NEWTON_STEPS = 12


def distort(
    points: Float[Tensor, "*b 2"], distortion: Float[Tensor, "*#b 6"]
) -> Float[Tensor, "*b 2"]:
    """Where a lens puts a point of the plane z = 1: ``g(r^2) x + tangential``.

    ``g = 1 + k1 r^2 + k2 r^4 + k3 r^6 + k4 r^8``; the tangential part is
    ``(2 p1 x y + p2 (r^2 + 2 x^2), p1 (r^2 + 2 y^2) + 2 p2 x y)``.

    Args:
        points: (x, y) = (X/Z, Y/Z) in the camera.
        distortion: k1, k2, p1, p2, k3, k4.

    Returns:
        Distorted points, of the same shape.

    Example:
        >>> lens = torch.tensor([0.1, 0.0, 0.0, 0.0, 0.0, 0.0])
        >>> distort(torch.tensor([[1.0, 0.0]]), lens)
        tensor([[1.1000, 0.0000]])

    Reference: Brown, *Close-Range Camera Calibration*, Photogrammetric Engineering 37(8), 1971.
    """
    return _distort(points, distortion)[0]


def undistort(
    points: Float[Tensor, "*b 2"], distortion: Float[Tensor, "*#b 6"]
) -> Float[Tensor, "*b 2"]:
    """The point of the plane z = 1 that a lens puts at ``points``, by Newton's method.

    Exact to 1e-6 in float32 and 1e-12 in float64 inside the circle on which the lens does not
    fold (`fold_radius`); outside it no such point exists and the result means nothing.

    Args:
        points: distorted (x, y) in the plane z = 1.
        distortion: k1, k2, p1, p2, k3, k4.

    Returns:
        Points without distortion, of the same shape.

    Example:
        >>> lens = torch.tensor([0.1, 0.0, 0.0, 0.0, 0.0, 0.0])
        >>> undistort(torch.tensor([[1.1, 0.0]]), lens)
        tensor([[1., 0.]])
    """
    found = points
    for _ in range(_NEWTON_STEPS):
        value, (a, b, c, d) = _distort(found, distortion)
        off_x, off_y = (value - points).unbind(-1)
        determinant = a * d - b * c
        step = torch.stack((d * off_x - b * off_y, a * off_y - c * off_x), -1)
        found = found - step / determinant[..., None]
    return found


def fold_radius(distortion: Float[Tensor, "n 6"]) -> Float[Tensor, " n"]:
    """Radius in the plane z = 1 up to which ``r g(r^2)`` grows: the lens' usable part.

    Args:
        distortion: k1, k2, p1, p2, k3, k4 of n cameras; the tangential part is left out.

    Returns:
        The smallest r > 0 with ``(r g(r^2))' = 0``, infinite where there is none.

    Example:
        >>> fold_radius(torch.tensor([[-1 / 3, 0.0, 0.0, 0.0, 0.0, 0.0]]))
        tensor([1.])
    """
    k1, k2, _, _, k3, k4 = distortion.double().cpu().numpy().T
    radii = [_smallest_root(row) for row in np.stack((9 * k4, 7 * k3, 5 * k2, 3 * k1), 1)]
    return torch.tensor(radii, dtype=distortion.dtype, device=distortion.device)


def _smallest_root(derivative: np.ndarray) -> float:
    squares = np.roots(np.append(derivative, 1.0))
    real = squares.real[(np.abs(squares.imag) < 1e-9 * np.abs(squares)) & (squares.real > 0)]
    return float(np.sqrt(real.min())) if real.size else float("inf")


def _distort(
    points: Tensor, distortion: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """The distorted points and the four entries of the derivative, row by row."""
    x, y = points.unbind(-1)
    k1, k2, p1, p2, k3, k4 = distortion.unbind(-1)
    r2 = x * x + y * y
    gain = 1 + r2 * (k1 + r2 * (k2 + r2 * (k3 + r2 * k4)))
    slope = 2 * (k1 + r2 * (2 * k2 + r2 * (3 * k3 + r2 * 4 * k4)))
    value_x = gain * x + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    value_y = gain * y + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    across = slope * x * y + 2 * (p1 * x + p2 * y)
    along_x = gain + slope * x * x + 2 * p1 * y + 6 * p2 * x
    along_y = gain + slope * y * y + 6 * p1 * y + 2 * p2 * x
    return torch.stack((value_x, value_y), -1), (along_x, across, across, along_y)
