"""Data sets with transforms.json: NeRF's, instant-ngp's, nerfstudio's and Neuralangelo's."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from passband.errors import InputError
from passband.media import probe
from passband.recon.cameras import flip_camera_axes
from passband.recon.data._json import matrix_of, number_of, read_json, text_of
from passband.recon.data._listing import Floats, Listing
from passband.recon.data._ply import read_points
from passband.recon.data._similarity import around

WHOLE, TRAIN, TEST = "transforms.json", "transforms_train.json", "transforms_test.json"
_GUESSES = ("", ".png", ".jpg", ".jpeg", ".JPG", ".PNG")
_MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")
_LENS = ("k1", "k2", "p1", "p2", "k3", "k4")


def list_transforms(path: Path) -> Listing:
    """The frames of a transforms.json, or of a folder with one or with one for each split.

    Cameras are OpenGL's. K comes from ``fl_x, fl_y, cx, cy, w, h`` of the frame or of the file,
    or from ``camera_angle_x``; a missing principal point is the middle of the picture. Test
    pictures are those of ``transforms_test.json`` or of ``test_filenames``.

    References: Mildenhall et al., *NeRF*, ECCV 2020; Tancik et al., *Nerfstudio*, SIGGRAPH 2023.
    """
    folder = path if path.is_dir() else path.parent
    files = [path] if path.is_file() else _files_in(folder)
    wholes = [read_json(file) for file in files]
    frames = [
        _Frame(folder, file, frame, whole)
        for file, whole in zip(files, wholes, strict=True)
        for frame in whole["frames"]
    ]
    _check_models(frames)
    poses = np.stack([matrix_of(f.own, "transform_matrix", f.file) for f in frames])
    intrinsics, sizes = zip(*(f.calibration() for f in frames), strict=True)
    test = frozenset(i for i, f in enumerate(frames) if f.is_test())
    return Listing(
        folder,
        tuple(f.picture for f in frames),
        tuple(f.mask() for f in frames),
        np.stack(intrinsics),
        flip_camera_axes(torch.from_numpy(poses)).numpy(),
        np.array(sizes, dtype=np.int64),
        np.array([f.lens() for f in frames]),
        _sphere(wholes[0], files[0]),
        _points(folder, wholes[0]),
        test if path.is_dir() else frozenset(),
        (f"{folder / 'transforms_val.json'} is not read",)
        if len(files) == 2 and (folder / "transforms_val.json").is_file()
        else (),
    )


def _files_in(folder: Path) -> list[Path]:
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    return [folder / name for name in (TRAIN, TEST) if (folder / name).is_file()]


class _Frame:
    """One picture of a file."""

    def __init__(self, folder: Path, file: Path, own: dict[str, Any], whole: dict[str, Any]):
        self.folder, self.file, self.own, self.whole = folder, file, own, whole
        self.listed = text_of(own, "file_path", file)
        guesses = [folder / (self.listed + suffix) for suffix in _GUESSES]
        self.picture = next((guess for guess in guesses if guess.is_file()), guesses[0])

    def number(self, key: str) -> float | None:
        return number_of(self.own, self.whole, key, self.file)

    def is_test(self) -> bool:
        named = self.whole.get("test_filenames") or []
        return self.file.name == TEST or self.listed in named

    def mask(self) -> Path | None:
        named = self.own.get("mask_path")
        return self.folder / text_of(self.own, "mask_path", self.file) if named else None

    def lens(self) -> list[float]:
        return [self.number(key) or 0.0 for key in _LENS]

    def calibration(self) -> tuple[Floats, tuple[int, int]]:
        """K and the width and height it is meant for."""
        width, height = self.number("w"), self.number("h")
        if width is None or height is None:
            if not self.picture.is_file():  # left out later on
                return np.full((3, 3), np.nan), (1, 1)
            _, rows, columns = probe(self.picture).shape
            width, height = float(columns), float(rows)
        focal_x = self.number("fl_x") or _focal(self.number("camera_angle_x"), width)
        focal_y = self.number("fl_y") or _focal(self.number("camera_angle_y"), height)
        focal_x, focal_y = focal_x or focal_y, focal_y or focal_x
        if focal_x is None or focal_y is None:
            raise InputError(
                f"{self.file} must have `fl_x` or `camera_angle_x`, the focal length. Add it."
            )
        cx, cy = self.number("cx"), self.number("cy")
        cx, cy = width / 2 if cx is None else cx, height / 2 if cy is None else cy
        matrix = np.array([[focal_x, 0, cx], [0, focal_y, cy], [0, 0, 1]])
        return matrix, (round(width), round(height))


def _focal(angle: float | None, side: float) -> float | None:
    return None if angle is None else float(side / 2 / np.tan(angle / 2))


def _check_models(frames: list[_Frame]) -> None:
    for frame in frames:
        model = frame.own.get("camera_model", frame.whole.get("camera_model", "OPENCV"))
        if frame.whole.get("is_fisheye") or model not in _MODELS:
            fisheye = ", is_fisheye" if frame.whole.get("is_fisheye") else ""
            raise InputError(
                f"{frame.file}: `camera_model` (={model}{fisheye}) must be one of "
                f"{', '.join(_MODELS)}. Undistort the pictures first."
            )


def _sphere(whole: dict[str, Any], file: Path) -> Floats | None:
    center, radius = whole.get("sphere_center"), number_of({}, whole, "sphere_radius", file)
    if center is None or radius is None:
        return None
    if np.shape(center) != (3,) or not radius > 0:
        raise InputError(
            f"{file}: `sphere_center` must have three numbers and `sphere_radius` be above 0."
        )
    return around(np.array(center, dtype=np.float64), radius)


def _points(folder: Path, whole: dict[str, Any]) -> Floats | None:
    named = whole.get("ply_file_path")
    path = folder / named if isinstance(named, str) else folder
    return read_points(path) if path.is_file() else None
