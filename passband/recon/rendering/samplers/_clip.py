"""Rays cut to where cells are occupied."""

from importlib import import_module

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from passband.errors import InputError
from passband.inr.kernels._parallel import run_tasks
from passband.recon.cameras import Rays

_BLOCK = 1024  # rays per task


@torch.no_grad()
def clip_to_occupied(
    occupied: Bool[Tensor, "n n n"],
    rays: Rays,
    near: Float[Tensor, " rays"],
    far: Float[Tensor, " rays"],
) -> tuple[Float[Tensor, " rays"], Float[Tensor, " rays"]]:
    """Depths between which a ray has occupied cells, such as those of the masks' visual hull.

    Every ray is looked at in steps of one cell, and a step is added at both ends. A ray that cuts
    only a corner of the occupied cells, by less than a step, may be taken to miss them: dilate
    them by a cell where that matters.

    Args:
        occupied: cells over [-1, 1]^3, x first.
        rays: in the scene frame.
        near: depth at which each ray starts, scene units.
        far: depth at which it ends.

    Returns:
        near and far (rays,); equal for a ray that meets no occupied cell, or has ``far <= near``.

    Raises:
        InputError: cells that are not a cube.

    Example:
        >>> occupied = torch.zeros(8, 8, 8, dtype=torch.bool)
        >>> occupied[4] = True  # x from 0 to 0.25
        >>> rays = Rays(torch.tensor([[-2.0, 0.1, 0.1]]), torch.tensor([[1.0, 0.0, 0.0]]))
        >>> clip_to_occupied(occupied, rays, torch.tensor([1.0]), torch.tensor([3.0]))
        (tensor([1.7500]), tensor([2.2500]))
    """
    if len(set(occupied.shape)) != 1:
        raise InputError(f"`occupied` (of shape {tuple(occupied.shape)}) must be a cube of cells.")
    fast = near.device.type == "cpu" and near.dtype == torch.float32
    if not fast or near.numel() == 0:
        return plain_clip(occupied, rays, near, far)
    # Imported here: numba takes half a second.
    loops = import_module("passband.recon.rendering.samplers._clip_loops")
    found = torch.empty_like(near), torch.empty_like(far)
    inputs = (occupied, rays.origins, rays.directions, near, far)
    arrays = [x.detach().contiguous().numpy() for x in (*inputs, *found)]

    def block(number: int) -> None:
        loops.clip(*arrays, number * _BLOCK, min((number + 1) * _BLOCK, len(near)))

    run_tasks(block, -(-len(near) // _BLOCK))
    return found


def plain_clip(occupied: Tensor, rays: Rays, near: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
    """The same in plain torch: the definition the compiled loop is tested against."""
    n = occupied.shape[0]
    step = 2 / n
    count = int(((far - near).amax() / step).ceil().clamp(min=0)) + 1 if near.numel() > 0 else 1
    depths = near[:, None] + step * torch.arange(count, device=near.device, dtype=near.dtype)
    x, y, z = ((rays.at(depths) + 1) * (n / 2)).long().clamp(0, n - 1).unbind(-1)
    seen = occupied[x, y, z] & (depths <= far[:, None]) & (far > near)[:, None]
    first = torch.where(seen, depths, torch.inf).amin(-1) - step
    last = torch.where(seen, depths, -torch.inf).amax(-1) + step
    hits = seen.any(-1)
    return torch.where(hits, first.maximum(near), near), torch.where(hits, last.minimum(far), near)
