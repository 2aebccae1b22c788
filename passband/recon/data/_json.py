"""JSON files of data sets, and what is asked of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from passband.errors import InputError
from passband.recon.data._listing import Floats


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, which must have a list of frames."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is not readable JSON ({error}). Copy it again.") from error
    frames = found.get("frames") if isinstance(found, dict) else None
    if not isinstance(frames, list) or not frames or not all(isinstance(f, dict) for f in frames):
        raise InputError(f"{path}: `frames` must be a list of at least one picture.")
    return dict(found)


def text_of(frame: dict[str, Any], key: str, path: Path) -> str:
    """A file name in a frame, with forward slashes."""
    value = frame.get(key)
    if not isinstance(value, str) or not value:
        raise InputError(f"{path}: every frame must have `{key}`, a file name; one has {value!r}.")
    return value.replace("\\", "/")


def matrix_of(frame: dict[str, Any], key: str, path: Path) -> Floats:
    """A 4x4 (or 3x4) matrix in a frame, its last row filled in."""
    try:
        matrix = np.array(frame.get(key), dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape not in ((4, 4), (3, 4)):
        raise InputError(f"{path}: `{key}` must be a 4x4 matrix; one is of shape {matrix.shape}.")
    full = np.eye(4)
    full[: len(matrix)] = matrix
    return full


def number_of(frame: dict[str, Any], whole: dict[str, Any], key: str, path: Path) -> float | None:
    """A number that a frame has or, failing that, the whole file."""
    value = frame.get(key, whole.get(key))
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{path}: `{key}` (={value!r}) must be a number.")
    return float(value)
