"""What cameras see of a mesh: silhouette, depth and normals, by Open3D's ray casting."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from passband.errors import InputError
from passband.inr.targets._raycasting import raycasting_scene, to_open3d
from passband.media import Mesh
from passband.recon.cameras import Cameras


@dataclass(frozen=True, eq=False)
class MeshView:
    """A mesh seen through the centres of a camera's pixels.

    Attributes:
        mask: whether the ray meets the mesh.
        depth: along the ray, in scene units; inf where it misses.
        normal: unit normal of the face that is met, turned to where its corners run
            counter-clockwise; 0 where the ray misses.
    """

    mask: Bool[Tensor, "height width"]
    depth: Float[Tensor, "height width"]
    normal: Float[Tensor, "height width 3"]


def mesh_views(mesh: Mesh, cameras: Cameras) -> Iterator[MeshView]:
    """The mesh as each camera sees it, one after the other.

    Args:
        mesh: at least one face, in the scene frame.
        cameras: any number, with or without lens distortion.

    Yields:
        A `MeshView` of each camera's size, on the processor.

    Raises:
        InputError: a mesh without faces.
        MissingDependencyError: without open3d.

    Example:
        >>> matrix = torch.tensor([[[10.0, 0.0, 2.0], [0.0, 10.0, 2.0], [0.0, 0.0, 1.0]]])
        >>> cameras = Cameras(matrix, torch.eye(4)[None], torch.tensor([[4, 4]]))
        >>> corners = torch.tensor([[-9, -9, 2], [9, -9, 2], [0, 9, 2]]).double()
        >>> [view] = mesh_views(Mesh(corners, torch.tensor([[0, 1, 2]])), cameras)
        >>> bool(view.mask.all()), round(float(view.depth.min()), 3)
        (True, 2.005)
    """
    if not len(mesh.faces):
        raise InputError("`mesh` has no faces, so no camera sees it.")
    scene = raycasting_scene(mesh)
    cameras = cameras.to("cpu")
    for k, (width, height) in enumerate(cameras.sizes.tolist()):
        pixels = pixel_centers(width, height)
        rays = cameras.rays(torch.full((len(pixels),), k), pixels)
        packed = torch.cat((rays.origins, rays.directions), dim=1).float().contiguous()
        found = scene.cast_rays(to_open3d(packed), torch.get_num_threads())
        depth = torch.from_numpy(found["t_hit"].numpy()).reshape(height, width)
        normal = torch.from_numpy(found["primitive_normals"].numpy()).reshape(height, width, 3)
        mask = depth.isfinite()
        yield MeshView(mask, depth, normal * mask[..., None])


def pixel_centers(width: int, height: int) -> Float[Tensor, "pixels 2"]:
    """(x, y) of the centres of all pixels of a picture, row by row.

    Example:
        >>> pixel_centers(2, 1).tolist()
        [[0.5, 0.5], [1.5, 0.5]]
    """
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack((x.flatten(), y.flatten()), dim=1)
