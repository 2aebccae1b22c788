"""How far a surface is from the true one, in the units of the data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from passband.errors import InputError
from passband.inr._shape_quality import compare_surfaces, f_score
from passband.inr.targets import sample_mesh
from passband.inr.targets._raycasting import nearest, raycasting_scene
from passband.media import Mesh
from passband.training import make_generator

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_STREAM = 17  # keeps these points apart from those that anything was trained on


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances from points of a surface to the truth, and back.

    Attributes:
        accuracy: of points on the surface to the truth, in the units of the meshes.
        completeness: of points of the truth to the surface.
        agreement: ``|n . n'|`` of the normals at all these points and where they are nearest; none
            where the truth is a cloud.
    """

    accuracy: Float64[Tensor, " n"]
    completeness: Float64[Tensor, " m"]
    agreement: Float64[Tensor, " k"] | None

    @property
    def chamfer(self) -> float:
        """``(mean accuracy + mean completeness) / 2``; distances are not squared."""
        return float(self.accuracy.mean() + self.completeness.mean()) / 2

    def f_score(self, threshold: float) -> float:
        """Harmonic mean of the shares of either side within ``threshold`` of the other.

        Args:
            threshold: distance that counts as found, in the units of the meshes.

        Reference: Knapitsch, Park, Zhou, Koltun, *Tanks and Temples: Benchmarking Large-Scale Scene
        Reconstruction*, ACM Trans. Graph. 36(4), 2017.
        """
        return f_score(self.accuracy, self.completeness, threshold)

    @property
    def normal_consistency(self) -> float | None:
        """Mean ``|n . n'|``: 1 for equal surfaces, whichever side is out; None for a cloud."""
        return None if self.agreement is None else float(self.agreement.mean())


def surface_distances(
    mesh: Mesh, truth: Mesh | Float[Tensor, "points 3"], *, samples: int = 30_000, seed: int = 0
) -> SurfaceDistances:
    """Distances between a mesh and the true surface, at points spread evenly over either.

    Between meshes they run from each point to the other surface itself, not to some samples of it:
    a mesh is at 0 from itself. Where the truth is a cloud, the distances to it are to its nearest
    point, so that the accuracy keeps a floor of about half the cloud's spacing, and those from it
    are from its own points, ``samples`` of them drawn at random where it has more.

    Args:
        mesh: the surface in question.
        truth: the true surface, or points on it, in the same coordinates.
        samples: points on each, at least 1.
        seed: of the points.

    Raises:
        InputError: ``samples`` below 1, a mesh without faces, or a cloud without points.
        MissingDependencyError: without open3d.

    Example:
        >>> corners = torch.tensor([[0, 0, 0], [2, 0, 0], [0, 2, 0]]).double()
        >>> low = Mesh(corners, torch.tensor([[0, 1, 2]]))
        >>> high = Mesh(corners + torch.tensor([0.0, 0.0, 0.25]).double(), low.faces)
        >>> distances = surface_distances(high, low, samples=100)
        >>> round(distances.chamfer, 6), distances.f_score(0.3), distances.normal_consistency
        (0.25, 1.0, 1.0)
    """
    if samples < 1:
        raise InputError(f"`samples` (={samples}) must be at least 1. Pass 30000.")
    generator = make_generator(seed, _STREAM)
    if isinstance(truth, Mesh):
        side = float(np.ptp(truth.vertices.numpy(), axis=0).max()) if len(truth.vertices) else 1.0
        compared = compare_surfaces(mesh, truth, samples=samples, generator=generator)
        return SurfaceDistances(
            compared.accuracy * side, compared.completeness * side, compared.agreement
        )
    return _to_cloud(mesh, truth.double(), samples, generator)


def nearest_in_cloud(
    points: Float[Tensor, "n 3"], cloud: Float[Tensor, "m 3"]
) -> Float64[Tensor, " n"]:
    """Distance from each point to the nearest of a cloud, float64, by a k-d tree.

    Raises:
        InputError: a cloud without points.

    Example:
        >>> nearest_in_cloud(torch.tensor([[0.0, 0.0, 3.0]]), torch.zeros(1, 3))
        tensor([3.], dtype=torch.float64)
    """
    if not len(cloud):
        raise InputError("`cloud` holds no points, so nothing is near it. Check its file.")
    distance, _ = _tree(cloud).query(points.double().numpy())
    return torch.from_numpy(np.asarray(distance, dtype=np.float64))


def _to_cloud(
    mesh: Mesh, cloud: Tensor, samples: int, generator: torch.Generator
) -> SurfaceDistances:
    if not len(mesh.faces):
        raise InputError("`mesh` has no faces, so there is no surface to compare.")
    points, _ = sample_mesh(mesh, samples, generator=generator)
    accuracy = nearest_in_cloud(points, cloud)
    if len(cloud) > samples:
        cloud = cloud[torch.randperm(len(cloud), generator=generator)[:samples]]
    # The ray caster counts in float32: moved to the origin, it loses fewer digits.
    middle = mesh.vertices.mean(dim=0)
    completeness, _ = nearest(
        raycasting_scene(Mesh(mesh.vertices - middle, mesh.faces)), cloud - middle
    )
    return SurfaceDistances(accuracy, completeness, None)


def _tree(cloud: Tensor) -> "cKDTree":
    from scipy.spatial import cKDTree  # noqa: PLC0415  0.1 s that only clouds should pay

    return cKDTree(cloud.double().numpy())
