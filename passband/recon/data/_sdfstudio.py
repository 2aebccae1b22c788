"""Data sets of sdfstudio (``meta_data.json``)."""

from pathlib import Path
from typing import Any

import numpy as np

from passband.errors import InputError
from passband.recon.data._json import matrix_of, number_of, read_json, text_of
from passband.recon.data._listing import Floats, Listing
from passband.recon.data._similarity import around, move_poses

META = "meta_data.json"


def list_sdfstudio(folder: Path) -> Listing:
    """Frames with ``rgb_path``, ``camtoworld`` (OpenCV), ``intrinsics``; ``scene_box`` the sphere.

    Poses are in sdfstudio's own frame; ``worldtogt`` leads from there to the world of the data.

    Reference: Yu et al., *SDFStudio: A Unified Framework for Surface Reconstruction*, 2022.
    """
    file = folder / META
    whole = read_json(file)
    frames = whole["frames"]
    to_world = matrix_of({"worldtogt": np.eye(4)} | whole, "worldtogt", file)
    width, height = (number_of({}, whole, key, file) or 0 for key in ("width", "height"))
    poses = np.stack([matrix_of(frame, "camtoworld", file) for frame in frames])
    return Listing(
        folder,
        tuple(folder / text_of(frame, "rgb_path", file) for frame in frames),
        tuple(_mask(folder, frame, file) for frame in frames),
        np.stack([matrix_of(frame, "intrinsics", file)[:3, :3] for frame in frames]),
        move_poses(to_world, poses),
        np.tile(np.array([width, height], dtype=np.int64), (len(frames), 1)),
        to_world=to_world @ _sphere(whole.get("scene_box"), file),
    )


def _mask(folder: Path, frame: dict[str, Any], file: Path) -> Path | None:
    for key in ("foreground_mask", "mask_path"):
        if frame.get(key):
            return folder / text_of(frame, key, file)
    return None


def _sphere(box: Any, file: Path) -> Floats:
    """The unit sphere to that of the scene box: its radius, or else half its longest side."""
    if not isinstance(box, dict):
        return np.eye(4)
    corners = np.array(box.get("aabb", [[-1, -1, -1], [1, 1, 1]]), dtype=np.float64)
    if corners.shape != (2, 3) or not (corners[1] > corners[0]).all():
        raise InputError(f"{file}: `scene_box.aabb` must be two corners, the lower one first.")
    radius = number_of({}, box, "radius", file)
    if box.get("collider_type") == "sphere" and radius:
        return around(np.zeros(3), radius)
    return around(corners.mean(0), float((corners[1] - corners[0]).max() / 2))
