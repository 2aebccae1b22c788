"""Shapes as targets: signed distances to triangle meshes."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.inr.targets._grid import SignalInfo
from passband.inr.targets._mesh_points import sample_mesh
from passband.inr.targets._shape_distance import SignedDistance
from passband.media import Mesh, read_mesh
from passband.training import make_generator

_HALF_EXTENT = 0.9
_SIZE = (256, 256, 256)
_PROBES = 4096


@dataclass(frozen=True, eq=False)
class ShapeTarget:
    """A shape inside [-0.9, 0.9]^3 and its signed distance, negative inside.

    Attributes:
        info: what is known of the shape; ``info.scale`` and ``info.offset`` lead back to its world.
        mesh: its surface, in the coordinates the field is trained in.
        distance: what gives signed distances of points, in units of those coordinates.
    """

    info: SignalInfo
    mesh: Mesh
    distance: SignedDistance

    @property
    def watertight(self) -> bool:
        """Whether no edge of the surface is open."""
        return self.mesh.watertight


def shape_target(path: str, *, max_faces: int = 2**21) -> ShapeTarget:
    """The shape at ``path``, centred and scaled so that its largest extent is 1.8.

    How inside is told follows from the mesh alone, see :class:`SignedDistance`.

    Args:
        path: a mesh file.
        max_faces: the most triangles to take.

    Raises:
        InputError: the file cannot be read, the mesh is flat, or it encloses nothing.
        MissingDependencyError: without trimesh or open3d.

    Example:
        >>> import tempfile, torch
        >>> from passband.media import write_mesh
        >>> corners = torch.tensor([[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]]).double()
        >>> sides = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
        >>> file = Path(tempfile.mkdtemp()) / "corner.ply"
        >>> write_mesh(file, Mesh(corners, sides))
        >>> target = shape_target(str(file))
        >>> target.watertight, target.info.scale, target.info.offset
        (True, 5.0, (4.5, 4.5, 4.5))
        >>> target.distance(torch.tensor([[-0.8, -0.5, -0.5]]))
        tensor([-0.1000])
    """
    world = read_mesh(Path(path), max_faces=max_faces)
    low, high = world.vertices.amin(dim=0), world.vertices.amax(dim=0)
    extents = high - low
    if float(extents.min()) <= 1e-6 * float(extents.max()):
        sides = " x ".join(f"{float(extent):.4g}" for extent in extents)
        raise InputError(
            f"{path} is flat ({sides}): it has no inside. Pass the mesh of a solid shape."
        )
    offset = (low + high) / 2
    scale = float(extents.max()) / (2 * _HALF_EXTENT)
    mesh = Mesh((world.vertices - offset) / scale, world.faces, world.colors, world.dropped)
    info = SignalInfo(
        kind="shape",
        source=path,
        channels=1,
        size=_SIZE,
        center=0.0,
        scale=scale,
        bounded=False,
        offset=tuple(offset.tolist()),
    )
    distance = SignedDistance(mesh)
    _check_encloses(path, mesh, distance)
    return ShapeTarget(info, mesh, distance)


def _check_encloses(path: str, mesh: Mesh, distance: SignedDistance) -> None:
    """Just beneath a surface that encloses something there are points inside it."""
    points, normals = sample_mesh(mesh, _PROBES, generator=make_generator(0))
    for depth in (1e-3, -1e-3):  # faces may all be turned inside out
        if bool(distance.inside((points + depth * normals).float()).any()):
            return
    kind = (
        "its faces cancel" if mesh.watertight else f"{len(mesh.boundary):,} of its edges are open"
    )
    raise InputError(
        f"{path} encloses nothing: {kind}. Close its holes, or pass the mesh of a solid shape."
    )


def to_world(info: SignalInfo, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """``points * scale + offset``: from the coordinates of a shape's field to those of its file.

    Example:
        >>> import torch
        >>> info = SignalInfo("shape", "", 1, (9, 9, 9), 0.0, 2.0, False, offset=(1.0, 0.0, 0.0))
        >>> to_world(info, torch.ones(1, 3))
        tensor([[3., 2., 2.]])
    """
    return points * info.scale + points.new_tensor(info.offset)
