"""Read and write triangle meshes."""

import os
import re
import warnings
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from passband.atomic import write_bytes_atomic
from passband.errors import InputError, MissingDependencyError
from passband.media._faults import damaged
from passband.media._mesh_faults import check_geometry, tidy
from passband.media._open import open_input
from passband.media._sniff import KINDS, label, sniff

if TYPE_CHECKING:
    from types import ModuleType

_FACE_OF_ZERO = re.compile(rb"^f\s(?:[^\n]*\s)?0[/\s]", re.MULTILINE)
_WRITTEN = (".ply", ".obj", ".glb", ".stl")


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface made of triangles.

    Args:
        vertices: corners, in the units of the file.
        faces: three corners each, by index; seen from outside they run counter-clockwise.
        colors: red, green and blue of each vertex on [0, 1], where there are any.
        dropped: faces left out on reading, since they had no area or repeated another.

    Example:
        >>> corners = torch.eye(4, 3, dtype=torch.float64)  # three unit vectors and the origin
        >>> sides = torch.tensor([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]])
        >>> Mesh(corners, sides).watertight, Mesh(corners, sides[:3]).watertight
        (True, False)
    """

    vertices: Float64[Tensor, "vertices 3"]
    faces: Int64[Tensor, "faces 3"]
    colors: Float[Tensor, "vertices 3"] | None = None
    dropped: int = 0

    @cached_property
    def watertight(self) -> bool:
        """Whether no edge is open: each belongs to an even number of faces."""
        low, high = self._directed.aminmax(dim=1)
        # One number per edge sorts a hundred times faster than two.
        _, counts = torch.unique(low * len(self.vertices) + high, return_counts=True)
        return bool((counts % 2 == 0).all())

    @cached_property
    def boundary(self) -> Int64[Tensor, "edges 2"]:
        """Directed edges that no face runs through the other way; repeated as often as they lack.

        Empty for a closed surface whose faces all have their outsides on the same side.
        """
        directed = self._directed
        forward = directed[:, 0] < directed[:, 1]
        low, high = directed.aminmax(dim=1)
        count = len(self.vertices)
        keys, place = torch.unique(low * count + high, return_inverse=True)
        undirected = torch.stack((keys // count, keys % count), dim=1)
        net = torch.zeros(len(undirected), dtype=torch.int64)
        net.index_add_(0, place, forward.long() * 2 - 1)
        oriented = torch.where((net > 0)[:, None], undirected, undirected.flip(1))
        return oriented.repeat_interleave(net.abs(), dim=0)

    @property
    def _directed(self) -> Tensor:
        return torch.cat((self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]))


def read_mesh(path: str | os.PathLike[str], *, max_faces: int = 2**23) -> Mesh:
    """The triangles in a file, polygons cut into fans, equal vertices welded.

    The format is told by the content. All objects of the file become one mesh, each where its
    scene puts it. Faces without area and repeated ones are left out and counted; vertices that no
    face uses are left out. Normals, textures and materials are not read.

    Args:
        path: OBJ, OFF, PLY, STL or GLB file.
        max_faces: the most triangles to take.

    Returns:
        `Mesh` in the units of the file.

    Raises:
        InputError: the file is missing, unreadable, empty, cut short, damaged or of another kind;
            it holds no faces, or too many; its coordinates are NaN, infinite, larger than 1e9, or
            all the same; or a face names a vertex that is not there.
        MissingDependencyError: without trimesh.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "a.obj").write_text("v 0 0 0\\nv 1 0 0\\nv 0 1 0\\nf 1 2 3\\n")
        ...     read_mesh(Path(folder) / "a.obj").faces
        tensor([[0, 1, 2]])
    """
    path = Path(path)
    with open_input(path) as file:
        format_ = sniff(file, path)
        name = label(path, format_)
        if KINDS[format_] != "mesh":
            raise InputError(
                f"{name} holds {KINDS[format_]} ({format_}), not a mesh. "
                "Pass an OBJ, OFF, PLY, STL or GLB file."
            )
        vertices, faces, colors = _parse(file, name, format_)
    if len(faces) > max_faces:
        raise InputError(
            f"{name} holds {len(faces):,} faces, more than `max_faces` (={max_faces:,}). "
            "Simplify the mesh, or raise the limit."
        )
    check_geometry(name, vertices, faces)
    vertices, faces, colors, dropped = tidy(vertices, faces, colors)
    check_geometry(name, vertices, faces)
    return Mesh(
        torch.from_numpy(vertices),
        torch.from_numpy(faces),
        None if colors is None else torch.from_numpy(colors),
        dropped,
    )


def write_mesh(path: str | os.PathLike[str], mesh: Mesh) -> None:
    """Write a mesh whole or not at all, in the format its suffix names.

    PLY (binary), STL and GLB hold single precision; STL holds no colours.

    Args:
        path: .ply, .obj, .glb or .stl.
        mesh: at least one face.

    Raises:
        InputError: an unknown suffix, or a mesh without faces.
        MissingDependencyError: without trimesh.
        OutputError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     triangle = Mesh(torch.eye(3, dtype=torch.float64), torch.tensor([[0, 1, 2]]))
        ...     write_mesh(Path(folder) / "a.ply", triangle)
        ...     read_mesh(Path(folder) / "a.ply").vertices.shape
        torch.Size([3, 3])
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITTEN:
        raise InputError(
            f"{path} ends in {Path(path).suffix or 'no suffix'!r}; meshes are written as "
            ".ply, .obj, .glb or .stl. Choose one of these."
        )
    check_geometry("`mesh`", mesh.vertices.numpy(), mesh.faces.numpy())
    colors = None if mesh.colors is None else (mesh.colors.clamp(0, 1) * 255).round().byte().numpy()
    surface = _trimesh().Trimesh(
        mesh.vertices.numpy(), mesh.faces.numpy(), vertex_colors=colors, process=False
    )
    data = surface.export(file_type=suffix[1:])
    write_bytes_atomic(path, data.encode() if isinstance(data, str) else data)


def _parse(
    file: BufferedReader, name: str, format_: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    trimesh = _trimesh()
    file.seek(0)
    if format_ == "OBJ" and _FACE_OF_ZERO.search(file.read()):  # it would be read as vertex 1
        raise damaged(name, "a face names vertex 0, but OBJ counts from 1")
    file.seek(0)
    try:
        with warnings.catch_warnings():  # of numbers that overflow; they are refused below
            warnings.simplefilter("ignore")
            surface = trimesh.load(file, file_type=format_.lower(), process=False, force="mesh")
    except IndexError as error:
        raise damaged(name, f"a face names a vertex that is not there ({error})") from error
    except Exception as error:  # whatever the reader trips over
        raise damaged(name, f"{type(error).__name__}: {error}") from error
    vertices = np.asarray(surface.vertices, dtype=np.float64)
    faces = np.asarray(surface.faces, dtype=np.int64)
    return vertices, faces, _vertex_colors(surface)


def _vertex_colors(surface: Any) -> np.ndarray | None:
    if surface.visual.kind != "vertex":
        return None
    colors = np.asarray(surface.visual.vertex_colors)
    return None if len(colors) != len(surface.vertices) else colors[:, :3].astype(np.float32) / 255


def _trimesh() -> "ModuleType":
    try:
        import trimesh  # noqa: PLC0415  an extra, and half a second
    except ImportError as error:
        raise MissingDependencyError(
            "Meshes need the package trimesh. Install it with: pip install 'passband[mesh]'"
        ) from error
    return trimesh  # type: ignore[no-any-return]
