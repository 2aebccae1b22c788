"""The visual hull: what the masks of all views leave of the cube around the scene."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Cameras
from passband.recon.data._photographs import Photographs

_BLOCK = 2**18  # points projected at a time: 20 MiB
_FAR = 4.0


@dataclass(frozen=True, eq=False)
class Hull:
    """A solid of cells in the cube [-1, 1]^3.

    Args:
        occupancy: True inside, x first; cell i of N has its centre at ``-1 + (2 i + 1) / N``.

    Example:
        >>> cells = torch.zeros(4, 4, 4, dtype=torch.bool)
        >>> cells[1:3, 1:3, 1:3] = True  # the cube of half a side
        >>> hull = Hull(cells)
        >>> points = torch.tensor([[0.25, 0.25, 0.25], [0.75, 0.25, 0.25]])
        >>> hull.inside(points).tolist(), hull.distance(points).tolist()
        ([True, False], [-0.25, 0.25])
    """

    occupancy: Bool[Tensor, "N N N"]

    @property
    def resolution(self) -> int:
        """N, cells along each axis."""
        return len(self.occupancy)

    @cached_property
    def distances(self) -> Float[Tensor, "N N N"]:
        """Signed distance at the cells' centres, negative inside, exact to about half a cell.

        The Euclidean distance to the nearest centre of the other kind, less half a cell; outside
        of the cube counts as empty, and 4 stands everywhere where the hull is empty.
        """
        cells = np.pad(self.occupancy.cpu().numpy(), 1)
        if not cells.any():
            return torch.full(
                self.occupancy.shape, _FAR, dtype=torch.float32, device=self.occupancy.device
            )
        signed = np.where(
            cells, 0.5 - distance_transform_edt(cells), distance_transform_edt(~cells) - 0.5
        )
        inner = signed[1:-1, 1:-1, 1:-1] * (2 / self.resolution)
        return torch.from_numpy(inner.astype(np.float32)).to(self.occupancy.device)

    def inside(self, points: Float[Tensor, "n 3"]) -> Bool[Tensor, " n"]:
        """Whether each point's cell is occupied; outside of the cube none is.

        Args:
            points: in the scene, finite.
        """
        cell = ((points + 1) * (self.resolution / 2)).floor()
        within = ((cell >= 0) & (cell < self.resolution)).all(-1)
        x, y, z = cell.clamp(0, self.resolution - 1).long().unbind(-1)
        return within & self.occupancy[x, y, z]

    def distance(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Signed distance, negative inside: trilinear between the cells' centres (`distances`).

        Outside of the cube it is ``sqrt(|x - q|^2 + d(q)^2)`` for the cube's nearest point q, a
        lower bound of the true distance.

        Args:
            points: in the scene.
        """
        nearest = points.clamp(-1, 1)
        grid = self.distances.to(points)[None, None]
        # grid_sample takes its coordinates last axis first.
        where = nearest.flip(-1)[None, None, None]
        near = torch.nn.functional.grid_sample(
            grid, where, padding_mode="border", align_corners=False
        ).reshape(-1)
        beyond = (points - nearest).norm(dim=-1)
        return torch.where(beyond > 0, torch.hypot(beyond, near.clamp(min=0)), near)

    def to(self, device: torch.device | str) -> "Hull":
        """The same hull on a device."""
        return Hull(self.occupancy.to(device))


