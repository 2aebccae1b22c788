"""A mesh as points that leave no gaps."""

import torch
from jaxtyping import Float64
from torch import Tensor

from passband.errors import InputError
from passband.media import Mesh

_MOST_POINTS = 2**27


def mesh_lattice(mesh: Mesh, spacing: float) -> Float64[Tensor, "n 3"]:
    """Points on every face, in equal steps of at most ``spacing`` along its two shorter edges.

    The corners are among them; points on edges come once for each face.

    Args:
        mesh: at least one face.
        spacing: above 0, in the units of the mesh.

    Raises:
        InputError: no faces, a spacing that is not above 0, or more than 2^27 points.

    Example:
        >>> corners = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0]]).double()
        >>> len(mesh_lattice(Mesh(corners, torch.tensor([[0, 1, 2]])), 0.5))
        6
    """
    if not spacing > 0:
        raise InputError(f"`spacing` (={spacing:g}) must be above 0. Pass 0.2 for DTU's mm.")
    if not len(mesh.faces):
        raise InputError("`mesh` has no faces, so there is no surface to compare.")
    corner, first, second = _shorter_edges(mesh.vertices[mesh.faces])
    steps = torch.stack((first.norm(dim=1), second.norm(dim=1)), dim=1) / spacing
    steps = steps.ceil().clamp_min(1).long()
    count = int((steps + 1).prod(dim=1).sum()) // 2
    if count > _MOST_POINTS:
        raise InputError(
            f"`spacing` (={spacing:g}) makes about {count:,} points of the mesh, more than "
            f"{_MOST_POINTS:,}. Raise it, or crop the mesh to what is compared."
        )
    parts = []
    kinds, kind = torch.unique(steps, dim=0, return_inverse=True)
    for k, (m, n) in enumerate(kinds.tolist()):
        chosen = kind == k
        i, j = torch.meshgrid(torch.arange(m + 1), torch.arange(n + 1), indexing="ij")
        inner = i * n + j * m <= m * n
        u, v = (i[inner] / m).double()[None, :, None], (j[inner] / n).double()[None, :, None]
        points = corner[chosen, None] + u * first[chosen, None] + v * second[chosen, None]
        parts.append(points.reshape(-1, 3))
    return torch.cat(parts)


def _shorter_edges(triangles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The corner opposite the longest edge of each triangle, and the edges that leave it."""
    opposite = triangles.roll(-1, dims=1) - triangles.roll(-2, dims=1)
    turn = opposite.norm(dim=2).argmax(dim=1)
    rows = torch.arange(len(triangles))
    corner, after, before = (triangles[rows, (turn + k) % 3] for k in range(3))
    return corner, after - corner, before - corner
