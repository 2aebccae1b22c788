"""Raw folders of BlendedMVS: ``blended_images`` and ``cams``."""

from pathlib import Path

import numpy as np

from passband.errors import InputError
from passband.recon.data._listing import Floats, Listing, name_some

CAMS, IMAGES = "cams", "blended_images"
_SUFFIXES = (".jpg", ".png", ".jpeg")


def list_blendedmvs(folder: Path) -> Listing:
    """``cams/X_cam.txt`` (extrinsic 4x4, intrinsic 3x3, depths) for ``blended_images/X.jpg``.

    The extrinsic leads from the world to an OpenCV camera; pixel centres are at integers, so 0.5
    is added to cx and cy. Masks, if any, are ``mask/X.png``.

    Reference: Yao et al., *BlendedMVS*, CVPR 2020.
    """
    files = sorted((folder / CAMS).glob("*_cam.txt"))
    stems = [file.name.removesuffix("_cam.txt") for file in files]
    if not files:
        raise InputError(f"{folder / CAMS} must hold files *_cam.txt. Copy them there.")
    cameras = [_read_camera(file) for file in files]
    pictures = tuple(_with_suffix(folder / IMAGES, stem) for stem in stems)
    masks = tuple(_with_suffix(folder / "mask", stem) for stem in stems)
    return Listing(
        folder,
        pictures,
        tuple(mask if mask.is_file() else None for mask in masks),
        np.stack([calibration for calibration, _ in cameras]),
        np.stack([pose for _, pose in cameras]),
        np.zeros((len(files), 2), dtype=np.int64),
        notes=_unlisted(folder, set(pictures)),
    )


def _unlisted(folder: Path, listed: set[Path]) -> tuple[str, ...]:
    found = {path for suffix in _SUFFIXES for path in (folder / IMAGES).glob(f"*{suffix}")}
    names = sorted(path.name for path in found - listed if "_masked" not in path.stem)
    return (f"{len(names)} pictures have no camera: {name_some(names)}",) if names else ()


def _with_suffix(folder: Path, stem: str) -> Path:
    guesses = [folder / (stem + suffix) for suffix in _SUFFIXES]
    return next((guess for guess in guesses if guess.is_file()), guesses[0])


def _read_camera(file: Path) -> tuple[Floats, Floats]:
    """K and the pose, both NaN where the extrinsic cannot be inverted."""
    words = file.read_text(encoding="utf-8", errors="replace").split()
    try:
        start = words.index("extrinsic") + 1
        to_camera = np.array(words[start : start + 16], dtype=np.float64).reshape(4, 4)
        start = words.index("intrinsic") + 1
        calibration = np.array(words[start : start + 9], dtype=np.float64).reshape(3, 3)
    except ValueError as error:
        raise InputError(
            f"{file} must hold `extrinsic` with 16 numbers and `intrinsic` with 9. Copy it again."
        ) from error
    calibration[:2, 2] += 0.5
    if not np.isfinite(to_camera).all() or abs(np.linalg.det(to_camera)) < 1e-12:
        return calibration, np.full((4, 4), np.nan)
    return calibration, np.linalg.inv(to_camera)
