"""How well masks agree with the silhouettes of a hull."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from passband.recon.cameras import Rays, near_far
from passband.recon.data._hull import Hull
from passband.recon.data._photographs import Photographs

_MOST_RAYS = 3000  # of one picture, on a grid


def overlap(photographs: Photographs, hull: Hull) -> Float[Tensor, " n"]:
    """Intersection over union of each mask and the hull's silhouette in that picture.

    Pixels on a grid are looked at, and along their rays one sample a cell.

    Args:
        photographs: with masks.
        hull: to be seen.
    """
    assert photographs.masks is not None
    bounds = _bounds(hull)
    scores = []
    for i, mask in enumerate(photographs.masks):
        rows, columns = _grid(mask)
        silhouette = _silhouette(photographs, i, rows, columns, hull, bounds)
        true = mask[rows, columns]
        union = (true | silhouette).sum()
        scores.append((true & silhouette).sum() / union.clamp(min=1))
    return torch.stack(scores)


def _bounds(hull: Hull) -> tuple[Tensor, float]:
    """Centre and radius of a sphere around the occupied cells."""
    cells = (2 * hull.occupancy.nonzero() + 1) / hull.resolution - 1
    if not len(cells):
        return torch.zeros(3), 1e-6
    center = (cells.amin(0) + cells.amax(0)) / 2
    return center, float((cells - center).norm(dim=1).max()) + 3**0.5 / hull.resolution


def _grid(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of pixels, evenly spread."""
    step = max(1, round((mask.numel() / _MOST_RAYS) ** 0.5))
    rows = torch.arange(step // 2, mask.shape[0], step)
    columns = torch.arange(step // 2, mask.shape[1], step)
    both = torch.cartesian_prod(rows, columns)
    return both[:, 0], both[:, 1]


def _silhouette(
    photographs: Photographs,
    i: int,
    rows: Tensor,
    columns: Tensor,
    hull: Hull,
    bounds: tuple[Tensor, float],
) -> Bool[Tensor, " r"]:
    center, radius = bounds
    pixels = torch.stack((columns, rows), 1).float() + 0.5
    rays = photographs.cameras.rays(torch.full((len(pixels),), i), pixels)
    near, far, hits = near_far(Rays(rays.origins - center, rays.directions), radius)
    which = hits.nonzero()[:, 0]
    count = max(1, int(radius * hull.resolution))
    steps = (torch.arange(count) + 0.5) / count
    depths = near[which, None] + (far - near)[which, None] * steps
    points = Rays(rays.origins[which], rays.directions[which]).at(depths)
    found = torch.zeros(len(pixels), dtype=torch.bool)
    found[which] = hull.inside(points.reshape(-1, 3)).reshape(depths.shape).any(1)
    return found
