"""Data sets of NeuS (``cameras_sphere.npz``) and of IDR and VolSDF (``cameras.npz``)."""

import zipfile
from pathlib import Path

import numpy as np
import torch

from passband.errors import InputError
from passband.recon.cameras import decompose_projection
from passband.recon.data._listing import Floats, Listing, name_some
from passband.recon.data._similarity import move_poses

NEUS, IDR = "cameras_sphere.npz", "cameras.npz"
_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".exr"}


def list_neus(folder: Path) -> Listing:
    """``image/``, ``mask/`` and matrices ``world_mat_i`` and ``scale_mat_i`` of every picture i.

    ``world_mat`` = K [R | t] with pixel centres at integers, so 0.5 is added to cx and cy.
    ``scale_mat`` leads from the unit sphere to the world in ``cameras_sphere.npz``; in
    ``cameras.npz`` it is that of a sphere of another radius (3 in VolSDF's files, where it holds
    the cameras), so it is not taken for the object's there.

    References: Yariv et al., *Multiview Neural Surface Reconstruction ...* (IDR), NeurIPS 2020;
    Yariv et al., *Volume Rendering of Neural Implicit Surfaces* (VolSDF), NeurIPS 2021;
    Wang et al., *NeuS*, NeurIPS 2021.
    """
    file = folder / NEUS if (folder / NEUS).is_file() else folder / IDR
    matrices = _read_matrices(file)
    numbers = sorted(int(key[10:]) for key in matrices if key[10:].isdigit() and key[0] == "w")
    if not numbers:
        raise InputError(f"{file} must hold world_mat_0, world_mat_1, ... Check what wrote it.")
    pictures, notes = _match(folder / "image", numbers, file.name)
    masks = _match_masks(folder / "mask", pictures, numbers)
    kept = [n for n in numbers if n in pictures]
    scale = matrices.get(f"scale_mat_{numbers[0]}", np.eye(4))
    cameras = [_camera(matrices, number, scale) for number in kept]
    if file.name == IDR:
        notes = (*notes, f"{IDR}: the sphere of its scale_mat is not taken for the object's")
    return Listing(
        folder,
        tuple(pictures[n] for n in kept),
        tuple(masks.get(n) for n in kept),
        np.stack([calibration for calibration, _ in cameras]),
        np.stack([pose for _, pose in cameras]),
        np.zeros((len(kept), 2), dtype=np.int64),
        to_world=scale if file.name == NEUS else None,
        notes=notes,
    )


def _read_matrices(file: Path) -> dict[str, Floats]:
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            return {key: stored[key].astype(np.float64) for key in stored.files if "_mat_" in key}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{file} is not a readable npz file ({error}). Copy it again.") from error


def _camera(matrices: dict[str, Floats], number: int, scale: Floats) -> tuple[Floats, Floats]:
    """K and the pose in the world that ``scale`` leads to, for one picture."""
    own = matrices.get(f"scale_mat_{number}", np.eye(4))
    projection = torch.from_numpy((matrices[f"world_mat_{number}"] @ own)[:3])
    try:
        calibration, pose = (part.numpy() for part in decompose_projection(projection))
    except InputError:
        return np.full((3, 3), np.nan), np.full((4, 4), np.nan)
    calibration[:2, 2] += 0.5
    return calibration, move_poses(scale, pose[None])[0]


def _pictures_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)


def _match(folder: Path, numbers: list[int], file: str) -> tuple[dict[int, Path], tuple[str, ...]]:
    """Pictures by number: in sorted order where there is one for each matrix, else by name."""
    found = _pictures_in(folder)
    if not found:
        raise InputError(f"{folder} must hold the pictures of {file}. Put them there.")
    if len(found) == len(numbers):
        return dict(zip(numbers, found, strict=True)), ()
    if not all(path.stem.isdigit() for path in found):
        raise InputError(
            f"{folder} holds {len(found)} pictures and {file} {len(numbers)} cameras, which must "
            f"agree where the names are no numbers. Add the missing pictures."
        )
    named = {int(path.stem): path for path in found}
    pictures = {n: named[n] for n in numbers if n in named}
    missing = [f"{n:03d}" for n in numbers if n not in named]
    extra = [path.name for n, path in named.items() if n not in numbers]
    notes = []
    if missing:
        notes.append(f"{len(missing)} pictures of {file} are missing: {name_some(missing)}")
    if extra:
        notes.append(f"{len(extra)} pictures have no camera in {file}: {name_some(extra)}")
    if not pictures:
        raise InputError(f"{folder} holds none of the pictures that {file} has cameras of.")
    return pictures, tuple(notes)


def _match_masks(folder: Path, pictures: dict[int, Path], numbers: list[int]) -> dict[int, Path]:
    found = _pictures_in(folder)
    if len(found) == len(numbers):
        return dict(zip(numbers, found, strict=True))
    by_name = {path.stem: path for path in found}
    by_name |= {str(int(path.stem)): path for path in found if path.stem.isdigit()}
    matched = {}
    for number, picture in pictures.items():
        mask = by_name.get(picture.stem, by_name.get(str(number)))
        if mask is not None:
            matched[number] = mask
    return matched