def visual_hull(
    photographs: Photographs,
    resolution: int,
    *,
    dilate: float = 0.0,
    least: float = 0.25,
    forgive: float = 0.0,
) -> Hull:
    """Cells that lie on the object's mask in every picture that shows them.

    One view after the other thins out the cells that are left, so the first few cost most of the
    time.

    Args:
        photographs: with masks.
        resolution: N, cells along each axis of the cube [-1, 1]^3, from 1 on.
        dilate: cells by which the hull is to be larger, from 0 on. Each mask grows by the size of
            that many cells at the depth of the cell that is asked for, so that parts thinner than
            a cell stay in (at 1 and above).
        least: share of the pictures, 0 to 1, that must show a cell; those shown by fewer, or by
            none, are left out. Lower it for close-ups that each show a small part.
        forgive: share of the pictures that show a cell, 0 to 1, that may show it beside their
            mask: a few wrong masks or poses then take nothing away.

    Returns:
        `Hull` on the CPU.

    Raises:
        InputError: there are no masks, or a setting is outside its range.

    Example:
        >>> matrix = torch.tensor([[[4.0, 0.0, 2.0], [0.0, 4.0, 2.0], [0.0, 0.0, 1.0]]])
        >>> pose = torch.eye(4)[None].clone()
        >>> pose[0, 2, 3] = -4.0  # looks along z from 4 radii away
        >>> mask = torch.zeros(4, 4, dtype=torch.bool)
        >>> mask[:, 2:] = True  # the right half
        >>> image = torch.zeros(4, 4, 3, dtype=torch.uint8)
        >>> cameras = Cameras(matrix, pose, torch.tensor([[4, 4]]))
        >>> one = Photographs(("a",), (image,), (mask,), cameras, torch.eye(4))
        >>> visual_hull(one, 2).occupancy.any(2).any(1)
        tensor([False,  True])

    Reference: Laurentini, *The Visual Hull Concept for Silhouette-Based Image Understanding*,
    IEEE PAMI 16(2), 1994.
    """
    if photographs.masks is None:
        raise InputError("`photographs` must have masks. A visual hull is made of silhouettes.")
    if resolution < 1:
        raise InputError(f"`resolution` (={resolution}) must be at least 1. Pass e.g. 128.")
    if not dilate >= 0:
        raise InputError(f"`dilate` (={dilate:g}) must be at least 0. Pass cells to grow by.")
    for name, share in (("least", least), ("forgive", forgive)):
        if not 0 <= share <= 1:
            raise InputError(f"`{name}` (={share:g}) must be within [0, 1]. It is a share.")
    cameras = photographs.cameras.to("cpu")
    margin = dilate * 2 / resolution
    views = [
        _View(cameras.select(torch.tensor([i])), _outside_by(mask, margin > 0), margin)
        for i, mask in enumerate(photographs.masks)
    ]
    return Hull(_carve(views, resolution, max(1, math.ceil(least * len(views))), forgive))


@dataclass(frozen=True, eq=False)
class _View:
    """One camera, the distance in pixels of each of its pixels to the mask, and the margin."""

    camera: Cameras
    outside: Float[Tensor, "h w"]
    margin: float

    def shows(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Which points are in the picture, and which of them on the mask."""
        pixels, depths = self.camera.project(points)
        height, width = self.outside.shape
        x, y = pixels[0].floor().unbind(-1)
        shown = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        flat = torch.where(shown, y * width + x, 0).long()
        slack = self.camera.intrinsics[0, 0, 0] * self.margin / depths[0]
        return shown, self.outside.reshape(-1)[flat] <= slack


def _outside_by(mask: Tensor, graded: bool) -> Tensor:
    empty = ~mask.cpu()
    if not graded or bool(empty.all()):
        return torch.where(empty, torch.inf, 0.0)
    return torch.from_numpy(distance_transform_edt(empty.numpy()).astype(np.float32))


def _carve(views: list[_View], resolution: int, least: int, forgive: float) -> Tensor:
    middles = (2 * torch.arange(resolution) + 1) / resolution - 1
    occupancy = torch.zeros(resolution, resolution, resolution, dtype=torch.bool)
    slabs = max(1, _BLOCK // resolution**2)
    for start in range(0, resolution, slabs):
        points = torch.cartesian_prod(middles[start : start + slabs], middles, middles)
        left = torch.arange(len(points))
        seen, missed = torch.zeros(2, len(points), dtype=torch.int16)
        for view in views:
            shown, hit = view.shows(points)
            seen, missed = seen + shown, missed + (shown & ~hit)
            stay = (missed <= forgive * len(views)).nonzero()[:, 0]
            points, left, seen, missed = points[stay], left[stay], seen[stay], missed[stay]
            if not len(left):
                break
        kept = (seen >= least) & (missed <= forgive * seen)
        occupancy[start : start + slabs].view(-1)[left[kept]] = True
    return occupancy
