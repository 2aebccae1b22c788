"""Rays of the training pictures, batch by batch."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from passband.recon.cameras import Rays, near_far
from passband.recon.data import Photographs
from passband.training import ShuffledSampler


@dataclass(frozen=True, eq=False)
class RayBatch:
    """Rays and what the photographs show there.

    Args:
        rays: in the scene frame.
        near: depth at which each enters the unit sphere.
        far: depth at which it leaves it; at most ``near`` where it misses.
        color: in [0, 1]; outside of a mask the plain background, where one is known.
        mask: whether the ray meets the object; None without masks.
    """

    rays: Rays
    near: Float[Tensor, " rays"]
    far: Float[Tensor, " rays"]
    color: Float[Tensor, "rays 3"]
    mask: Bool[Tensor, " rays"] | None


class RayBatches:
    """Batches of rays without replacement, a function of the step number alone.

    With masks only pixels on the object and up to ``margin`` pixels around it are dealt out: what
    is farther away is empty, and said so by the visual hull.

    Args:
        photographs: to learn from.
        rays: of a batch.
        seed: of their order.
        background: colour that takes the place of the pictures' outside the masks; None keeps
            theirs.
        margin: pixels around a mask.
        device: where the batches are made.

    Example:
        >>> from passband.recon.cameras import Cameras
        >>> matrix = torch.tensor([[[4.0, 0.0, 2.0], [0.0, 4.0, 2.0], [0.0, 0.0, 1.0]]])
        >>> pose = torch.eye(4)[None].clone()
        >>> pose[0, 2, 3] = -3.0
        >>> camera = Cameras(matrix, pose, torch.tensor([[4, 4]]))
        >>> gray = torch.full((4, 4, 3), 51, dtype=torch.uint8)
        >>> photographs = Photographs(("a",), (gray,), None, camera, torch.eye(4))
        >>> batches = RayBatches(photographs, 3, seed=0)
        >>> batches(0).color[0], len(batches)
        (tensor([0.2000, 0.2000, 0.2000]), 16)
    """

    def __init__(
        self,
        photographs: Photographs,
        rays: int,
        *,
        seed: int,
        background: tuple[float, float, float] | None = None,
        margin: int = 4,
        device: torch.device | str = "cpu",
    ) -> None:
        self._cameras = photographs.cameras.to(device)
        counts = torch.tensor([image[..., 0].numel() for image in photographs.images])
        self._ends = counts.cumsum(0).to(device)
        self._widths = photographs.cameras.sizes[:, 0].to(device)
        colors = torch.cat([image.reshape(-1, 3) for image in photographs.images])
        self._masks = self._chosen = None
        if photographs.masks is not None:
            masks = torch.cat([mask.reshape(-1) for mask in photographs.masks])
            if background is not None:
                known = (255 * torch.tensor(background)).round().to(torch.uint8)
                colors = torch.where(masks[:, None], colors, known)
            around = [_dilated(mask, margin).reshape(-1) for mask in photographs.masks]
            self._chosen = torch.cat(around).nonzero()[:, 0].to(device)
            self._masks = masks.to(device)
        self._colors = colors.to(device)
        self._sampler = ShuffledSampler(len(self), rays, seed=seed, device=device)

    def __len__(self) -> int:
        """Pixels that are dealt out."""
        return len(self._colors if self._chosen is None else self._chosen)

    def __call__(self, step: int) -> RayBatch:
        """The batch of ``step``, from 0."""
        pixel = self._sampler(step)
        if self._chosen is not None:
            pixel = self._chosen[pixel]
        camera = torch.searchsorted(self._ends, pixel, right=True)
        start = torch.where(camera > 0, self._ends[camera - 1], 0)
        width = self._widths[camera]
        row, column = (pixel - start) // width, (pixel - start) % width
        rays = self._cameras.rays(camera, torch.stack((column, row), -1) + 0.5)
        near, far, _ = near_far(rays)
        mask = None if self._masks is None else self._masks[pixel]
        return RayBatch(rays, near, far, self._colors[pixel] / 255, mask)


def _dilated(mask: Tensor, margin: int) -> Tensor:
    grown = F.max_pool2d(mask[None].float(), 2 * margin + 1, stride=1, padding=margin)
    return grown[0] > 0
