"""Sections that close in on the surface in rounds, after NeuS."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.recon.cameras import Rays
from passband.recon.rendering._interfaces import Opacity, Samples, SignedDistance
from passband.recon.rendering.opacities import section_weights
from passband.recon.rendering.samplers._edges import (
    between,
    check_count,
    inverse_transform,
    stratified_edges,
)

_FLOOR = 1e-5
_STEEPEST = 1e3


class HierarchicalSampler:
    """``coarse`` equal sections, then in each round ``added`` edges where the weights are.

    Round i, from 0, takes the weights that the distances at the edges so far give with the
    sharpness ``first_sharpness 2^i``, and puts edges at equal quantiles of them: 64 + 4 x 16
    sections as in NeuS. Distances are evaluated once at every edge.

    Args:
        coarse: sections to start from, at least 1.
        rounds: number of rounds.
        added: edges added in each.
        first_sharpness: that of the first round, in 1 / scene unit.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> class Ball:
        ...     def distance(self, x):
        ...         return x.norm(dim=-1) - 0.5
        >>> rays = Rays(torch.tensor([[0.0, 0.0, -2.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
        >>> samples = HierarchicalSampler()(rays, torch.tensor([1.0]), torch.tensor([3.0]), Ball())
        >>> samples.depths.shape, int(((samples.depths - 1.5).abs() < 0.02).sum())
        (torch.Size([1, 128]), 54)

    Reference: Wang, Liu, Liu, Theobalt, Komura & Wang, *NeuS*, NeurIPS 2021, supplement, sec. E.
    """

    def __init__(
        self,
        coarse: int = 64,
        *,
        rounds: int = 4,
        added: int = 16,
        first_sharpness: float = 64.0,
    ) -> None:
        check_count("coarse", coarse, 1)
        check_count("rounds", rounds, 0)
        check_count("added", added, 1)
        self.coarse, self.rounds, self.added = coarse, rounds, added
        self.first_sharpness = first_sharpness

    @torch.no_grad()
    def __call__(
        self,
        rays: Rays,
        near: Float[Tensor, " rays"],
        far: Float[Tensor, " rays"],
        surface: SignedDistance,
        opacity: Opacity | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> Samples:
        """Sections of ``rays`` between ``near`` and ``far``; the opacity is not asked."""
        edges = stratified_edges(near, far, self.coarse, generator)
        if self.rounds == 0:
            return between(edges)
        distance = distances_at(surface, rays, edges)
        steps = torch.arange(self.added, device=near.device, dtype=near.dtype) + 0.5
        quantiles = (steps / self.added).expand(len(near), self.added)
        for number in range(self.rounds):
            weights = _weights(edges, distance, self.first_sharpness * 2.0**number)
            new = inverse_transform(edges, weights, quantiles)
            if number == self.rounds - 1:
                return between(torch.cat((edges, new), -1).sort(-1).values)
            edges, order = torch.cat((edges, new), -1).sort(-1)
            distance = torch.cat((distance, distances_at(surface, rays, new)), -1).gather(1, order)
        raise AssertionError


def distances_at(
    surface: SignedDistance, rays: Rays, depths: Float[Tensor, "rays depths"]
) -> Float[Tensor, "rays depths"]:
    """Signed distances at depths of rays."""
    if depths.numel() == 0:
        return torch.zeros_like(depths)
    return surface.distance(rays.at(depths).flatten(0, 1)).reshape(depths.shape)


def _weights(edges: Tensor, distance: Tensor, sharpness: float) -> Tensor:
    """NeuS's weights of the sections between edges, with the steeper of two slopes.

    A section whose front neighbour descends is taken to descend as fast: where a ray passes through
    a thin sheet between two edges, the slope of the section alone is about 0.
    """
    length = edges.diff(dim=-1)
    slope = distance.diff(dim=-1) / (length + _FLOOR)
    before = torch.nn.functional.pad(slope[:, :-1], (1, 0))
    half = slope.minimum(before).clamp(-_STEEPEST, 0) * length / 2
    middle = 0.5 * (distance[:, 1:] + distance[:, :-1])
    front = torch.sigmoid(sharpness * (middle - half))
    back = torch.sigmoid(sharpness * (middle + half))
    weights = section_weights(((front - back + _FLOOR) / (front + _FLOOR)).clamp(0, 1))
    return weights + _FLOOR
