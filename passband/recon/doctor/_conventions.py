"""Which mix-up of axes or of direction would make poses agree with the masks."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from passband.errors import InputError
from passband.recon.cameras import Cameras
from passband.recon.data import Photographs, visual_hull
from passband.recon.data._listing import Floats
from passband.recon.data._normalize import find_sphere
from passband.recon.data._overlap import overlap
from passband.recon.data._scene_frame import in_scene
from passband.recon.data._similarity import move_poses

_PICTURES = 16


@dataclass(frozen=True)
class Remedy:
    """A change of all poses and how a person makes it.

    Args:
        name: of the mix-up.
        cure: what to do to the data.
        score: mean agreement of masks and hull once it is done, 0 to 1.
    """

    name: str
    cure: str
    score: float


@dataclass(frozen=True)
class _Change:
    name: str
    cure: str
    of: Callable[[Floats], Floats]


_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
_ROLL = np.diag([-1.0, -1.0, 1.0, 1.0])
_TURNED = "the poses lead from the world to the camera, not from the camera to the world"
_INVERT = "invert every matrix"
_UPSIDE_DOWN = _Change(
    "the cameras are upside down",
    "multiply columns 1 and 2 of every pose by -1, or turn the pictures by 180 degrees",
    lambda pose: pose @ _ROLL,
)
# Which axes were flipped in reading differs by format, hence every way to invert.
_CHANGES = (
    _Change(
        "the camera axes are of the other convention, OpenGL's for OpenCV's or the reverse",
        "multiply columns 2 and 3 of every pose by -1",
        lambda pose: pose @ _FLIP,
    ),
    _UPSIDE_DOWN,
    _Change(_TURNED, _INVERT, np.linalg.inv),
    _Change(_TURNED, _INVERT, lambda pose: _FLIP @ np.linalg.inv(pose) @ _FLIP),
    _Change(_TURNED, _INVERT, lambda pose: _FLIP @ np.linalg.inv(pose)),
    _Change(
        f"{_TURNED}, and are of the other convention",
        f"{_INVERT}, then multiply columns 2 and 3 by -1",
        lambda pose: np.linalg.inv(pose) @ _FLIP,
    ),
)


@dataclass(frozen=True)
class _Strictness:
    resolution: int
    forgive: float


_TOLERANT, _STRICT = _Strictness(40, 0.1), _Strictness(64, 0.0)


def _mirror(column: int) -> _Change:
    signs = np.ones(4)
    signs[column] = -1
    return _Change(
        f"axis {'xyz'[column]} of the cameras is turned round alone (determinant -1)",
        f"multiply column {column + 1} of every pose by -1",
        lambda pose: pose * signs,
    )


def refit(photographs: Photographs) -> tuple[float, Floats]:
    """Overlap of masks and hull in the sphere found from the masks, and that sphere.

    Args:
        photographs: with masks, in any sphere.

    Returns:
        The mean overlap of a few pictures, and the similarity to the world, (4, 4).
    """
    sample = _sample(photographs)
    return _score(sample, _world_poses(sample), _TOLERANT)


def find_remedy(photographs: Photographs) -> Remedy:
    """The change of all poses under which masks and hull overlap best.

    Args:
        photographs: with masks that do not agree with the poses.
    """
    sample = _sample(photographs)
    mirrored = bool((torch.linalg.det(sample.cameras.to_scene[:, :3, :3]) < 0).any())
    changes = [*_CHANGES, *map(_mirror, range(3))] if mirrored else _CHANGES
    return max((_try(sample, change, _TOLERANT) for change in changes), key=lambda r: r.score)


def upside_down(photographs: Photographs) -> tuple[float, Remedy]:
    """Overlap as the poses are, and what half a turn of every camera about its axis would give.

    No wrong picture is forgiven here, since symmetric objects agree both ways but for little.

    Args:
        photographs: with masks.
    """
    sample = _sample(photographs)
    given, _ = _score(sample, _world_poses(sample), _STRICT)
    return given, _try(sample, _UPSIDE_DOWN, _STRICT)


def _try(sample: Photographs, change: _Change, how: _Strictness) -> Remedy:
    score, _ = _score(sample, change.of(_world_poses(sample)), how)
    return Remedy(change.name, change.cure, score)


def _sample(photographs: Photographs) -> Photographs:
    """A few pictures, evenly spread."""
    n = len(photographs)
    return photographs.select(torch.linspace(0, n - 1, min(n, _PICTURES)).round().long())


def _world_poses(photographs: Photographs) -> Floats:
    poses = photographs.cameras.to_scene.double().numpy()
    return move_poses(photographs.to_world.double().numpy(), poses)


def _score(photographs: Photographs, poses: Floats, how: _Strictness) -> tuple[float, Floats]:
    cameras = photographs.cameras
    lens = cameras.distortion
    in_world = Cameras(
        cameras.intrinsics.double(),
        torch.from_numpy(poses),
        cameras.sizes,
        None if lens is None else lens.double(),
    )
    world = replace(photographs, cameras=in_world, to_world=torch.eye(4, dtype=torch.float64))
    try:
        to_world, _ = find_sphere(world, None)
    except InputError:
        return 0.0, np.eye(4)
    scene = in_scene(world, to_world)
    hull = visual_hull(scene, how.resolution, forgive=how.forgive)
    return float(overlap(scene, hull).mean()), to_world
