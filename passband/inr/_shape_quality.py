"""How near a fitted shape is to its target."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from passband.errors import InputError
from passband.inr._shape_objective import mape
from passband.inr.targets import ShapeTarget, sample_mesh, sample_near_surface, sample_volume
from passband.inr.targets._raycasting import nearest, raycasting_scene
from passband.media import Mesh
from passband.training import make_generator

F_SCORE_THRESHOLD = 0.005
"""Distance within which a point counts as found: 0.5 % of the unit cube's side."""

_SURFACE_SAMPLES = 100_000
_VOLUME_SAMPLES = 2**20
_DISTANCE_SAMPLES = 2**17
_CHUNK = 2**18
_STREAM = 11  # keeps these points apart from those the field was trained on


@dataclass(frozen=True, eq=False)
class SurfaceComparison:
    """Distances between two surfaces, from points of each to the nearest point of the other.

    Lengths are in units of the unit cube: divided by the longest side of the target's bounding
    box, whatever coordinates the two meshes come in.

    Attributes:
        accuracy: of points on the mesh to the target.
        completeness: of points on the target to the mesh.
        agreement: ``|n . n'|`` of the normals at all these points and at their nearest.
    """

    accuracy: Float64[Tensor, " n"]
    completeness: Float64[Tensor, " n"]
    agreement: Float64[Tensor, " 2*n"]

    @property
    def chamfer(self) -> float:
        """``(mean accuracy + mean completeness) / 2``, in sides of the unit cube.

        Distances are not squared, and run to the surface, not to the nearest of some samples:
        a mesh is at 0 from itself.
        """
        return float(self.accuracy.mean() + self.completeness.mean()) / 2

    def f_score(self, threshold: float = F_SCORE_THRESHOLD) -> float:
        """Harmonic mean of the shares of either surface within ``threshold`` of the other.

        Reference: Knapitsch, Park, Zhou, Koltun, *Tanks and Temples: Benchmarking Large-Scale Scene
        Reconstruction*, ACM Trans. Graph. 36(4), 2017.
        """
        return f_score(self.accuracy, self.completeness, threshold)

    @property
    def normal_consistency(self) -> float:
        """Mean ``|n . n'|`` over both directions: 1 for equal surfaces, whichever side is out."""
        return float(self.agreement.mean())


def f_score(accuracy: Tensor, completeness: Tensor, threshold: float) -> float:
    """Harmonic mean of the shares of both sets of distances that are at most ``threshold``.

    Example:
        >>> f_score(torch.tensor([0.1, 0.3]), torch.tensor([0.1, 0.1]), 0.2)
        0.6666666666666666
    """
    precision = float((accuracy <= threshold).double().mean())
    recall = float((completeness <= threshold).double().mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def compare_surfaces(
    mesh: Mesh,
    target: Mesh,
    *,
    samples: int = _SURFACE_SAMPLES,
    generator: torch.Generator | None = None,
) -> SurfaceComparison:
    """Distances between ``mesh`` and ``target`` at ``samples`` points spread evenly over each.

    Args:
        mesh: the surface in question.
        target: the true one; the longest side of its bounding box becomes 1.
        samples: points on each surface.
        generator: source of the points, on the processor.

    Raises:
        InputError: a mesh without faces.
        MissingDependencyError: without open3d.

    Example:
        >>> corners = torch.tensor([[0, 0, 0], [2, 0, 0], [0, 2, 0]]).double()
        >>> low = Mesh(corners, torch.tensor([[0, 1, 2]]))
        >>> high = Mesh(corners + torch.tensor([0.0, 0.0, 0.1]).double(), low.faces)
        >>> result = compare_surfaces(high, low, samples=100)
        >>> round(result.chamfer, 6), result.f_score(), result.normal_consistency
        (0.05, 0.0, 1.0)
    """
    for name, surface in (("mesh", mesh), ("target", target)):
        if not len(surface.faces):
            raise InputError(f"`{name}` has no faces, so there is no surface to compare.")
    low, high = target.vertices.amin(dim=0), target.vertices.amax(dim=0)
    side = (high - low).max()
    mesh, target = (
        # Centred first: the ray caster counts in float32.
        Mesh((part.vertices - (low + high) / 2) / side, part.faces)
        for part in (mesh, target)
    )
    accuracy, forward = _to_surface(mesh, target, samples, generator)
    completeness, backward = _to_surface(target, mesh, samples, generator)
    return SurfaceComparison(accuracy, completeness, torch.cat((forward, backward)))


def iou(inside: Bool[Tensor, " n"], truth: Bool[Tensor, " n"]) -> float:
    """Intersection over union ``|A and B| / |A or B|`` of two sets of points; 1 if both are empty.

    Example:
        >>> iou(torch.tensor([True, True, False]), torch.tensor([False, True, False]))
        0.5
    """
    union = int((inside | truth).sum())
    return int((inside & truth).sum()) / union if union else 1.0


class VolumeProbe:
    """IoU and MAPE of fields, at points that are drawn once.

    ``iou`` is of occupancies at uniform points in the bounding box of the target; ``mape`` of
    distances, ``mean |f - d| / (|d| + 0.01)`` in the coordinates of the field, half of the points
    near the surface and half anywhere in the cube [-1, 1]^3.

    Args:
        target: the shape.
        volume: points for ``iou``; 2^20 tell a share of 0.995 to about 1e-4.
        distances: points for ``mape``.
        seed: seed of the points.
    """

    def __init__(
        self,
        target: ShapeTarget,
        *,
        volume: int = _VOLUME_SAMPLES,
        distances: int = _DISTANCE_SAMPLES,
        seed: int = 0,
    ) -> None:
        generator = make_generator(seed, _STREAM)
        low = target.mesh.vertices.amin(dim=0).float()
        high = target.mesh.vertices.amax(dim=0).float()
        self._box = low + (high - low) * torch.rand(volume, 3, generator=generator)
        self._truth = torch.cat([target.distance.inside(x) for x in self._box.split(_CHUNK)])
        near = sample_near_surface(target, distances // 2, generator=generator)
        anywhere = sample_volume(target, distances - distances // 2, generator=generator)
        self._points = torch.cat((near, anywhere))
        self._distances = target.distance(self._points)

    def __call__(self, sdf: Callable[[Tensor], Tensor], device: torch.device) -> dict[str, float]:
        """``iou`` and ``mape`` of ``sdf``, which takes its coordinates on ``device``."""
        return {
            "iou": iou(_values(sdf, self._box, device) < 0, self._truth),
            "mape": float(
                mape(_values(sdf, self._points, device).double(), self._distances.double())
            ),
        }


def surface_metrics(mesh: Mesh, target: Mesh, *, seed: int = 0) -> dict[str, float]:
    """``chamfer``, ``f_score`` and ``normal_consistency`` from 100 000 points on each surface."""
    compared = compare_surfaces(mesh, target, generator=make_generator(seed, _STREAM))
    return {
        "chamfer": compared.chamfer,
        "f_score": compared.f_score(),
        "normal_consistency": compared.normal_consistency,
    }


def _to_surface(
    source: Mesh, target: Mesh, samples: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    points, normals = sample_mesh(source, samples, generator=generator)
    distance, met = nearest(raycasting_scene(target), points)
    return distance, (normals * met).sum(dim=1).abs().clamp_max(1.0)


def _values(sdf: Callable[[Tensor], Tensor], points: Tensor, device: torch.device) -> Tensor:
    with torch.no_grad():
        parts = [sdf(part.to(device)).reshape(-1).float().cpu() for part in points.split(_CHUNK)]
    return torch.cat(parts)
