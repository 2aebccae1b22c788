"""Points on a triangle mesh."""

import torch
from jaxtyping import Float64
from torch import Tensor

from passband.media import Mesh


def sample_mesh(
    mesh: Mesh, n: int, *, generator: torch.Generator | None = None
) -> tuple[Float64[Tensor, "n 3"], Float64[Tensor, "n 3"]]:
    """Points spread evenly over the area of a mesh, and the unit normals of their faces.

    Args:
        mesh: a surface of positive area.
        n: how many points.
        generator: source of the numbers, on the processor.

    Returns:
        ``(points, normals)``, float64; normals point to where faces run counter-clockwise.

    Example:
        >>> triangle = Mesh(torch.eye(3, dtype=torch.float64), torch.tensor([[0, 1, 2]]))
        >>> points, normals = sample_mesh(triangle, 4)
        >>> bool((points.sum(1) - 1).abs().max() < 1e-12), normals[0]
        (True, tensor([0.5774, 0.5774, 0.5774], dtype=torch.float64))
    """
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    normals = torch.linalg.cross(b - a, c - a)
    areas = normals.norm(dim=1)
    heaped = areas.cumsum(0)
    u, v, w = torch.rand(3, n, generator=generator, dtype=torch.float64)
    place = torch.searchsorted(heaped, u * heaped[-1], right=True).clamp_max(len(areas) - 1)
    root = v.sqrt()[:, None]  # v itself would crowd the points at the first corner
    along = w[:, None]
    points = (1 - root) * a[place] + root * (1 - along) * b[place] + root * along * c[place]
    return points, normals[place] / areas[place, None]
