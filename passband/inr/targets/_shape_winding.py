"""Solid angles and the cones that close a surface: what tells inside from outside at its holes."""

import torch
from jaxtyping import Float
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from passband.media import Mesh

_PAIRS = 2**17  # points times triangles at a time: arrays of 1 MiB, which the cache holds
_LIFT = 0.1  # of the mean distance of a piece's corners from their centre
_ASIDE = (0.4242, -0.5657, 0.7071)


def cone_closing(mesh: Mesh) -> Mesh:
    """Triangles that close ``mesh``: each piece of its boundary joined to a point near its centre.

    With them every edge is run through as often one way as the other, whatever the mesh: holes,
    edges of three faces and faces turned inside out are all pieces of boundary.

    Returns:
        The corners of the boundary, then the tops of the cones, one per piece.

    Example:
        >>> triangle = Mesh(torch.eye(3, dtype=torch.float64), torch.tensor([[0, 1, 2]]))
        >>> cone_closing(triangle).faces
        tensor([[1, 0, 3],
                [0, 2, 3],
                [2, 1, 3]])

    Reference: Jacobson, Kavan, Sorkine-Hornung, *Robust Inside-Outside Segmentation using
    Generalized Winding Numbers*, ACM Trans. Graph. 32(4), 2013 (closing parts of a mesh).
    """
    used, edges = torch.unique(mesh.boundary, return_inverse=True)
    corners = mesh.vertices[used]
    if not len(edges):
        return Mesh(corners, edges.new_empty(0, 3))
    links = coo_array((torch.ones(len(edges)), tuple(edges.T)), shape=(len(used), len(used)))
    count, labels = connected_components(links, directed=False)
    piece = torch.from_numpy(labels).long()
    tops = _means(corners, piece, count)
    # Beside the plane of a flat piece: rays miss one of two faces that lie upon each other.
    width = _means((corners - tops[piece]).norm(dim=1, keepdim=True), piece, count)
    tops = tops + _LIFT * width * tops.new_tensor(_ASIDE)
    faces = torch.stack((edges[:, 1], edges[:, 0], len(used) + piece[edges[:, 0]]), dim=1)
    return Mesh(torch.cat((corners, tops)), faces)


def solid_angle(points: Float[Tensor, "n 3"], mesh: Mesh) -> Float[Tensor, " n"]:
    """Solid angle that the faces of ``mesh`` fill as seen from each point, in steradians.

    ``2 atan2([a b c], |a||b||c| + (a.b)|c| + (b.c)|a| + (c.a)|b|)`` summed over the faces, a, b
    and c being the ways from the point to their corners. Positive where the insides of faces are
    seen, so that it is 4 pi inside a closed surface and 0 outside.

    Returns:
        float64, ``(n,)``. Time and memory traffic grow with points times faces.

    Example:
        >>> octant = Mesh(torch.eye(3, dtype=torch.float64), torch.tensor([[0, 1, 2]]))
        >>> round(float(solid_angle(torch.zeros(1, 3), octant)) / torch.pi, 6)
        0.5

    Reference: van Oosterom, Strackee, *The Solid Angle of a Plane Triangle*, IEEE Trans. Biomed.
    Eng. 30(2), 1983, eq. 8.
    """
    total = torch.zeros(len(points), dtype=torch.float64)
    count = len(mesh.faces)
    if count == 0:
        return total
    a, b, c = mesh.faces.T
    products = _products(*(mesh.vertices[k] for k in (a, b, c)))
    step = max(1, _PAIRS // count)
    for start in range(0, len(points), step):
        p = points[start : start + step].double()
        extended = torch.cat((p, p.square().sum(1, keepdim=True), torch.ones_like(p[:, :1])), dim=1)
        volume, ab, bc, ca = (extended @ products).split(count, dim=1)
        # The default multiplies matrices for speed and loses half the digits.
        far = torch.cdist(p, mesh.vertices, compute_mode="donot_use_mm_for_euclid_dist")
        la, lb, lc = (far.index_select(1, k) for k in (a, b, c))
        rest = la * lb * lc + ab * lc + bc * la + ca * lb
        total[start : start + step] = 2.0 * torch.atan2(volume, rest).sum(dim=1)
    return total


def _means(rows: Tensor, group: Tensor, count: int) -> Tensor:
    sums = torch.zeros(count, rows.shape[1], dtype=rows.dtype).index_add_(0, group, rows)
    return sums / torch.bincount(group, minlength=count)[:, None]


def _products(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """``(5, 4 n)``: (p, |p|^2, 1) times it is [a-p b-p c-p], then the three scalar products."""
    crosses = [torch.linalg.cross(u, v) for u, v in ((a, b), (b, c), (c, a))]
    rows = [
        torch.cat((-sum(crosses, torch.zeros_like(a)), _column(a, 0.0), _dot(crosses[0], c)), 1)
    ]
    rows += [
        torch.cat((-(u + v), _column(a, 1.0), _dot(u, v)), dim=1)
        for u, v in ((a, b), (b, c), (c, a))
    ]
    return torch.cat(rows).T.contiguous()


def _dot(u: Tensor, v: Tensor) -> Tensor:
    return (u * v).sum(dim=1, keepdim=True)


def _column(like: Tensor, value: float) -> Tensor:
    return torch.full_like(like[:, :1], value)
