"""Nearest points and first hits on a mesh, by Open3D."""

from typing import Any

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from passband.errors import MissingDependencyError
from passband.media import Mesh


def raycasting_scene(*parts: Mesh) -> Any:
    """Open3D's search structure over all of some meshes, in float32.

    Raises:
        MissingDependencyError: without open3d.
    """
    open3d = _open3d()
    vertices = torch.cat([part.vertices for part in parts])
    starts = [sum(len(part.vertices) for part in parts[:k]) for k in range(len(parts))]
    faces = torch.cat([part.faces + start for part, start in zip(parts, starts, strict=True)])
    scene = open3d.t.geometry.RaycastingScene(torch.get_num_threads())
    scene.add_triangles(
        to_open3d(vertices.float()), open3d.core.Tensor(faces.numpy().astype("uint32"))
    )
    return scene


def to_open3d(values: Tensor) -> Any:
    """A tensor of the processor as one of Open3D's, sharing its memory."""
    return _open3d().core.Tensor(values.numpy())


def nearest(
    scene: Any, points: Float[Tensor, "n 3"]
) -> tuple[Float64[Tensor, " n"], Float64[Tensor, "n 3"]]:
    """Distance from each point to the surface of ``scene``, and the unit normal met there."""
    single = points.float().contiguous()
    found = scene.compute_closest_points(to_open3d(single), torch.get_num_threads())
    place = torch.from_numpy(found["points"].numpy()).double()
    normals = torch.from_numpy(found["primitive_normals"].numpy()).double()
    return (single.double() - place).norm(dim=1), normals


def first_hits(
    scene: Any, origins: Float[Tensor, "n 3"], direction: Float[Tensor, "3"]
) -> tuple[Int64[Tensor, " n"], Float64[Tensor, "n 3"]]:
    """The face that each ray meets first, -1 for none, and where on it (barycentric weights)."""
    rays = torch.cat((origins, direction.expand_as(origins)), dim=1).float().contiguous()
    found = scene.cast_rays(to_open3d(rays), torch.get_num_threads())
    faces = torch.from_numpy(found["primitive_ids"].numpy().astype("int64"))
    faces[torch.from_numpy(found["t_hit"].numpy()).isinf()] = -1
    uv = torch.from_numpy(found["primitive_uvs"].numpy()).double()
    return faces, torch.cat((1 - uv.sum(dim=1, keepdim=True), uv), dim=1)


def _open3d() -> Any:
    try:
        import open3d  # noqa: PLC0415  an extra, and a second
    except ImportError as error:
        raise MissingDependencyError(
            "Distances to a mesh need the package open3d. "
            "Install it with: pip install 'passband[mesh]'"
        ) from error
    return open3d
