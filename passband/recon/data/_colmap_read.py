"""The files cameras, images and points3D of a COLMAP model, .bin or .txt."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from passband.errors import InputError
from passband.recon.data._colmap_model import COUNTS, MODELS, Lens, Model, Shot, refuse_model
from passband.recon.data._listing import Floats


def read_binary(folder: Path) -> Model:
    """A model from cameras.bin, images.bin and, if there, points3D.bin."""
    cameras = _Reader(folder / "cameras.bin").cameras()
    images = _Reader(folder / "images.bin").images()
    file = folder / "points3D.bin"
    points, tracks = _Reader(file).points() if file.is_file() else _no_points()
    return Model(cameras, images, points, tracks)


def read_text(folder: Path) -> Model:
    """A model from cameras.txt, images.txt and, if there, points3D.txt."""
    cameras = dict(_camera_line(folder / "cameras.txt", line) for line in _lines(folder, "cameras"))
    # Every second line lists the picture's key points and may be empty.
    lines = _lines(folder, "images", blank=True)[::2]
    images = [_image_line(folder / "images.txt", line) for line in lines if line.strip()]
    if not (folder / "points3D.txt").is_file():
        return Model(cameras, images, *_no_points())
    rows = [line.split() for line in _lines(folder, "points3D")]
    try:
        points = np.array([row[1:4] for row in rows], dtype=np.float64).reshape(-1, 3)
    except ValueError as error:
        raise InputError(
            f"{folder / 'points3D.txt'} is damaged ({error}). Copy it again."
        ) from error
    tracks = np.array([(len(row) - 8) // 2 for row in rows], dtype=np.float64)
    return Model(cameras, images, points, tracks)


def _no_points() -> tuple[Floats, Floats]:
    return np.empty((0, 3)), np.empty(0)


class _Reader:
    """A binary file, read from front to back, little endian."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise InputError(f"{file} does not exist, which the other files need. Copy it there.")
        self._file, self._bytes, self._at = file, file.read_bytes(), 0

    def cameras(self) -> dict[int, Lens]:
        found = {}
        for _ in range(self._take("Q")[0]):
            number, model, width, height = self._take("iiQQ")
            if model not in MODELS:
                raise refuse_model(self._file, f"number {model}")
            name, count = MODELS[model]
            found[number] = Lens(name, width, height, np.array(self._take(f"{count}d")))
        return found

    def images(self) -> list[Shot]:
        found = []
        for _ in range(self._take("Q")[0]):
            _, *pose, camera = self._take("i7di")
            end = self._bytes.find(b"\0", self._at)
            if end < 0:
                raise self._cut()
            name = self._bytes[self._at : end].decode("utf-8", "replace")
            self._at = end + 1
            self._skip(24 * self._take("Q")[0])
            found.append(Shot(name, camera, np.array(pose[:4]), np.array(pose[4:])))
        return found

    def points(self) -> tuple[Floats, Floats]:
        places, tracks = [], []
        for _ in range(self._take("Q")[0]):
            _, x, y, z, _, _, _, _, track = self._take("q3d3BdQ")
            self._skip(8 * track)
            places.append((x, y, z))
            tracks.append(track)
        return np.array(places, dtype=np.float64).reshape(-1, 3), np.array(tracks, dtype=np.float64)

    def _take(self, form: str) -> tuple[Any, ...]:
        try:
            values = struct.unpack_from("<" + form, self._bytes, self._at)
        except struct.error as error:
            raise self._cut() from error
        self._at += struct.calcsize("<" + form)
        return values

    def _skip(self, count: int) -> None:
        if count > len(self._bytes) - self._at:
            raise self._cut()
        self._at += count

    def _cut(self) -> InputError:
        return InputError(f"{self._file} is cut short at byte {self._at}. Copy it again.")


def _lines(folder: Path, name: str, *, blank: bool = False) -> list[str]:
    file = folder / f"{name}.txt"
    if not file.is_file():
        raise InputError(f"{file} does not exist, which the other files need. Copy it there.")
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if not line.startswith("#") and (blank or line.strip())]


def _camera_line(file: Path, line: str) -> tuple[int, Lens]:
    try:
        number, model, width, height, *parameters = line.split()
        values = np.array(parameters, dtype=np.float64)
        camera = int(number), Lens(model, int(width), int(height), values)
    except ValueError as error:
        raise InputError(f"{file}: {line!r} is no camera ({error}). Copy it again.") from error
    if model not in COUNTS:
        raise refuse_model(file, model)
    if len(values) != COUNTS[model]:
        raise InputError(f"{file}: {model} must have {COUNTS[model]} numbers, not {len(values)}.")
    return camera


def _image_line(file: Path, line: str) -> Shot:
    try:
        _, *pose, camera, name = line.split(maxsplit=9)
        values = np.array(pose, dtype=np.float64)
        return Shot(name.strip(), int(camera), values[:4], values[4:])
    except ValueError as error:
        raise InputError(
            f"{file}: {line[:60]!r} is no picture ({error}). Copy it again."
        ) from error
