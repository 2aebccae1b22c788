"""Few sections, placed by a grid of signed distances kept from some steps ago."""

from importlib import import_module

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.kernels._parallel import run_tasks
from passband.recon.cameras import Rays
from passband.recon.rendering._arrays import arrays
from passband.recon.rendering._interfaces import Opacity, Samples, SignedDistance
from passband.recon.rendering.samplers._clip import clip_to_occupied
from passband.recon.rendering.samplers._edges import check_count
from passband.recon.rendering.samplers._march import plain_sections

_POINTS = 2**17  # evaluated at a time
_LONGEST = 4.0  # of a section, in layers 1 / s
_BLOCK = 128  # rays per task


class CachedGridSampler(nn.Module):
    """``count`` sections with edges at quantiles of NeuS's weights, computed from a grid of f.

    The weights are those of the opacity's sharpness s, or of ``blur`` cells if that is wider: the
    grid does not know the surface better. A share ``uniform`` of the edges is spread over the ray.
    Until the first :meth:`refresh` all are. Where the surface has moved since the grid was taken,
    the spread edges find it.

    A section is at most 4 / s long, cut around its middle: what the slope there says of the
    distance at its ends does not hold farther away.

    On the processor, in float32, a compiled loop walks the rays; elsewhere plain torch does.

    Args:
        count: sections of a ray, at least 2.
        resolution: vertices of the grid per axis over [-1, 1], at least 2.
        uniform: share of the edges, above 0, at most 1.
        blur: least ``1 / s`` in cells, above 0.
        occupied: cells over [-1, 1]^3, x first, outside which nothing is, such as those of the
            masks' visual hull: rays are cut to them, and the surface is asked only there.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> from passband.recon.rendering import NeusOpacity
        >>> class Ball:
        ...     def distance(self, x):
        ...         return x.norm(dim=-1) - 0.5
        >>> rays = Rays(torch.tensor([[0.0, 0.0, -2.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
        >>> near, far = torch.tensor([1.0]), torch.tensor([3.0])
        >>> sampler = CachedGridSampler(16, resolution=33)
        >>> sampler.refresh(Ball(), NeusOpacity(0.6))
        >>> samples = sampler(rays, near, far, Ball(), NeusOpacity(0.6))
        >>> int(((samples.depths - 1.5).abs() < 0.1).sum())
        10

    The walk and the mixture are ours.
    """

    grid: Tensor
    occupied: Tensor | None
    _wanted: Tensor

    def __init__(
        self,
        count: int = 24,
        *,
        resolution: int = 128,
        uniform: float = 0.15,
        blur: float = 0.5,
        occupied: Bool[Tensor, "n n n"] | None = None,
    ) -> None:
        super().__init__()
        check_count("count", count, 2)
        check_count("resolution", resolution, 2)
        if not 0 < uniform <= 1:
            raise InputError(f"`uniform` (={uniform:g}) must be above 0, at most 1. Pass 0.15.")
        if not blur > 0:
            raise InputError(f"`blur` (={blur:g} cells) must be above 0. Pass e.g. 0.5.")
        self.count, self.resolution, self.uniform = count, resolution, uniform
        self.sharpest = (resolution - 1) / (2 * blur)
        grid, wanted = _outside(occupied, resolution)
        self.register_buffer("grid", grid)
        self.register_buffer("occupied", occupied, persistent=False)
        self.register_buffer("_wanted", wanted, persistent=False)

    @torch.no_grad()
    def refresh(self, surface: SignedDistance, opacity: Opacity | None = None) -> None:
        """Ask the surface at every vertex of the grid, or at those near occupied cells."""
        flat = self.grid.view(-1)
        for index in self._wanted.split(_POINTS):
            flat[index] = surface.distance(self._vertices(index)).to(flat.dtype)

    @torch.no_grad()
    def forward(
        self,
        rays: Rays,
        near: Float[Tensor, " rays"],
        far: Float[Tensor, " rays"],
        surface: SignedDistance | None,
        opacity: Opacity,
        *,
        generator: torch.Generator | None = None,
    ) -> Samples:
        """Sections of ``rays`` between ``near`` and ``far``, cut to occupied cells if given."""
        if self.occupied is not None:
            near, far = clip_to_occupied(self.occupied, rays, near, far)
        if generator is None:
            shift = near.new_full((len(near),), 0.5)
        else:
            size, device, dtype = (len(near),), near.device, near.dtype
            shift = torch.rand(size, generator=generator, device=device, dtype=dtype)
        sharpness = min(opacity.sharpness, self.sharpest)
        numbers = (self.count, sharpness, self.uniform)
        if near.device.type == "cpu" and near.dtype == self.grid.dtype == torch.float32:
            found = _compiled_sections(self.grid, rays, near, far, shift, *numbers)
        else:
            found = plain_sections(self.grid.to(near.dtype), rays, near, far, shift, *numbers)
        return Samples(found.depths, found.lengths.clamp(max=_LONGEST / sharpness))

    def _vertices(self, index: Tensor) -> Tensor:
        n = self.resolution
        at = torch.stack((index // (n * n), index // n % n, index % n), -1)
        return at * (2 / (n - 1)) - 1


def _compiled_sections(
    grid: Tensor,
    rays: Rays,
    near: Tensor,
    far: Tensor,
    shift: Tensor,
    count: int,
    sharpness: float,
    uniform: float,
) -> Samples:
    # Imported here: numba takes half a second.
    loops = import_module("passband.recon.rendering.samplers._march_loops")
    found = Samples(near.new_empty(len(near), count), near.new_empty(len(near), count))
    given = arrays(grid, rays.origins, rays.directions, near, far, shift)
    out = arrays(found.depths, found.lengths)
    numbers = [np.float32(x) for x in (sharpness, uniform)]

    def block(number: int) -> None:
        begin, end = number * _BLOCK, min((number + 1) * _BLOCK, len(near))
        loops.sections(*given, *numbers, *out, begin, end)

    run_tasks(block, -(-len(near) // _BLOCK))
    return found


def _outside(
    occupied: Tensor | None, resolution: int
) -> tuple[Float[Tensor, "n n n"], Int[Tensor, " wanted"]]:
    """The grid before anybody was asked, and the vertices at which the surface will be.

    Far from occupied cells a vertex has a distance that is less than the way to them.
    """
    if occupied is None:
        return torch.zeros((resolution,) * 3), torch.arange(resolution**3)
    # Imported here: scipy.ndimage takes a while, and only hulls need it.
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415

    n = occupied.shape[0]
    cells = torch.from_numpy(distance_transform_edt(~occupied.cpu().numpy())).float() * (2 / n)
    at = (torch.linspace(0, 1, resolution) * n).long().clamp(max=n - 1)
    way = cells[at][:, at][:, :, at]
    # From vertex to the centre of its cell, from there to an occupied one's, and on to its corner;
    # and a cell of the grid, so that every vertex of one that is cut has been asked.
    slack = 3**0.5 * (2 / n + 2 / (resolution - 1))
    wanted = (way <= slack).flatten().nonzero()[:, 0]
    return (way - slack).clamp(min=0), wanted
