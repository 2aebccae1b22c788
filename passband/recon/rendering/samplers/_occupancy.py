"""Fine sections, but only where a grid says that the surface can be."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.recon.cameras import Rays
from passband.recon.rendering._interfaces import Opacity, Samples, SignedDistance
from passband.recon.rendering.samplers._edges import between, check_count, stratified_edges

_POINTS = 2**18  # evaluated at a time


class OccupancySampler(nn.Module):
    """``count`` equal sections; of those only the ones in cells that are occupied.

    A cell is occupied where the surface's layer can reach into it: ``|f| <= h + ln(1 / missed) /
    s`` with f the signed distance at its centre, h half its diagonal and s the sharpness. Before
    the first :meth:`refresh` all are. The rule is ours.

    Args:
        count: sections of a ray before any are left out, at least 1.
        resolution: cells per axis over [-1, 1], at least 2.
        missed: opacity that may be left out before the surface, and behind it, on a ray that meets
            it head-on, 0 to 1; one that grazes it may lose a few times as much.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> from passband.recon.rendering import NeusOpacity
        >>> class Ball:
        ...     def distance(self, x):
        ...         return x.norm(dim=-1) - 0.5
        >>> rays = Rays(torch.tensor([[0.0, 0.0, -2.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
        >>> near, far = torch.tensor([1.0]), torch.tensor([3.0])
        >>> sampler = OccupancySampler(100, resolution=32)
        >>> sampler.refresh(Ball(), NeusOpacity(0.6))
        >>> sampler(rays, near, far).depths.shape
        torch.Size([1, 12])
    """

    occupied: Tensor

    def __init__(self, count: int = 256, *, resolution: int = 64, missed: float = 1e-3) -> None:
        super().__init__()
        check_count("count", count, 1)
        check_count("resolution", resolution, 2)
        if not 0 < missed < 1:
            raise InputError(f"`missed` (={missed:g}) must be between 0 and 1. Pass e.g. 0.001.")
        self.count, self.resolution, self.missed = count, resolution, missed
        self.register_buffer("occupied", torch.ones((resolution,) * 3, dtype=torch.bool))

    @torch.no_grad()
    def refresh(self, surface: SignedDistance, opacity: Opacity) -> None:
        """Ask the surface at the centre of every cell."""
        reach = math.sqrt(3) / self.resolution + math.log(1 / self.missed) / opacity.sharpness
        flat = self.occupied.view(-1)
        for begin in range(0, flat.numel(), _POINTS):
            end = min(begin + _POINTS, flat.numel())
            index = torch.arange(begin, end, device=flat.device)
            flat[begin:end] = surface.distance(self._centers(index)).abs() <= reach

    @torch.no_grad()
    def forward(
        self,
        rays: Rays,
        near: Float[Tensor, " rays"],
        far: Float[Tensor, " rays"],
        surface: SignedDistance | None = None,
        opacity: Opacity | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> Samples:
        """Sections of ``rays`` between ``near`` and ``far``, those of a ray first that are filled.

        There are as many as the fullest ray has; in the other rays the last ones are empty.
        """
        samples = between(stratified_edges(near, far, self.count, generator))
        filled = self._occupied_at(rays.at(samples.depths)) & (samples.lengths > 0)
        place = torch.cumsum(filled, -1) - 1
        width = int(place[:, -1].max()) + 1 if len(rays) > 0 else 0
        ray, section = filled.nonzero(as_tuple=True)
        at = place[ray, section]
        depths = far.maximum(near)[:, None].repeat(1, width)
        lengths = torch.zeros_like(depths)
        depths[ray, at] = samples.depths[ray, section]
        lengths[ray, at] = samples.lengths[ray, section]
        return Samples(depths, lengths)

    def _centers(self, index: Tensor) -> Tensor:
        n = self.resolution
        cell = torch.stack((index // (n * n), index // n % n, index % n), -1)
        return (2 * cell + 1) / n - 1

    def _occupied_at(self, points: Tensor) -> Tensor:
        n = self.resolution
        x, y, z = ((points + 1) * (n / 2)).long().clamp(0, n - 1).unbind(-1)
        return self.occupied.view(-1)[(x * n + y) * n + z]
