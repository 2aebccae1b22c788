"""From what a data set lists to photographs in the scene frame."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from numpy.typing import NDArray
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Cameras
from passband.recon.data._listing import Floats, Listing, name_some
from passband.recon.data._normalize import find_sphere
from passband.recon.data._photographs import Photographs
from passband.recon.data._pictures import read_mask, read_picture
from passband.recon.data._poses import sound_poses
from passband.recon.data._scene_frame import in_scene
from passband.recon.data._similarity import around


def assemble(
    listing: Listing, max_side: int | None, sphere: tuple[float, float, float, float] | None
) -> tuple[Photographs, Bool[Tensor, " n"]]:
    """The photographs, and which of them the data set keeps for judging."""
    if max_side is not None and max_side < 1:
        raise InputError(f"`max_side` (={max_side}) must be at least 1. Pass pixels, e.g. 800.")
    listing = sound_poses(_present(listing))
    images, masks, listing = _read(listing, max_side)
    test = torch.tensor([i in listing.test for i in range(len(images))])
    posed = _in_world(listing, images, masks)
    if sphere is not None:
        to_world, note = _given(sphere), None
    elif listing.to_world is not None:
        to_world, note = listing.to_world, None
    else:
        learn = (~test).nonzero()[:, 0] if not test.all() else torch.arange(len(test))
        to_world, note = find_sphere(posed.select(learn), listing.points)
    notes = listing.notes if note is None else (*listing.notes, note)
    return in_scene(replace(posed, notes=notes), to_world), test


def _present(listing: Listing) -> Listing:
    there = [i for i, path in enumerate(listing.images) if path.is_file()]
    missing = [_name(listing.folder, path) for path in listing.images if not path.is_file()]
    if not missing:
        return listing
    note = f"{len(missing)} listed pictures are missing on disk: {name_some(missing)}"
    if not there:
        raise InputError(
            f"{listing.folder} has none of the {len(missing)} pictures it lists "
            f"({name_some(missing)}). Copy them there."
        )
    return listing.keep(there, note)


def _read(
    listing: Listing, max_side: int | None
) -> tuple[list[Tensor], list[Tensor] | None, Listing]:
    """Pictures, masks, and the listing with K for the pictures as they are now."""
    images, masks, sizes = [], [], []
    for path, mask_path in zip(listing.images, listing.masks, strict=True):
        image, mask, size = read_picture(path, max_side)
        if mask_path is not None and mask_path.is_file():
            mask = read_mask(mask_path, (image.shape[1], image.shape[0]))
        images.append(image)
        masks.append(mask)
        sizes.append(size)
    listing = _fit_intrinsics(listing, np.array(sizes, dtype=np.int64), images)
    return _settle_masks(listing, images, masks)


def _fit_intrinsics(listing: Listing, stored: NDArray[np.int64], images: list[Tensor]) -> Listing:
    """K for the pictures in memory; what it is meant for may differ from what is on disk."""
    meant = np.where(listing.sizes > 0, listing.sizes, stored)
    notes = listing.notes
    differs = np.flatnonzero((meant != stored).any(1))
    if len(differs):
        i = differs[0]
        notes = (
            *notes,
            f"{len(differs)} pictures are not of the size their cameras are given for "
            f"({stored[i, 0]}x{stored[i, 1]} on disk, {meant[i, 0]}x{meant[i, 1]} given): "
            f"the cameras are scaled",
        )
    if len({tuple(size) for size in stored.tolist()}) > 1:
        notes = (*notes, f"the pictures are of {len({*map(tuple, stored.tolist())})} sizes")
    now = np.array([(image.shape[1], image.shape[0]) for image in images])
    scale = np.ones((len(images), 3, 1))
    scale[:, :2, 0] = now / meant
    return replace(listing, intrinsics=listing.intrinsics * scale, notes=notes)


def _settle_masks(
    listing: Listing, images: list[Tensor], masks: list[Tensor | None]
) -> tuple[list[Tensor], list[Tensor] | None, Listing]:
    """Masks for all pictures or for none."""
    with_mask = [i for i, mask in enumerate(masks) if mask is not None]
    found = [mask for mask in masks if mask is not None]
    if not found:
        return images, None, listing
    if all(bool(mask.all()) for mask in found):
        note = "the masks are full everywhere: taken for none"
        return images, None, replace(listing, notes=(*listing.notes, note))
    if len(found) == len(images):
        return images, found, listing
    lost = [listing.images[i].name for i, mask in enumerate(masks) if mask is None]
    note = f"{len(lost)} pictures have no mask and were left out: {name_some(lost)}"
    return [images[i] for i in with_mask], found, listing.keep(with_mask, note)


def _in_world(listing: Listing, images: list[Tensor], masks: list[Tensor] | None) -> Photographs:
    """Photographs whose scene frame is still the world, in float64."""
    sizes = [(image.shape[1], image.shape[0]) for image in images]
    lens = listing.distortion
    cameras = Cameras(
        torch.from_numpy(listing.intrinsics),
        torch.from_numpy(listing.poses),
        torch.tensor(sizes),
        None if lens is None or not lens.any() else torch.from_numpy(lens),
    )
    return Photographs(
        tuple(_name(listing.folder, path) for path in listing.images),
        tuple(images),
        None if masks is None else tuple(masks),
        cameras,
        torch.eye(4, dtype=torch.float64),
        listing.notes,
    )


def _given(sphere: tuple[float, float, float, float]) -> Floats:
    *center, radius = sphere
    if not (np.isfinite(sphere).all() and radius > 0):
        raise InputError(
            f"`sphere` (={sphere}) must be a finite centre and a radius above 0. "
            f"Pass x, y, z, radius in the world of the data."
        )
    return around(np.array(center, dtype=np.float64), radius)


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
