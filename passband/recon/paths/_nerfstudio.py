"""Camera paths as nerfstudio's viewer saves them."""

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Cameras, flip_camera_axes

_RATE = 24.0
_LARGEST_SIDE = 2**14


@dataclass(frozen=True)
class CameraPath:
    """Cameras one after the other, and how fast they follow.

    Attributes:
        cameras: all of the same size, in the scene frame.
        fps: frames per second.
    """

    cameras: Cameras
    fps: float


def read_camera_path(
    path: str | os.PathLike[str], to_world: Float[Tensor, "4 4"] | None = None
) -> CameraPath:
    """The cameras of a ``camera_path.json``, perspective ones.

    Keys: ``render_width`` and ``render_height`` in pixels, ``camera_path``: a list with
    ``camera_to_world``, 16 numbers row by row (or 4 rows) with OpenGL's axes, and ``fov``, the
    vertical field of view in degrees; ``fps`` if there is one (24). Others are left aside.

    Args:
        path: the file.
        to_world: similarity from the scene to the frame of the poses; None if that is the scene.

    Raises:
        InputError: the file is missing or no JSON, or a key is missing or out of range.

    Example:
        >>> import tempfile
        >>> pose = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 0, 0, 0, 1]
        >>> frame = {"camera_to_world": pose, "fov": 90}
        >>> keys = {"render_width": 8, "render_height": 4, "camera_path": [frame], "fps": 30}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "path.json").write_text(json.dumps(keys))
        ...     read = read_camera_path(Path(folder) / "path.json")
        >>> read.fps, read.cameras.axes[0, 2].item(), read.cameras.intrinsics[0, 0].tolist()
        (30.0, -1.0, [2.0, 0.0, 4.0])

    Reference: Tancik et al., *Nerfstudio: A Modular Framework for Neural Radiance Field
    Development*, SIGGRAPH 2023 (the format is that of its documentation).
    """
    found = _parse(path)
    width, height = (_side(found, f"render_{name}", path) for name in ("width", "height"))
    frames = found.get("camera_path")
    if not isinstance(frames, list) or not frames:
        raise InputError(f"{path} must hold a list `camera_path` of at least one camera.")
    poses, focals = [], []
    for place, frame in _frames(frames, path):
        poses.append(_pose(frame, place))
        focals.append(height / 2 / math.tan(math.radians(_fov(frame, place)) / 2))
    to_scene = flip_camera_axes(torch.stack(poses))
    if to_world is not None:
        to_scene = _from_world(to_scene, to_world.detach().cpu().double())
    intrinsics = torch.tensor([[[f, 0, width / 2], [0, f, height / 2], [0, 0, 1]] for f in focals])
    sizes = torch.tensor([[width, height]]).expand(len(frames), 2)
    cameras = Cameras(intrinsics.float(), to_scene.float(), sizes)
    return CameraPath(cameras, _positive(found.get("fps", _RATE), "fps", path))


def _parse(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the path.") from error
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error}). Pass a camera_path.json.") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} must hold an object with `camera_path`. Pass a camera_path.json.")
    kind = found.get("camera_type", "perspective")
    if kind != "perspective":
        raise InputError(
            f"{path}: `camera_type` (={kind!r}) must be 'perspective'. Save the path as such."
        )
    return found


def _frames(
    frames: list[Any], path: str | os.PathLike[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for k, frame in enumerate(frames):
        place = f"{path}: camera {k}"
        if not isinstance(frame, dict):
            raise InputError(f"{place} must be an object with `camera_to_world` and `fov`.")
        yield place, frame


def _pose(frame: dict[str, Any], place: str) -> Tensor:
    try:
        pose = torch.tensor(frame.get("camera_to_world"), dtype=torch.float64).reshape(4, 4)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{place}: `camera_to_world` must be 16 numbers, row by row. Save the path again."
        ) from error
    rotation = pose[:3, :3]
    if not pose.isfinite().all() or not torch.allclose(
        rotation @ rotation.T, torch.eye(3, dtype=torch.float64), atol=1e-3
    ):
        raise InputError(
            f"{place}: `camera_to_world` must be a rigid transform (a rotation and a shift). "
            "Divide its first three columns by their lengths."
        )
    return pose


def _fov(frame: dict[str, Any], place: str) -> float:
    fov = _positive(frame.get("fov"), "fov", place)
    if fov >= 180:
        raise InputError(f"{place}: `fov` (={fov:g} degrees) must be below 180. Pass 50.")
    return fov


def _side(found: dict[str, Any], name: str, path: str | os.PathLike[str]) -> int:
    side = _positive(found.get(name), name, path)
    if side != int(side) or side > _LARGEST_SIDE:
        raise InputError(
            f"{path}: `{name}` (={side:g}) must be a whole number of pixels up to {_LARGEST_SIDE}."
        )
    return int(side)


def _positive(value: object, name: str, place: str | os.PathLike[str]) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise InputError(f"{place}: `{name}` (={value!r}) must be a number above 0.")
    return float(value)


def _from_world(poses: Tensor, to_world: Tensor) -> Tensor:
    """Poses that lead to the scene where ``poses`` lead to the world; rotations stay rotations."""
    scale = torch.linalg.det(to_world[:3, :3]).abs() ** (1 / 3)
    moved: Tensor = torch.linalg.inv(to_world) @ poses
    moved[:, :3, :3] *= scale
    return moved
