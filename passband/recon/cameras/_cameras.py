"""Pinhole cameras with lens distortion, in the scene frame."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from passband.recon.cameras._distortion import distort, fold_radius, undistort
from passband.recon.cameras._rays import Rays


@dataclass(frozen=True, eq=False)
class Cameras:
    """Posed cameras: x right, y down, z forward; the centre of the first pixel at (0.5, 0.5).

    Args:
        intrinsics: upper triangular K with last row 0 0 1, in pixels.
        to_scene: rigid transforms from a camera to the scene; their last columns are the centres.
        sizes: width and height of each picture.
        distortion: k1, k2, p1, p2, k3, k4 of each (see `distort`), or None where there is none.

    Example:
        >>> matrix = torch.tensor([[[10.0, 0.0, 2.0], [0.0, 10.0, 2.0], [0.0, 0.0, 1.0]]])
        >>> cameras = Cameras(matrix, torch.eye(4)[None], torch.tensor([[4, 4]]))
        >>> cameras.rays(torch.tensor([0]), torch.tensor([[2.0, 2.0]])).directions
        tensor([[0., 0., 1.]])
    """

    intrinsics: Float[Tensor, "n 3 3"]
    to_scene: Float[Tensor, "n 4 4"]
    sizes: Int[Tensor, "n 2"]
    distortion: Float[Tensor, "n 6"] | None = None

    def __len__(self) -> int:
        return len(self.intrinsics)

    @property
    def centers(self) -> Float[Tensor, "n 3"]:
        """Centres of projection, in the scene."""
        return self.to_scene[:, :3, 3]

    @property
    def axes(self) -> Float[Tensor, "n 3"]:
        """Optical axes: unit vectors that point where the cameras look."""
        return self.to_scene[:, :3, 2]

    def rays(self, camera: Int[Tensor, " r"], pixels: Float[Tensor, "r 2"]) -> Rays:
        """Rays from the centres of cameras through pixels.

        Args:
            camera: number of each ray's camera, 0 to n - 1.
            pixels: (x, y), the centre of the first pixel at (0.5, 0.5).

        Returns:
            `Rays` with directions of unit length.
        """
        matrix, pose = self.intrinsics[camera], self.to_scene[camera]
        y = (pixels[:, 1] - matrix[:, 1, 2]) / matrix[:, 1, 1]
        x = (pixels[:, 0] - matrix[:, 0, 2] - matrix[:, 0, 1] * y) / matrix[:, 0, 0]
        plane = torch.stack((x, y), -1)
        if self.distortion is not None:
            plane = undistort(plane, self.distortion[camera])
        turned = (pose[:, :3, :2] @ plane[..., None])[..., 0] + pose[:, :3, 2]
        return Rays(pose[:, :3, 3], torch.nn.functional.normalize(turned, dim=-1))

    def project(
        self, points: Float[Tensor, "m 3"]
    ) -> tuple[Float[Tensor, "n m 2"], Float[Tensor, "n m"]]:
        """Pixels at which every camera sees points, and their depths along the optical axes.

        Args:
            points: in the scene.

        Returns:
            Pixels (n, m, 2), NaN where a point is behind the camera or outside the lens' usable
            part (`fold_radius`); they may lie outside the picture. Depths (n, m), scene units.

        Example:
            >>> matrix = torch.tensor([[[10.0, 0.0, 2.0], [0.0, 10.0, 2.0], [0.0, 0.0, 1.0]]])
            >>> cameras = Cameras(matrix, torch.eye(4)[None], torch.tensor([[4, 4]]))
            >>> pixels, depths = cameras.project(torch.tensor([[0.1, 0.0, 1.0]]))
            >>> pixels.tolist(), depths.tolist()
            ([[[3.0, 2.0]]], [[1.0]])
        """
        rotation = self.to_scene[:, :3, :3]
        seen = points @ rotation - (self.centers[:, None] @ rotation)
        depths = seen[..., 2]
        plane = seen[..., :2] / depths[..., None]
        visible = depths > 0
        if self.distortion is not None:
            limit = fold_radius(self.distortion)[:, None]
            visible = visible & (plane.norm(dim=-1) < limit)
            plane = distort(plane, self.distortion[:, None])
        matrix = self.intrinsics[:, None]
        x = (
            matrix[..., 0, 0] * plane[..., 0]
            + matrix[..., 0, 1] * plane[..., 1]
            + matrix[..., 0, 2]
        )
        y = matrix[..., 1, 1] * plane[..., 1] + matrix[..., 1, 2]
        pixels = torch.stack((x, y), -1)
        return torch.where(visible[..., None], pixels, torch.nan), depths

    def select(self, index: Int[Tensor, " m"]) -> "Cameras":
        """The cameras numbered ``index``, in that order.

        Args:
            index: 0 to n - 1.
        """
        distortion = None if self.distortion is None else self.distortion[index]
        return Cameras(self.intrinsics[index], self.to_scene[index], self.sizes[index], distortion)

    def to(self, device: torch.device | str) -> "Cameras":
        """The same cameras on a device."""
        distortion = None if self.distortion is None else self.distortion.to(device)
        return Cameras(
            self.intrinsics.to(device), self.to_scene.to(device), self.sizes.to(device), distortion
        )
