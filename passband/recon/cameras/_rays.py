"""Rays, and where they meet the sphere of the scene."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from passband.errors import InputError


@dataclass(frozen=True, eq=False)
class Rays:
    """Half-lines ``o + t d`` with t >= 0 in the scene frame.

    Args:
        origins: o.
        directions: d, of unit length.
    """

    origins: Float[Tensor, "n 3"]
    directions: Float[Tensor, "n 3"]

    def __len__(self) -> int:
        return len(self.origins)

    def at(self, depths: Float[Tensor, "n *samples"]) -> Float[Tensor, "n *samples 3"]:
        """The points ``o + t d``, for one depth t of each ray or for several.

        Args:
            depths: t, in scene units.

        Returns:
            Points of shape (n, 3) or (n, samples, 3).

        Example:
            >>> rays = Rays(torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 1.0]]))
            >>> rays.at(torch.tensor([[1.0, 2.0]]))[0, :, 2].tolist()
            [1.0, 2.0]
        """
        shape = (len(self), *([1] * (depths.dim() - 1)), 3)
        return self.origins.reshape(shape) + depths[..., None] * self.directions.reshape(shape)


def near_far(
    rays: Rays, radius: float = 1.0
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"], Bool[Tensor, " n"]]:
    """Depths at which rays enter and leave the sphere ``|x| = r``: ``-o.d -+ sqrt(r^2 - |h|^2)``.

    h is the foot of the perpendicular from the centre of the sphere, so that no digits are lost
    where the camera is far away.

    Args:
        rays: with directions of unit length.
        radius: of the sphere at the origin, in scene units, above 0.

    Returns:
        near (n,), at least 0; far (n,); and hits (n,), False where the ray misses the sphere or
        has it behind: there near and far are both the depth of h, at least 0.

    Raises:
        InputError: a radius that is not above 0.

    Example:
        >>> rays = Rays(torch.tensor([[0.0, 0.0, -3.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
        >>> [values.item() for values in near_far(rays)]
        [2.0, 4.0, True]
    """
    if not radius > 0:
        raise InputError(f"`radius` (={radius:g}) must be above 0. Pass 1 for the unit sphere.")
    middle = -(rays.origins * rays.directions).sum(-1)
    foot = rays.origins + middle[:, None] * rays.directions
    inside = radius**2 - foot.square().sum(-1)
    half = inside.clamp(min=0).sqrt()
    far = middle + half
    hits = (inside > 0) & (far > 0)
    near = torch.where(hits, middle - half, middle).clamp(min=0)
    return near, torch.where(hits, far, middle).clamp(min=0), hits
