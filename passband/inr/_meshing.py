"""From a signed-distance field to a triangle mesh: marching cubes in blocks."""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from passband.errors import InputError
from passband.inr._sparse_blocks import BRICK, Block, Index, Lattice, SparseBlocks
from passband.media import Mesh

_MOST_CELLS = 4096
_NEAREST, _FARTHEST = 1 / 64, 16.0  # cells; what marching cubes sees, see _shown
_CORNER_GAP = 1e-4  # cells between a vertex and the nodes beside it


def extract_mesh(
    sdf: Callable[[Tensor], Tensor],
    resolution: int,
    *,
    level: float = 0.0,
    bounds: tuple[float, float] = (-1.0, 1.0),
    block: int = 64,
    lipschitz: float | None = None,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Mesh:
    """The surface ``sdf(x) = level`` in the cube ``bounds``, by marching cubes on a lattice.

    Faces turn counter-clockwise seen from outside, where the field is above the level. Blocks are
    welded by the lattice edge that a vertex lies on: the mesh is that of one large block, and
    closed unless the surface leaves the cube. Vertices keep 1e-4 of a cell away from the nodes, so
    that no triangle degenerates.

    Bricks of 8^3 cells are skipped where ``|f - level|`` at the centre exceeds the slope times half
    the diagonal; a surface that leads into a skipped brick is followed. A part of the surface is
    lost only if it lies wholly in skipped bricks, which takes a slope above ``lipschitz``: pass
    ``math.inf`` for fields unlike a distance, such as densities, to evaluate all nodes.

    Memory, besides the field's own: the mesh, about 100 bytes a vertex while it is welded, and the
    values on the block faces that the surface meets. At 1024 on a shape that fills the cube that is
    under 1 GiB; the whole lattice is never held.

    Args:
        sdf: maps ``(n, 3)`` float32 coordinates to ``(n,)`` or ``(n, 1)`` values, negative inside.
        resolution: cells along a side, 2 to 4096.
        level: value on the surface.
        bounds: low and high end of the cube along every axis.
        block: cells along the side of a block, a multiple of 8 up to 256.
        lipschitz: bound of the slope; None measures it between bricks and takes 1.5 times that, and
            skips nothing up to a resolution of 64.
        device: where ``sdf`` takes its coordinates.
        progress: called with blocks done and blocks known of.

    Raises:
        InputError: an argument is out of range, the field holds NaN, or it has no surface.

    Example:
        >>> ball = lambda x: x.norm(dim=-1) - 0.5
        >>> mesh = extract_mesh(ball, 32)
        >>> bool((mesh.vertices.norm(dim=-1) - 0.5).abs().max() < 2e-3)
        True

    Reference: Lorensen and Cline, *Marching Cubes*, SIGGRAPH 1987; Lewiner, Lopes, Vieira and
    Tavares, *Efficient Implementation of Marching Cubes' Cases with Topological Guarantees*,
    Journal of Graphics Tools 8(2), 2003 (scikit-image's, for the cases; the blocks are ours).
    """
    _check_arguments(resolution, bounds, block, lipschitz)
    lattice = Lattice(sdf, resolution, bounds[0], bounds[1], level, device)
    blocks = SparseBlocks(lattice, block, lipschitz)
    unit = lattice.step * blocks.slope
    pieces: dict[Index, _Piece] = {}
    for done, known, index, values in blocks:
        if (piece := _triangulate(values, lattice, unit)) is not None:
            pieces[index] = piece
        if progress is not None:
            progress(done, known)
    if not pieces:
        low, high = (level + extreme for extreme in blocks.extremes)
        raise InputError(
            f"the field does not cross `level` (={level:g}): it holds {low:.3g} to {high:.3g} "
            "where it was looked at. Pass a level in that range, or fit the field for longer."
        )
    return _weld(list(pieces.values()))


def largest_component(mesh: Mesh) -> Mesh:
    """The connected part of ``mesh`` with the most faces, without the floaters around it.

    Example:
        >>> two = lambda x: torch.minimum(x.norm(dim=-1) - 0.4, (x - 0.8).norm(dim=-1) - 0.1)
        >>> bool(largest_component(extract_mesh(two, 32)).vertices.max() < 0.45)
        True
    """
    from scipy.sparse import coo_array  # noqa: PLC0415  only those who ask pay for loading it
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    faces = mesh.faces.numpy()
    count = len(mesh.vertices)
    ends = np.concatenate((faces[:, :2], faces[:, 1:]))
    graph = coo_array((np.ones(len(ends), dtype=bool), (ends[:, 0], ends[:, 1])), (count, count))
    _, part = connected_components(graph, directed=False)
    kept = part == np.bincount(part[faces[:, 0]]).argmax()
    place = np.cumsum(kept) - 1
    chosen = torch.from_numpy(kept)
    return Mesh(
        mesh.vertices[chosen],
        torch.from_numpy(place[faces[kept[faces[:, 0]]]]),
        None if mesh.colors is None else mesh.colors[chosen],
    )


class _Piece:
    """Triangles of a block: vertices under keys that all blocks agree on, faces by number."""

    def __init__(
        self, keys: NDArray[np.int64], vertices: NDArray[np.float64], faces: NDArray[np.int32]
    ) -> None:
        self.keys, self.vertices, self.faces = keys, vertices, faces


def _check_arguments(
    resolution: int, bounds: tuple[float, float], block: int, lipschitz: float | None
) -> None:
    if not 2 <= resolution <= _MOST_CELLS:
        raise InputError(
            f"`resolution` (={resolution}) must be 2 to {_MOST_CELLS} cells along a side. "
            "Pass 256 for a first look, 1024 for fine detail."
        )
    if not (math.isfinite(bounds[0]) and math.isfinite(bounds[1]) and bounds[0] < bounds[1]):
        raise InputError(f"`bounds` (={bounds}) must be finite and rise. Pass (-1, 1).")
    if block % BRICK or not BRICK <= block <= 256:
        raise InputError(f"`block` (={block}) must be a multiple of {BRICK} up to 256. Pass 64.")
    if lipschitz is not None and not lipschitz > 0:
        raise InputError(f"`lipschitz` (={lipschitz:g}) must be positive. Pass None to measure it.")


def _triangulate(block: Block, lattice: Lattice, unit: float) -> _Piece | None:
    from skimage.measure import marching_cubes  # noqa: PLC0415  0.2 s that only meshing should pay

    cells = _active_cells(block)
    if not _any_crossing(block.values, cells):
        return None
    shown = _shown(block.values, unit)
    # skimage's mask belongs to the cell below a node along every axis.
    mask = np.zeros(shown.shape, dtype=bool)
    mask[1:, 1:, 1:] = cells
    places, faces, _, _ = marching_cubes(shown, 0.0, mask=mask)
    nearest = np.rint(places)
    between = np.abs(places - nearest) > _NEAREST / _FARTHEST / 4
    base = np.where(between, np.floor(places), nearest).astype(np.int64)
    # Between nodes along one axis: a vertex on an edge. Along all three: one within a cell.
    axis = np.where(between.all(axis=1), 3, between.argmax(axis=1))
    node = base + np.array(block.start)
    keys = 4 * _flat(node, lattice.cells + 1) + axis
    local = np.where((axis < 3)[:, None], _on_edges(block.values, base, axis), 0.0)
    local[axis == 3] = _in_cells(shown, base[axis == 3])
    vertices = lattice.low + lattice.step * (node + local)
    return _Piece(keys, vertices, faces)


def _active_cells(block: Block) -> NDArray[np.bool_]:
    x, y, z = (count - 1 for count in block.values.shape)
    cells = block.active
    for axis in range(3):
        cells = np.repeat(cells, BRICK, axis=axis)
    return cells[:x, :y, :z]


def _any_crossing(values: NDArray[np.float32], cells: NDArray[np.bool_]) -> bool:
    inside = values < 0
    low, high = inside[:-1, :-1, :-1], inside[:-1, :-1, :-1]
    for corner in np.ndindex(2, 2, 2):
        part = inside[tuple(slice(c, c - 1 or None) for c in corner)]
        low, high = low & part, high | part
    return bool((cells & high & ~low).any())


def _shown(values: NDArray[np.float32], unit: float) -> NDArray[np.float32]:
    """Values in cells, kept from 0 and from infinity; NaN is far outside.

    Marching cubes only decides on the triangles. With 1 / 1024 between the smallest and the largest
    value, the vertices it returns tell in float32 which edge they are on.
    """
    size = np.clip(np.abs(np.nan_to_num(values, nan=np.inf)) / unit, _NEAREST, _FARTHEST)
    return np.where(values < 0, -size, size).astype(np.float32)


def _on_edges(
    values: NDArray[np.float32], base: NDArray[np.int64], axis: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Where the level is crossed, linearly, from ``base`` to its next node along ``axis``."""
    step = np.eye(4, 3, dtype=np.int64)[axis]
    here = values[tuple(base.T)].astype(np.float64)
    there = values[tuple((base + step).T)].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # vertices within cells are on no edge
        share = np.clip(here / (here - there), _CORNER_GAP, 1 - _CORNER_GAP)
    along: NDArray[np.float64] = share[:, None] * step
    return along


def _in_cells(shown: NDArray[np.float32], base: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of a cell's corners weighted by one over their values, as Lewiner's centre vertex."""
    corners = np.array(list(np.ndindex(2, 2, 2)))
    around = base[:, None] + corners
    weight = 1.0 / np.abs(shown[tuple(np.moveaxis(around, -1, 0))].astype(np.float64))
    mean: NDArray[np.float64] = weight @ corners / weight.sum(axis=1, keepdims=True)
    return mean


def _flat(node: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return (node[:, 0] * count + node[:, 1]) * count + node[:, 2]


def _weld(pieces: list[_Piece]) -> Mesh:
    """One mesh in which vertices of the same key are one."""
    offsets = np.cumsum([0] + [len(piece.keys) for piece in pieces])
    _, first, place = np.unique(
        np.concatenate([piece.keys for piece in pieces]), return_index=True, return_inverse=True
    )
    vertices = np.concatenate([piece.vertices for piece in pieces])[first]
    faces = [
        place[piece.faces + offset] for piece, offset in zip(pieces, offsets[:-1], strict=True)
    ]
    return Mesh(torch.from_numpy(vertices), torch.from_numpy(np.concatenate(faces)))
