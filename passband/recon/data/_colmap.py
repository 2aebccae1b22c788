"""Sparse models of COLMAP, binary or text."""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from passband.errors import InputError
from passband.recon.data._colmap_model import Model
from passband.recon.data._colmap_read import read_binary, read_text
from passband.recon.data._listing import Floats, Listing

_PLACES = ("sparse/0", "sparse", "colmap/sparse/0", "colmap", ".", "0")
_LONG_TRACK = 3


def find_model(folder: Path) -> Path | None:
    """The folder of the sparse model, or None where there is none."""
    for place in _PLACES:
        for suffix in (".bin", ".txt"):
            if (folder / place / f"images{suffix}").is_file():
                return folder / place
    return None


def list_colmap(folder: Path, model_folder: Path) -> Listing:
    """Registered pictures of a model, their files under ``images`` and masks under ``masks``.

    The mask of ``images/a.jpg`` is ``masks/a.jpg.png``, ``masks/a.png`` or ``masks/a.jpg``.

    Reference: Schoenberger & Frahm, *Structure-from-Motion Revisited*, CVPR 2016.
    """
    binary = (model_folder / "images.bin").is_file()
    model = (read_binary if binary else read_text)(model_folder)
    if not model.images:
        raise InputError(f"{model_folder} has no registered picture. Run the mapper again.")
    shots = sorted(model.images, key=lambda shot: shot.name)
    pictures = _picture_folder(folder, model_folder)
    unknown = {shot.camera for shot in shots} - set(model.cameras)
    if unknown:
        raise InputError(f"{model_folder} lacks camera {min(unknown)} of its pictures.")
    lenses = [model.cameras[shot.camera] for shot in shots]
    return Listing(
        folder,
        tuple(pictures / shot.name for shot in shots),
        tuple(_mask(pictures.parent, shot.name) for shot in shots),
        np.stack([lens.matrix() for lens in lenses]),
        np.stack([_pose(shot.quaternion, shot.translation) for shot in shots]),
        np.array([(lens.width, lens.height) for lens in lenses], dtype=np.int64),
        np.stack([lens.distortion() for lens in lenses]),
        points=_points(model),
    )


def _points(model: Model) -> Floats:
    seen = model.points[model.tracks >= _LONG_TRACK]
    return seen if len(seen) >= len(model.points) / 4 else model.points


def _pose(quaternion: Floats, translation: Floats) -> Floats:
    """Camera to world from COLMAP's world to camera, its quaternion w first."""
    pose = np.full((4, 4), np.nan)
    if not np.isfinite(quaternion).all() or not quaternion.any():
        return pose
    turn = Rotation.from_quat(np.roll(quaternion, -1)).as_matrix()
    pose[:3, :3], pose[:3, 3], pose[3] = turn.T, -turn.T @ translation, (0, 0, 0, 1)
    return pose


def _picture_folder(folder: Path, model_folder: Path) -> Path:
    above = [folder, *model_folder.parents[:3]]
    found = [place / "images" for place in above if (place / "images").is_dir()]
    if not found:
        raise InputError(
            f"{folder} must hold `images`, the folder of the pictures of its COLMAP model. "
            f"Pass the folder that holds both."
        )
    return found[0]


def _mask(folder: Path, name: str) -> Path | None:
    stem = Path(name).with_suffix("")
    for place in ("masks", "mask"):
        for guess in (f"{name}.png", f"{stem}.png", name):
            if (folder / place / guess).is_file():
                return folder / place / guess
    return None
