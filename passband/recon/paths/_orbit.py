"""Cameras on a circle about the scene."""

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from passband.errors import InputError
from passband.recon.cameras import Cameras


def orbit(
    count: int,
    *,
    size: tuple[int, int] = (400, 400),
    fov: float = 45.0,
    distance: float = 3.0,
    elevation: float = 20.0,
    up: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> Cameras:
    """Cameras at equal angles on a circle, each of which looks at the origin.

    The circle has its axis along ``up``; the first camera stands where it is nearest to the axis
    of the scene that is most across ``up``, the others follow counter-clockwise seen from above.

    Args:
        count: of cameras for the whole turn, at least 1.
        size: width and height in pixels.
        fov: vertical field of view, above 0 and below 180 degrees.
        distance: from the origin in scene units, above 1: outside of the sphere of the scene.
        elevation: above the plane through the origin, between -90 and 90 degrees.
        up: where up is in the scene, of any length.

    Raises:
        InputError: an argument is out of range.

    Example:
        >>> cameras = orbit(4, elevation=0.0)
        >>> (cameras.centers + 3 * cameras.axes).abs().max() < 1e-5
        tensor(True)
    """
    _check(count, size, fov, distance, elevation, up)
    upward = normalize(torch.tensor(up, dtype=torch.float64), dim=0)
    across = torch.eye(3, dtype=torch.float64)[upward.abs().argmin()]
    first = normalize(across - (across @ upward) * upward, dim=0)
    second = torch.linalg.cross(upward, first)
    angle = 2 * math.pi * torch.arange(count, dtype=torch.float64)[:, None] / count
    flat, raised = math.cos(math.radians(elevation)), math.sin(math.radians(elevation))
    outward = flat * (angle.cos() * first + angle.sin() * second) + raised * upward
    right = normalize(torch.linalg.cross(-outward, upward.expand_as(outward)), dim=1)
    to_scene = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    down = torch.linalg.cross(-outward, right)
    to_scene[:, :3, :3] = torch.stack((right, down, -outward), dim=2)
    to_scene[:, :3, 3] = distance * outward
    return Cameras(
        _intrinsics(size, fov).expand(count, 3, 3),
        to_scene.float(),
        torch.tensor([size]).expand(count, 2),
    )


def _intrinsics(size: tuple[int, int], fov: float) -> Tensor:
    width, height = size
    focal = height / 2 / math.tan(math.radians(fov) / 2)
    return torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def _check(
    count: int,
    size: tuple[int, int],
    fov: float,
    distance: float,
    elevation: float,
    up: tuple[float, float, float],
) -> None:
    if count < 1 or min(size) < 1:
        raise InputError(f"`count` (={count}) and `size` (={size}) must be at least 1. Pass 120.")
    if not 0 < fov < 180:
        raise InputError(f"`fov` (={fov:g} degrees) must be above 0 and below 180. Pass 45.")
    if not 1 < distance < math.inf:
        raise InputError(
            f"`distance` (={distance:g}) must be above 1, outside of the sphere of the scene. "
            "Pass 3."
        )
    if not -90 < elevation < 90:
        raise InputError(
            f"`elevation` (={elevation:g} degrees) must be between -90 and 90, where up is not "
            "along the view. Pass 20."
        )
    if not (all(math.isfinite(part) for part in up) and any(up)):
        raise InputError(f"`up` (={up}) must be finite and not 0. Pass (0, 0, 1).")
