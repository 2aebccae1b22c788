"""The protocol of the DTU data set: accuracy and completeness of a surface in millimetres."""

import math
from dataclasses import dataclass

from jaxtyping import Float, Float64
from torch import Tensor

from passband.errors import InputError
from passband.media import Mesh
from passband.recon.evaluation._dtu_files import ObservedVolume
from passband.recon.evaluation._lattice import mesh_lattice
from passband.recon.evaluation._surface_distances import nearest_in_cloud
from passband.recon.evaluation._thinning import thinned

SPACING = 0.2
"""Millimetres between the points that are compared."""
FARTHEST = 20.0
"""Millimetres from which on a point counts as an outlier and not for the means."""


@dataclass(frozen=True)
class DtuScores:
    """Means of DTU's protocol, in the units of the cloud: millimetres.

    Attributes:
        accuracy: from the surface's points, where the scanner saw, to the true cloud; inf where
            all are outliers.
        completeness: from the cloud's points, above the table, to the surface's; likewise.
        outliers: share of the surface's points that are ``farthest`` or more away.
        missing: share of the cloud's.
    """

    accuracy: float
    completeness: float
    outliers: float
    missing: float

    @property
    def overall(self) -> float:
        """``(accuracy + completeness) / 2``, which papers call the chamfer distance."""
        return (self.accuracy + self.completeness) / 2


def dtu_scores(
    surface: Mesh | Float[Tensor, "n 3"],
    cloud: Float[Tensor, "m 3"],
    *,
    observed: ObservedVolume | None = None,
    plane: Float64[Tensor, "4"] | None = None,
    spacing: float = SPACING,
    farthest: float = FARTHEST,
    seed: int = 0,
) -> DtuScores:
    """Accuracy and completeness of a surface against a scanned cloud, point to point.

    1. A mesh becomes points at most ``spacing`` apart (`mesh_lattice`); a cloud stays as it is.
    2. They are thinned until no two are within ``spacing`` (`thinned`).
    3. Accuracy: of those in the volume that the scanner observed, to the nearest of the cloud.
    4. Completeness: of the cloud's with ``plane . (x, 1) > 0``, to the nearest of all thinned ones.
    5. Means over the distances below ``farthest``.

    Args:
        surface: in the coordinates of the cloud.
        cloud: of ``stl065_total.ply``, see `read_cloud`.
        observed: of ``ObsMask65_10.mat``, see `read_observed`; None counts all points.
        plane: of ``Plane65.mat``, see `read_plane`; None counts all points.
        spacing: in millimetres, above 0.
        farthest: in millimetres, above 0.
        seed: of the thinning.

    Raises:
        InputError: a length that is not above 0, nothing left to compare, or a surface so large
            that its points do not fit in memory.

    Example:
        >>> import torch
        >>> corners = torch.tensor([[0, 0, 0], [9, 0, 0], [0, 9, 0]]).double()
        >>> cloud = torch.tensor([[2.0, 2.0, 0.5], [3.0, 4.0, 0.5]])
        >>> scores = dtu_scores(Mesh(corners, torch.tensor([[0, 1, 2]])), cloud)
        >>> 0.5 <= scores.completeness < 0.54, scores.missing
        (True, 0.0)

    Reference: Jensen, Dahl, Vogiatzis, Tola, Aanaes, *Large Scale Multi-view Stereopsis
    Evaluation*, CVPR 2014, section 4. It compares clouds: how a mesh becomes one is ours.
    """
    if not farthest > 0:
        raise InputError(f"`farthest` (={farthest:g}) must be above 0. Pass 20 for DTU's mm.")
    points = mesh_lattice(surface, spacing) if isinstance(surface, Mesh) else surface.double()
    points = points[thinned(points, spacing, seed=seed)]
    counted = points if observed is None else points[observed(points)]
    cloud = cloud.double()
    wanted = cloud if plane is None else cloud[cloud @ plane[:3] + plane[3] > 0]
    for name, left in (("surface", counted), ("cloud", wanted)):
        if not len(left):
            raise InputError(
                f"`{name}` has no points where they count. Check that surface, cloud, mask and "
                "plane are in the same coordinates (DTU's millimetres)."
            )
    accuracy, outliers = _mean_within(nearest_in_cloud(counted, cloud), farthest)
    completeness, missing = _mean_within(nearest_in_cloud(wanted, points), farthest)
    return DtuScores(accuracy, completeness, outliers, missing)


def _mean_within(distances: Tensor, farthest: float) -> tuple[float, float]:
    """Mean of the distances below ``farthest``, and the share of the others."""
    within = distances[distances < farthest]
    mean = float(within.mean()) if len(within) else math.inf
    return mean, 1 - len(within) / len(distances)
