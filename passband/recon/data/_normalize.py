"""The sphere around the object, where a data set has none."""

import numpy as np
import torch
from torch import Tensor

from passband.errors import InputError
from passband.recon.data._hull import visual_hull
from passband.recon.data._listing import Floats
from passband.recon.data._overlap import overlap
from passband.recon.data._photographs import Photographs
from passband.recon.data._scene_frame import in_scene
from passband.recon.data._similarity import around

MARGIN = 0.9  # radius of the object in the scene, where it is known
_COARSE, _FINE = 48, 64
_FEW = 20  # points
_SURE, _WRONG, _CLEARLY = 0.8, 0.1, 0.05
_LOOKED_AT = 12  # pictures


def find_sphere(world: Photographs, points: Floats | None) -> tuple[Floats, str]:
    """Similarity from the unit sphere to the world, and the line that says how it was found.

    Args:
        world: photographs whose scene frame is the world of the data, float64.
        points: of the scene, in the world.
    """
    focus, ring = _focus(world)
    if world.masks is not None:
        found = _from_hull(world, focus, ring)
        if found is not None:
            return found, "the sphere is that of the masks' visual hull"
    if points is not None and len(points) >= _FEW:
        return _from_points(
            points, focus, ring
        ), "the sphere is that of the points within the cameras"
    return (
        around(focus, ring.min() / 2),
        "the sphere is centred where the optical axes meet and reaches half the way to the "
        "nearest camera",
    )


def _focus(world: Photographs) -> tuple[Floats, Floats]:
    """The point nearest to the lines of sight to the object, and its distances to the cameras."""
    centers, sight = world.cameras.centers.numpy(), _sight(world).numpy()
    across = np.eye(3) - sight[:, :, None] * sight[:, None, :]
    total = across.sum(0)
    if np.linalg.eigvalsh(total)[0] < 1e-4 * len(sight):
        raise InputError(
            "the cameras look along parallel lines, or there is one only: where the object lies "
            "cannot be told. Pass `sphere`, or add pictures from other sides."
        )
    if np.ptp(centers, axis=0).max() <= 1e-6 * np.abs(centers).max():
        raise InputError(
            "all cameras stand at one point, as where poses lead from the world to the camera. "
            "Invert every matrix, or add pictures from other places."
        )
    focus = np.linalg.solve(total, (across @ centers[:, :, None]).sum(0)[:, 0])
    return focus, np.linalg.norm(centers - focus, axis=1)


def _sight(world: Photographs) -> Tensor:
    """From each camera through the middle of its mask, or along its optical axis."""
    if world.masks is None:
        return world.cameras.axes
    filled = [i for i, mask in enumerate(world.masks) if mask.any()]
    sight = world.cameras.axes.clone()
    if filled:
        middles = torch.stack(
            [world.masks[i].nonzero().double().mean(0).flip(0) + 0.5 for i in filled]
        )
        sight[filled] = world.cameras.rays(torch.tensor(filled), middles).directions
    return sight


def _from_hull(world: Photographs, focus: Floats, ring: Floats) -> Floats | None:
    """The bounding sphere of the masks' hull; None where the hull is empty.

    Where masks and hull overlap badly and a hull that forgives a tenth of the pictures does
    better, some picture is wrong and the second is taken.
    """
    radius = float(np.median(ring))
    strict = _shrink(world, focus, radius, 0.0)
    if strict is not None and strict[1] > _SURE:
        return strict[0]
    tolerant = _shrink(world, focus, radius, _WRONG)
    if strict is None or (tolerant is not None and tolerant[1] > strict[1] + _CLEARLY):
        return None if tolerant is None else tolerant[0]
    return strict[0]


def _shrink(
    world: Photographs, center: Floats, radius: float, forgive: float
) -> tuple[Floats, float] | None:
    """The sphere, found coarse to fine, and the median overlap of masks and hull in it."""
    for resolution in (_COARSE, _COARSE, _FINE):
        scene = in_scene(world, around(center, radius))
        hull = visual_hull(scene, resolution, dilate=1, least=0.5, forgive=forgive)
        cells = hull.occupancy.nonzero().numpy()
        if not len(cells):
            return None
        places = center + radius * ((2 * cells + 1) / resolution - 1)
        center = (places.min(0) + places.max(0)) / 2
        reach = np.linalg.norm(places - center, axis=1).max()
        radius = max(float(reach), 2 * radius / resolution) / MARGIN
    few = torch.linspace(0, len(scene) - 1, min(len(scene), _LOOKED_AT)).round().long()
    return around(center, radius), float(overlap(scene.select(few), hull).median())


def _from_points(points: Floats, focus: Floats, ring: Floats) -> Floats:
    """Middle and reach of the points within the ring of cameras, without outliers."""
    off = np.linalg.norm(points - focus, axis=1)
    near = points[off < 0.9 * np.median(ring)]
    if len(near) < _FEW:
        near = points
    center = np.median(near, axis=0)
    reach = np.quantile(np.linalg.norm(near - center, axis=1), 0.95)
    return around(center, float(reach) * 1.1 / MARGIN)
