"""Cameras: handedness, where they look and stand, up, coverage, lenses."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from passband.recon.cameras import Cameras, fold_radius, undistort
from passband.recon.data import Photographs
from passband.recon.data._listing import name_some
from passband.recon.doctor._finding import Finding

_WITHIN = 30.0  # degrees from a camera that count as covered
_DIRECTIONS = 2000
_FEW = 8


@dataclass(frozen=True)
class Coverage:
    """How the cameras stand around the object.

    Args:
        share: of all directions within 30 degrees of a camera, 0 to 1.
        gap: degrees from the direction that is farthest from every camera to the nearest one.
        gap_side: that direction, as the nearest axis of the world, such as "-z".
        up: the cameras' mean up, as the nearest axis of the world; None where they disagree.
    """

    share: float
    gap: float
    gap_side: str
    up: str | None


def check_handedness(photographs: Photographs) -> list[Finding]:
    """Poses that mirror space."""
    mirrored = torch.linalg.det(photographs.cameras.to_scene[:, :3, :3]) < 0
    if not mirrored.any():
        return []
    names = name_some([photographs.names[i] for i in mirrored.nonzero()[:, 0].tolist()])
    some = "all" if mirrored.all() else f"{int(mirrored.sum())} of {len(photographs)}"
    text = (
        f"{some} poses mirror space (determinant -1): {names}. One axis is turned round alone, or "
        f"the world is left-handed: multiply one more column (of the camera), or row, by -1"
    )
    return [Finding("error", "poses", text)]


def check_aim(photographs: Photographs) -> list[Finding]:
    """Cameras that all stand at one point, or that look away from where their axes meet."""
    centers, axes = (
        part.double() for part in (photographs.cameras.centers, photographs.cameras.axes)
    )
    if len(centers) < 2:
        return [Finding("error", "coverage", "there is one picture only. Add more")]
    spread = (centers - centers.mean(0)).norm(dim=1).max()
    if spread < 1e-3 * max(1e-9, float(centers.norm(dim=1).median())):
        text = (
            "all cameras stand at one point. Poses that lead from the world to the camera look "
            "like that: invert every matrix. A camera that only turned gives no shape"
        )
        return [Finding("error", "poses", text)]
    across = torch.eye(3, dtype=torch.float64) - axes[:, :, None] * axes[:, None, :]
    if torch.linalg.eigvalsh(across.sum(0))[0] < 1e-4 * len(centers):
        return []
    focus = torch.linalg.solve(across.sum(0), (across @ centers[:, :, None]).sum(0)[:, 0])
    ahead = ((focus - centers) * axes).sum(1) > 0
    if ahead.float().mean() >= 0.5:
        return []
    text = (
        f"{int((~ahead).sum())} of {len(ahead)} cameras look away from the point where their axes "
        f"meet: OpenGL's axes were taken for OpenCV's, or the reverse. Multiply columns 2 and 3 of "
        f"every pose by -1. (Scenes seen from inside look like that too.)"
    )
    return [Finding("error", "poses", text)]


def check_distances(photographs: Photographs) -> list[Finding]:
    """Cameras inside the sphere of the object, or farther than any photographer goes."""
    off = photographs.cameras.centers.norm(dim=1)
    inside = off < 1
    findings = []
    if inside.any():
        names = name_some([photographs.names[i] for i in inside.nonzero()[:, 0].tolist()])
        text = (
            f"{int(inside.sum())} of {len(off)} cameras stand inside the object's sphere: {names}. "
            f"The sphere is too large (or the poses too small by a unit): give a smaller `sphere`"
        )
        findings.append(Finding("error", "sphere", text))
    if off.median() > 30:
        text = (
            f"the cameras are {off.median():.4g} radii away from the object's sphere, which is too "
            f"small, as where poses are in millimetres and the sphere in metres. Give a larger "
            f"`sphere`, or mend the scale"
        )
        findings.append(Finding("error", "sphere", text))
    return findings


def check_coverage(photographs: Photographs) -> tuple[Coverage, list[Finding]]:
    """How much of the sphere of directions the cameras see the object from."""
    coverage = _measure(photographs)
    findings = []
    if len(photographs) < _FEW:
        text = f"{len(photographs)} pictures are few: from {_FEW} on shapes become sure. Add some"
        findings.append(Finding("warning", "coverage", text))
    if coverage.gap > 60:
        text = (
            f"no camera is within {coverage.gap:.0f} degrees of the side {coverage.gap_side} (of "
            f"the world): the surface there will be a guess. Add pictures, or crop the mesh"
        )
        findings.append(Finding("note", "coverage", text))
    return coverage, findings


def check_lenses(photographs: Photographs) -> list[Finding]:
    """Intrinsics that no lens has: principal points off the picture, odd angles, folds."""
    cameras = photographs.cameras
    sizes, matrix = cameras.sizes.float(), cameras.intrinsics
    findings = []
    shift = ((matrix[:, :2, 2] - sizes / 2).abs() / sizes).amax(1)
    if shift.median() > 0.2:
        text = (
            f"the principal point is {shift.median():.0%} of a side off the picture's middle: the "
            f"intrinsics belong to pictures of another size, or cropped. Scale or shift them"
        )
        findings.append(Finding("warning", "pictures", text))
    angle = torch.rad2deg(2 * torch.atan(sizes[:, 0] / 2 / matrix[:, 0, 0].abs()))
    if (matrix[:, 0, 0] <= 0).any() or not 2 < angle.median() < 120:
        text = (
            f"the pictures span {angle.median():.3g} degrees, which few lenses do. Check the focal "
            f"length: it is in pixels of the pictures as they are"
        )
        findings.append(Finding("warning", "pictures", text))
    if _folds(cameras):
        text = (
            "the lens distortion folds the corners of the pictures over, so their rays mean "
            "nothing. Undistort the pictures first (`colmap image_undistorter`)"
        )
        findings.append(Finding("warning", "pictures", text))
    return findings


def _folds(cameras: Cameras) -> bool:
    if cameras.distortion is None:
        return False
    matrix = cameras.intrinsics.double()
    corners = torch.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1]], dtype=torch.float64)
    pixels = corners * cameras.sizes[:, None]
    focal = matrix.diagonal(dim1=1, dim2=2)[:, None, :2]
    plane = (pixels - matrix[:, None, :2, 2]) / focal
    lens = cameras.distortion.double()
    radius = undistort(plane, lens[:, None]).norm(dim=-1)
    return bool((~(radius <= fold_radius(lens)[:, None])).any())


def _measure(photographs: Photographs) -> Coverage:
    linear = photographs.to_world[:3, :3].double()
    turn = linear / torch.linalg.det(linear).abs().pow(1 / 3)
    sides = torch.nn.functional.normalize(photographs.cameras.centers.double() @ turn.T, dim=1)
    number = torch.arange(_DIRECTIONS, dtype=torch.float64)
    z = 1 - (2 * number + 1) / _DIRECTIONS
    around = number * torch.pi * (3 - 5**0.5)
    flat = (1 - z * z).sqrt()
    everywhere = torch.stack((flat * around.cos(), flat * around.sin(), z), 1)
    nearest = torch.rad2deg((everywhere @ sides.T).amax(1).clamp(-1, 1).acos())
    up = -(turn @ photographs.cameras.to_scene[:, :3, 1].double().T).mean(1)
    return Coverage(
        float((nearest < _WITHIN).double().mean()),
        float(nearest.max()),
        _axis(everywhere[nearest.argmax()]),
        _axis(up) if up.norm() > 0.3 else None,
    )


def _axis(direction: Float[Tensor, " 3"]) -> str:
    """The axis of the world that a direction is nearest to, such as "+y"."""
    number = int(direction.abs().argmax())
    return ("+" if direction[number] > 0 else "-") + "xyz"[number]
