"""Whole views of a reconstruction."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from passband.recon._model import Reconstruction
from passband.recon.cameras import Cameras, near_far

_CHUNK = 2**13


@dataclass(frozen=True, eq=False)
class View:
    """What a camera sees, on the CPU.

    Attributes:
        color: in [0, 1].
        opacity: in [0, 1].
        depth: along the rays, scene units; 0 where nothing is.
        normal: in the scene frame, of unit length where the surface is opaque and flat.
    """

    color: Float[Tensor, "height width 3"]
    opacity: Float[Tensor, "height width"]
    depth: Float[Tensor, "height width"]
    normal: Float[Tensor, "height width 3"]


@torch.no_grad()
def render_view(model: Reconstruction, cameras: Cameras, number: int) -> View:
    """The view of one camera, pixel centre by pixel centre.

    Args:
        model: on its device.
        cameras: in the scene frame.
        number: of the camera, from 0.

    Example:
        >>> from passband.recon.rendering import Geometry, PlainBackground, ScheduledNeusOpacity
        >>> from passband.recon.rendering.samplers import UniformSampler
        >>> class Ball(torch.nn.Module):
        ...     def distance(self, x):
        ...         return x.norm(dim=-1) - 0.5
        ...     def geometry(self, x):
        ...         return Geometry(self.distance(x), x / x.norm(dim=-1, keepdim=True), x)
        ...     def color(self, x, normal, direction, features):
        ...         return 0.5 + 0.5 * normal
        >>> model = Reconstruction(
        ...     Ball(), ScheduledNeusOpacity(20, 200), PlainBackground(), UniformSampler(64))
        >>> matrix = torch.tensor([[[8.0, 0.0, 4.0], [0.0, 8.0, 4.0], [0.0, 0.0, 1.0]]])
        >>> pose = torch.eye(4)[None].clone()
        >>> pose[0, 2, 3] = -2.0
        >>> view = render_view(model, Cameras(matrix, pose, torch.tensor([[8, 8]])), 0)
        >>> view.color.shape, (view.opacity[3:5, 3:5] > 0.99).all()
        (torch.Size([8, 8, 3]), tensor(True))
    """
    width, height = cameras.sizes[number].tolist()
    device = cameras.intrinsics.device
    rows = torch.arange(height, device=device) + 0.5
    columns = torch.arange(width, device=device) + 0.5
    pixels = torch.cartesian_prod(rows, columns).flip(-1)
    parts = []
    for some in pixels.split(_CHUNK):
        rays = cameras.rays(some.new_full((len(some),), number, dtype=torch.int64), some)
        near, far, _ = near_far(rays)
        seen = model(rays, near, far)
        parts.append((seen.color, seen.opacity, seen.depth, seen.normal))
    color, opacity, depth, normal = (torch.cat(each).cpu() for each in zip(*parts, strict=True))
    shape = (height, width)
    return View(
        color.clamp(0, 1).reshape(*shape, 3),
        opacity.reshape(shape),
        depth.reshape(shape),
        normal.reshape(*shape, 3),
    )
