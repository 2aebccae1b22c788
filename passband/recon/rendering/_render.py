"""The renderer: sections of rays to colours, depths and normals."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Rays
from passband.recon.rendering._composition import composite
from passband.recon.rendering._interfaces import (
    Background,
    Geometry,
    Opacity,
    Rendering,
    Sampler,
    Samples,
    Surface,
)
from passband.recon.rendering._rows import place_rows, take_normals, take_rows
from passband.recon.rendering._slopes import ray_slopes
from passband.recon.rendering.opacities import section_weights


def render_rays(
    surface: Surface,
    opacity: Opacity,
    sampler: Sampler,
    rays: Rays,
    near: Float[Tensor, " rays"],
    far: Float[Tensor, " rays"],
    *,
    background: Background | None = None,
    color_threshold: float = 2e-3,
    generator: torch.Generator | None = None,
) -> Rendering:
    """What ``rays`` see of ``surface`` between two depths: sections by ``sampler``, then the sum.

    Rays with ``far <= near`` see the background and cost nothing. See :func:`render_samples`.

    Args:
        surface: signed distance and colour.
        opacity: turns distances into opacities.
        sampler: chooses the sections, without gradients.
        rays: in the scene frame.
        near: depth at which each ray starts, scene units.
        far: depth at which it ends.
        background: colour behind the surface; black where none is given.
        color_threshold: see :func:`render_samples`.
        generator: source of the sampler's draws; without one it draws nothing.

    Returns:
        A :class:`Rendering`, differentiable in all weights of surface, opacity and background.

    Raises:
        InputError: a threshold out of range.

    Example:
        >>> from passband.recon.cameras import near_far
        >>> from passband.recon.rendering import NeusOpacity, PlainBackground, UniformSampler
        >>> class Ball:
        ...     def distance(self, x):
        ...         return x.norm(dim=-1) - 0.5
        ...     def geometry(self, x):
        ...         return Geometry(self.distance(x), x / x.norm(dim=-1, keepdim=True), x)
        ...     def color(self, x, normal, direction, features):
        ...         return 0.5 + 0.5 * normal
        >>> origins = torch.tensor([[0.0, 0.0, -3.0], [0.0, 0.9, -3.0]])
        >>> rays = Rays(origins, torch.tensor([[0.0, 0.0, 1.0]]).expand(2, 3))
        >>> near, far, _ = near_far(rays)
        >>> seen = render_rays(Ball(), NeusOpacity(0.6), UniformSampler(128), rays, near, far)
        >>> [round(value, 2) for value in (seen.depth[0].item(), *seen.opacity.tolist())]
        [2.5, 1.0, 0.0]
    """
    with torch.no_grad():
        samples = _sampled(sampler, rays, near, far, surface, opacity, generator)
    return render_samples(
        surface, opacity, samples, rays, background=background, color_threshold=color_threshold
    )


def render_samples(
    surface: Surface,
    opacity: Opacity,
    samples: Samples,
    rays: Rays,
    *,
    background: Background | None = None,
    color_threshold: float = 2e-3,
) -> Rendering:
    """``sum_i w_i c_i + (1 - sum_i w_i) background`` over the sections i of each ray.

    Only sections that are not empty are evaluated, and colours and normals only where a weight is
    above ``color_threshold``. The weight of the others is not lost: it takes the mean colour of
    those that were evaluated, so that opacity is exact and colours are neither darker nor nearer to
    the background; only a ray all of whose sections are below the threshold stays without colour of
    its own, at most ``samples * color_threshold`` of it. With 0 every section has its colour.

    Args:
        surface: signed distance and colour.
        opacity: turns distances into opacities.
        samples: sections of the rays.
        rays: in the scene frame.
        background: colour behind the surface; black where none is given.
        color_threshold: least weight of a section whose colour is computed, at least 0, below 1.

    Returns:
        A :class:`Rendering`, differentiable in all weights of surface, opacity and background.

    Raises:
        InputError: a threshold out of range.

    Example:
        See :func:`render_rays`.

    Reference: Wang, Liu, Liu, Theobalt, Komura & Wang, *NeuS*, NeurIPS 2021, eq. 1; the threshold
    and what takes the place of the colours left out are ours.
    """
    if not 0 <= color_threshold < 1:
        raise InputError(
            f"`color_threshold` (={color_threshold:g}) must be at least 0 and below 1. "
            f"Pass 0 to compute every colour."
        )
    filled = _filled(samples)
    points = _of(rays.at(samples.depths).flatten(0, 1), filled)
    geometry = _geometry(surface, points)
    weights = _weights(opacity, samples, rays, geometry, filled)
    shown = (weights.detach().flatten() > color_threshold).nonzero()[:, 0]
    sums = _shown_sums(surface, rays, weights, shown, filled, points, geometry)
    total = weights.sum(-1)
    mean = sums[:, :6] / sums[:, 6:].clamp(min=torch.finfo(sums.dtype).tiny)
    depth = (weights * samples.depths).sum(-1) / total.clamp(min=torch.finfo(total.dtype).tiny)
    color = total[:, None] * mean[:, :3]
    if background is not None:
        color = color + (1 - total)[:, None] * background(rays)
    normal = total[:, None] * mean[:, 3:]
    return Rendering(color, total, depth, normal, weights, points, geometry)


def _sampled(
    sampler: Sampler,
    rays: Rays,
    near: Tensor,
    far: Tensor,
    surface: Surface,
    opacity: Opacity,
    generator: torch.Generator | None,
) -> Samples:
    """Sections of the rays that have any, empty ones for the others."""
    hits = far > near
    if bool(hits.all()):
        return sampler(rays, near, far, surface, opacity, generator=generator)
    index = hits.nonzero()[:, 0]
    some = Rays(rays.origins[index], rays.directions[index])
    found = sampler(some, near[index], far[index], surface, opacity, generator=generator)
    depths = near[:, None].repeat(1, found.depths.shape[1])
    depths[index] = found.depths
    return Samples(depths, place_rows(found.lengths, index, len(rays)))


def _filled(samples: Samples) -> Int[Tensor, " points"] | None:
    """Which sections are not empty; None where that is all of them."""
    filled = samples.lengths.flatten() > 0
    return None if bool(filled.all()) else filled.nonzero()[:, 0]


def _of(x: Tensor, filled: Tensor | None) -> Tensor:
    return x if filled is None else take_rows(x, filled)


def _geometry(surface: Surface, points: Tensor) -> Geometry:
    if len(points) > 0:
        return surface.geometry(points)
    return Geometry(points.new_zeros(0), points, points.new_zeros(0, 0))


def _weights(
    opacity: Opacity, samples: Samples, rays: Rays, geometry: Geometry, filled: Tensor | None
) -> Tensor:
    shape = samples.depths.shape
    distance = geometry.distance
    if filled is not None:
        distance = place_rows(distance, filled, shape.numel())
    slope = ray_slopes(geometry.gradient, rays.directions, filled, shape[1])
    return section_weights(opacity.alpha(distance.reshape(shape), slope, samples.lengths))


def _shown_sums(
    surface: Surface,
    rays: Rays,
    weights: Tensor,
    shown: Tensor,
    filled: Tensor | None,
    points: Tensor,
    geometry: Geometry,
) -> Float[Tensor, "rays 7"]:
    """Weighted colours and normals, and the weights themselves, of the sections ``shown``."""
    if len(shown) == 0:
        return weights.new_zeros(len(rays), 7)
    ray = shown // weights.shape[1]
    at = shown if filled is None else torch.searchsorted(filled, shown)
    normals = take_normals(geometry.gradient, at)
    features = take_rows(geometry.features, at)
    directions = rays.directions.index_select(0, ray)
    colors = surface.color(take_rows(points, at), normals, directions, features)
    values = torch.cat((colors, normals, torch.ones_like(colors[:, :1])), -1)
    return composite(take_rows(weights.flatten(), shown), values, ray, len(rays))
