"""Colours for the vertices of a mesh."""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn.functional import normalize

from passband.media import Mesh
from passband.recon.rendering import Surface

Color = Callable[[Tensor, Tensor], Tensor]
"""Maps points and unit normals, ``(n, 3)`` each, to red, green and blue on [0, 1]."""

_BATCH = 2**15  # vertices at a time: a network of 256 takes 32 MiB a layer


def colored(mesh: Mesh, color: Color, *, device: torch.device | str = "cpu") -> Mesh:
    """The mesh with ``color(x, n)`` at each vertex x, n its unit normal out of the mesh.

    Args:
        mesh: in the coordinates that ``color`` takes.
        color: takes float32 batches on ``device``, called without gradients.
        device: where.

    Example:
        >>> corners = torch.eye(3, dtype=torch.float64)
        >>> triangle = Mesh(corners, torch.tensor([[0, 1, 2]]))
        >>> colored(triangle, lambda x, n: n).colors[0]
        tensor([0.5774, 0.5774, 0.5774])
    """
    points = mesh.vertices.float()
    normals = vertex_normals(mesh).float()
    parts = []
    with torch.no_grad():
        for x, n in zip(points.split(_BATCH), normals.split(_BATCH), strict=True):
            parts.append(color(x.to(device), n.to(device)).float().cpu().clamp(0.0, 1.0))
    return Mesh(mesh.vertices, mesh.faces, torch.cat(parts), mesh.dropped)


def frontal_color(surface: Surface) -> Color:
    """The colour of a surface seen along its own normal, for `colored`.

    A mesh has one colour at a point where the surface has one for each direction; straight from
    the front is where highlights and grazing light are seldom. The normals are the field's own,
    not the mesh's.

    Args:
        surface: in the scene frame.
    """

    def color(points: Tensor, normals: Tensor) -> Tensor:
        with torch.enable_grad():  # fields without a Jacobian of their own differentiate
            geometry = surface.geometry(points)
        normal = normalize(geometry.gradient.detach(), dim=-1)
        return surface.color(points, normal, -normal, geometry.features.detach())

    return color


def vertex_normals(mesh: Mesh) -> Float64[Tensor, "vertices 3"]:
    """Unit normals of vertices: the mean of those of the faces around, by area.

    They point to where faces run counter-clockwise; 0 where the faces around cancel.

    Example:
        >>> corners = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0]]).double()
        >>> vertex_normals(Mesh(corners, torch.tensor([[0, 1, 2]])))[0].tolist()
        [0.0, 0.0, 1.0]
    """
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    normals = torch.linalg.cross(b - a, c - a)
    sums = torch.zeros_like(mesh.vertices)
    for k in range(3):
        sums.index_add_(0, mesh.faces[:, k], normals)
    return normalize(sums, dim=1, eps=1e-300)
