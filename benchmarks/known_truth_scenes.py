"""Photographs of meshes, rendered, so that the surface behind them is known exactly.

A closed mesh is moved into a sphere of radius 0.8 about the origin and seen by pinhole cameras on a
Fibonacci sphere, every one of which looks at the origin. Ray casting is Open3D's, with one ray
through the centre of each pixel unless more are asked for; so silhouettes are jagged, as they are
not in photographs. A pixel is the colour of the surface, smooth in space, times a Lambert shade of
one fixed light; the background is white. What is written is a folder as NeuS reads it, in the
mesh's own coordinates: the unit sphere's place in them is in ``scale_mat``.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from passband.inr.targets._raycasting import raycasting_scene, to_open3d
from passband.media import Mesh, read_mesh, write_image, write_mesh

RADIUS = 0.8
"""Of the sphere about the mesh, in units of the unit sphere that holds the scene."""
DISTANCE = 3.0
"""From the cameras to the origin, in the same units."""
FILLED = 0.95
"""Share of the half width of a picture that the sphere about the mesh reaches."""
NAMES = ("armadillo", "rocker-arm")
HELD_OUT = 10
"""Every tenth view is kept from training, the first included."""

_LIGHT = (0.4, 0.8, 0.45)
_AMBIENT = 0.3
_WAVES = ((4.1, 2.3, 1.1), (-1.7, 3.9, 2.6), (2.2, -1.9, 4.4))  # radians per unit, of R, G, B
_PHASES = (0.3, 1.9, 4.1)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KnownTruth:
    """A folder of rendered photographs and what they show.

    Attributes:
        folder: ``image/``, ``mask/``, ``cameras_sphere.npz`` and ``truth.ply``.
        truth: the mesh, in its own coordinates.
        to_world: from the unit sphere to them, 4x4: a scale and a shift.
        radius: of the sphere about the mesh, in its own units. Chamfer distances are told in
            percent of this.
        held_out: numbers of the views kept from training.
    """

    folder: Path
    truth: Mesh
    to_world: Tensor
    radius: float
    held_out: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class View:
    """One rendered photograph.

    Attributes:
        image: ``(3, size, size)`` on [0, 1], float32.
        mask: ``(size, size)``, whether the mesh covers at least half of the pixel.
        depth: ``(size, size)``, along the ray from the camera in units of the unit sphere, of the
            pixel's centre; inf where it misses.
        normal: ``(size, size, 3)``, unit normals there, in the scene frame; 0 where it misses.
    """

    image: Tensor
    mask: Tensor
    depth: Tensor
    normal: Tensor


class TruthRenderer:
    """Renders a mesh in the sphere of radius 0.8, shaded and coloured.

    Args:
        mesh: closed, in any coordinates.
        size: pixels along a side of a picture.
        rays_per_side: rays along a side of a pixel; more than one smooths the silhouettes.
    """

    def __init__(self, mesh: Mesh, *, size: int = 200, rays_per_side: int = 1) -> None:
        self.size, self.rays_per_side = size, rays_per_side
        self.to_world = sphere_to_world(mesh)
        scale, shift = self.to_world[0, 0], self.to_world[:3, 3]
        placed = Mesh((mesh.vertices - shift) / scale, mesh.faces)
        self._scene = raycasting_scene(placed)
        self._faces = mesh.faces.numpy()
        self._normals = _vertex_normals(placed)

    def intrinsics(self) -> Floats:
        """K for pixels whose first centre is at (0.5, 0.5)."""
        # The cone about the sphere, seen from outside, is wider than radius over distance.
        slope = RADIUS / math.sqrt(DISTANCE**2 - RADIUS**2)
        focal = FILLED * self.size / 2 / slope
        middle = self.size / 2
        return np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1]])

    def view(self, to_scene: Floats) -> View:
        """What a camera sees; ``to_scene`` (4x4) leads from its OpenCV axes to the scene frame."""
        fine = self.rays_per_side
        color, hit, depth, normal = self._cast(to_scene, fine)
        blocks = (self.size, fine, self.size, fine)
        image = color.reshape(*blocks, 3).mean(axis=(1, 3))
        cover = hit.reshape(blocks).mean(axis=(1, 3))
        if fine > 1:
            _, _, depth, normal = self._cast(to_scene, 1)
        side = (self.size, self.size)
        return View(
            torch.from_numpy(np.moveaxis(image, -1, 0).astype(np.float32)),
            torch.from_numpy(cover >= 0.5),
            torch.from_numpy(depth.reshape(side).astype(np.float32)),
            torch.from_numpy(normal.reshape(*side, 3).astype(np.float32)),
        )

    def _cast(
        self, to_scene: Floats, fine: int
    ) -> tuple[Floats, NDArray[np.bool_], Floats, Floats]:
        """Colour, hit, depth and normal of ``(size fine)^2`` rays, row by row."""
        ticks = (np.arange(self.size * fine) + 0.5) / fine
        y, x = np.meshgrid(ticks, ticks, indexing="ij")
        pixels = np.stack((x.ravel(), y.ravel(), np.ones(x.size)), axis=1)
        directions = pixels @ np.linalg.inv(self.intrinsics()).T @ to_scene[:3, :3].T
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        origins = np.broadcast_to(to_scene[:3, 3], directions.shape)
        rays = torch.from_numpy(np.concatenate((origins, directions), axis=1).astype(np.float32))
        found = self._scene.cast_rays(to_open3d(rays), torch.get_num_threads())
        depth = found["t_hit"].numpy().astype(np.float64)
        hit = np.isfinite(depth)
        normal = np.zeros_like(directions)
        normal[hit] = self._normals_at(
            found["primitive_ids"].numpy()[hit], found["primitive_uvs"].numpy()[hit]
        )
        color = np.ones_like(directions)
        points = origins[hit] + depth[hit, None] * directions[hit]
        color[hit] = surface_color(points, normal[hit])
        return color, hit, depth, normal

    def _normals_at(self, face: NDArray[np.uint32], uv: NDArray[np.float32]) -> Floats:
        corners = self._normals[self._faces[face.astype(np.int64)]]
        weights = np.concatenate((1 - uv.sum(axis=1, keepdims=True), uv), axis=1)
        mixed: Floats = (weights[..., None] * corners).sum(axis=1)
        return mixed / np.linalg.norm(mixed, axis=1, keepdims=True)


def write_known_truth(
    mesh: Mesh, folder: Path, *, views: int = 60, size: int = 200, rays_per_side: int = 1
) -> KnownTruth:
    """Photographs of ``mesh`` in a NeuS folder, with masks, cameras and the mesh itself.

    ``image/000.png``, ``mask/000.png`` (255 inside), ``cameras_sphere.npz`` with ``world_mat_i`` =
    K [R | t], whose K has the centre of the first pixel at (0, 0) as that format does, and
    ``scale_mat_i`` from the unit sphere to the mesh's coordinates; ``truth.ply`` in these. The same
    arguments give the same files.

    Args:
        mesh: closed, in any coordinates.
        folder: made if it is not there.
        views: number of cameras.
        size: pixels along a side.
        rays_per_side: rays along a side of a pixel.
    """
    renderer = TruthRenderer(mesh, size=size, rays_per_side=rays_per_side)
    for name in ("image", "mask"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    to_world = renderer.to_world.numpy()
    corner_at_zero = renderer.intrinsics()
    corner_at_zero[:2, 2] -= 0.5
    matrices: dict[str, Floats] = {}
    for k, to_scene in enumerate(fibonacci_cameras(views)):
        view = renderer.view(to_scene)
        write_image(folder / "image" / f"{k:03}.png", view.image)
        write_image(folder / "mask" / f"{k:03}.png", view.mask[None].float())
        projection = np.eye(4)
        projection[:3] = corner_at_zero @ np.linalg.inv(to_scene)[:3]
        matrices[f"world_mat_{k}"] = projection @ np.linalg.inv(to_world)
        matrices[f"scale_mat_{k}"] = to_world
    np.savez(folder / "cameras_sphere.npz", **matrices)
    write_mesh(folder / "truth.ply", mesh)
    held_out = tuple(range(0, views, HELD_OUT))
    return KnownTruth(folder, mesh, renderer.to_world, RADIUS * float(to_world[0, 0]), held_out)


def known_truth(name: str, data: Path, folder: Path, *, views: int = 60) -> KnownTruth:
    """Photographs of ``data/meshes/name.obj`` at 200x200, see `write_known_truth`.

    Args:
        name: one of `NAMES`, or another closed mesh of that folder.
        data: the folder of real data, see `record.data_folder`.
        folder: where to write.
        views: number of cameras.
    """
    return write_known_truth(read_mesh(data / "meshes" / f"{name}.obj"), folder, views=views)


def sphere_to_world(mesh: Mesh) -> Tensor:
    """From the unit sphere to the mesh's coordinates, 4x4 float64.

    The middle of the bounding box goes to the origin, the vertex farthest from it to radius 0.8.
    """
    middle = (mesh.vertices.amin(dim=0) + mesh.vertices.amax(dim=0)) / 2
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[:3, :3] *= (mesh.vertices - middle).norm(dim=1).max() / RADIUS
    matrix[:3, 3] = middle
    return matrix


def fibonacci_cameras(views: int) -> Floats:
    """``(views, 4, 4)``: cameras to scene, OpenCV axes, at distance 3, y up in the pictures.

    Camera k stands at height ``1 - (2k + 1) / views`` along y, turned by k golden angles, so that
    each has the same share of the sphere.
    """
    k = np.arange(views)
    height = 1 - (2 * k + 1) / views
    angle = k * math.pi * (3 - math.sqrt(5))
    across = np.sqrt(1 - height**2)
    places = np.stack((across * np.cos(angle), height, across * np.sin(angle)), axis=1)
    forward = -places
    right = np.cross(forward, (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    poses = np.tile(np.eye(4), (views, 1, 1))
    poses[:, :3, :3] = np.stack((right, np.cross(forward, right), forward), axis=2)
    poses[:, :3, 3] = DISTANCE * places
    return poses


def surface_color(points: Floats, normals: Floats) -> Floats:
    """``(0.5 + 0.4 sin(w_c . x + p_c)) (0.3 + 0.7 max(n . l, 0))`` for the channels c."""
    light = np.array(_LIGHT) / np.linalg.norm(_LIGHT)
    shade = _AMBIENT + (1 - _AMBIENT) * np.maximum(normals @ light, 0.0)
    paint: Floats = 0.5 + 0.4 * np.sin(points @ np.array(_WAVES).T + np.array(_PHASES))
    return paint * shade[:, None]


def _vertex_normals(mesh: Mesh) -> Floats:
    """Unit normals of the vertices: those of the faces around, by area."""
    vertices, faces = mesh.vertices.numpy(), mesh.faces.numpy()
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    sums = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(sums, faces[:, k], np.cross(b - a, c - a))
    normals: Floats = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-300)
    return normals
