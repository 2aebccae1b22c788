"""A mesh as single precision can hold it."""

import torch
from torch import Tensor

from passband.media import Mesh


def cleaned(mesh: Mesh) -> Mesh:
    """The mesh with its vertices rounded to float32, without what that leaves of no use.

    Files hold single precision, which far from the origin tells no two near vertices of a fine mesh
    apart. Where the ends of an edge round to the same point they become one vertex, and the faces
    that lose their area go: a closed surface stays closed, and parts that only touch stay apart.
    Vertices that no face uses go too.

    Args:
        mesh: at least one face.

    Returns:
        A mesh of float32 values (in float64, as `Mesh` holds them); ``dropped`` counts the faces.

    Example:
        >>> corners = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1 + 1e-9, 0]]).double()
        >>> mesh = cleaned(Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]])))
        >>> len(mesh.vertices), mesh.faces.tolist(), mesh.dropped
        (3, [[0, 1, 2]], 1)
    """
    vertices = mesh.vertices.float()
    faces = _joined(vertices, mesh.faces)
    proper = (faces != faces.roll(1, dims=1)).all(dim=1)
    faces = faces[proper]
    dropped = mesh.dropped + int((~proper).sum())
    used = torch.zeros(len(vertices), dtype=torch.bool)
    used[faces.flatten()] = True
    if not used.all():
        faces = (used.cumsum(0) - 1)[faces]
        vertices = vertices[used]
    colors = mesh.colors if mesh.colors is None or used.all() else mesh.colors[used]
    return Mesh(vertices.double(), faces, colors, dropped)


def _joined(vertices: Tensor, faces: Tensor) -> Tensor:
    """Faces in which the ends of every edge of length 0 are the same vertex."""
    ends = torch.cat((faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]))
    ends = ends[(vertices[ends[:, 0]] == vertices[ends[:, 1]]).all(dim=1)]
    if not len(ends):
        return faces
    number = torch.arange(len(vertices))
    while True:  # chains of such edges are short: each pass takes the lowest number one edge on
        lowest = number.clone()
        for a, b in ((0, 1), (1, 0)):
            lowest.scatter_reduce_(0, ends[:, a], number[ends[:, b]], "amin")
        if torch.equal(lowest, number):
            return number[faces]
        number = lowest
