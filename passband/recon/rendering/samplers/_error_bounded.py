"""Sections fine enough that the opacity is right to a given error, after VolSDF."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Rays
from passband.recon.rendering._interfaces import Opacity, Samples, SignedDistance
from passband.recon.rendering.opacities import (
    ScheduledVolsdfOpacity,
    VolsdfOpacity,
    laplace_density,
    section_weights,
)
from passband.recon.rendering.samplers._edges import (
    between,
    check_count,
    inverse_transform,
    stratified_edges,
)
from passband.recon.rendering.samplers._error_bound import opacity_error_bound
from passband.recon.rendering.samplers._hierarchical import distances_at

_HALVINGS = 10


class ErrorBoundedSampler:
    """Edges at quantiles of an opacity whose error is at most ``error``, and some all over the ray.

    Rounds add ``evaluated`` edges where :func:`opacity_error_bound` is large, until it is below
    ``error`` with the width b of the opacity, or rounds run out; then the smallest width takes its
    place for which it is, found by bisection. Of the opacity with that width ``drawn`` quantiles
    become edges, ``spread`` more are evenly spread, and the surface is asked in the middle between.

    Args:
        error: largest error of the opacity, 0 to 1.
        evaluated: sections to start from, and edges that a round adds.
        rounds: at most so many.
        drawn: edges at quantiles.
        spread: edges all over the ray.

    Raises:
        InputError: an argument out of range, or an opacity that has no Laplace density.

    Example:
        >>> class Ball:
        ...     def distance(self, x):
        ...         return x.norm(dim=-1) - 0.5
        >>> rays = Rays(torch.tensor([[0.0, 0.0, -2.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
        >>> near, far = torch.tensor([1.0]), torch.tensor([3.0])
        >>> samples = ErrorBoundedSampler()(rays, near, far, Ball(), VolsdfOpacity(0.01))
        >>> samples.depths.shape, int(((samples.depths - 1.5).abs() < 0.05).sum())
        (torch.Size([1, 97]), 65)

    Reference: Yariv, Gu, Kasten & Lipman, *Volume Rendering of Neural Implicit Surfaces*, NeurIPS
    2021, algorithm 1. That sections are evaluated in their middle is ours.
    """

    def __init__(
        self,
        error: float = 0.1,
        *,
        evaluated: int = 128,
        rounds: int = 5,
        drawn: int = 64,
        spread: int = 32,
    ) -> None:
        if not 0 < error < 1:
            raise InputError(f"`error` (={error:g}) must be between 0 and 1. Pass e.g. 0.1.")
        check_count("evaluated", evaluated, 1)
        check_count("rounds", rounds, 0)
        check_count("drawn", drawn, 1)
        check_count("spread", spread, 0)
        self.error, self.evaluated, self.rounds = error, evaluated, rounds
        self.drawn, self.spread = drawn, spread

    @torch.no_grad()
    def __call__(
        self,
        rays: Rays,
        near: Float[Tensor, " rays"],
        far: Float[Tensor, " rays"],
        surface: SignedDistance,
        opacity: Opacity,
        *,
        generator: torch.Generator | None = None,
    ) -> Samples:
        """Sections of ``rays`` between ``near`` and ``far``."""
        edges, distance, beta = self.refined(rays, near, far, surface, opacity)
        length = edges.diff(dim=-1)
        density = laplace_density(distance[:, :-1], beta[:, None].expand_as(length))
        weights = section_weights(-torch.expm1(-density * length))
        steps = stratified_edges(near * 0, near * 0 + 1, self.drawn + 1, generator)[:, 1:-1]
        drawn = inverse_transform(edges, weights, steps)
        spread = stratified_edges(near, far, self.spread + 1, generator)
        return between(torch.cat((spread, drawn), -1).sort(-1).values)

    @torch.no_grad()
    def refined(
        self,
        rays: Rays,
        near: Float[Tensor, " rays"],
        far: Float[Tensor, " rays"],
        surface: SignedDistance,
        opacity: Opacity,
    ) -> tuple[Float[Tensor, "rays edges"], Float[Tensor, "rays edges"], Float[Tensor, " rays"]]:
        """Edges, distances at them, and the width of each ray for which the error is bounded."""
        if not isinstance(opacity, VolsdfOpacity | ScheduledVolsdfOpacity):
            raise InputError(
                f"`opacity` (={type(opacity).__name__}) must have a Laplace density for the error "
                f"to be bounded. Use VolsdfOpacity, or HierarchicalSampler."
            )
        edges = stratified_edges(near, far, self.evaluated, None)
        distance = distances_at(surface, rays, edges)
        wanted = opacity.beta.detach().to(edges).expand(len(edges))
        squares = edges.diff(dim=-1).square().sum(-1)
        # With this width even a surface all along the ray has no larger error.
        beta = wanted.maximum((squares / (4 * math.log1p(self.error))).sqrt())
        steps = torch.arange(self.evaluated, device=near.device, dtype=near.dtype) + 0.5
        quantiles = (steps / self.evaluated).expand(len(near), self.evaluated)
        for number in range(self.rounds + 1):
            length = edges.diff(dim=-1)
            beta = self._smallest(distance, length, wanted, beta)
            if number == self.rounds or bool((beta <= wanted).all()):
                break
            bound = opacity_error_bound(distance, length, beta)
            new = inverse_transform(edges, bound, quantiles)
            edges, order = torch.cat((edges, new), -1).sort(-1)
            distance = torch.cat((distance, distances_at(surface, rays, new)), -1).gather(1, order)
        return edges, distance, beta

    def _smallest(self, distance: Tensor, length: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Least width from ``low`` to ``high`` with a bounded error, given that ``high`` has it."""
        fits = self._fits(distance, length, low)
        high = torch.where(fits, low, high)
        if bool(fits.all()):
            return high
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            fits = self._fits(distance, length, middle)
            low, high = torch.where(fits, low, middle), torch.where(fits, middle, high)
        return high

    def _fits(self, distance: Tensor, length: Tensor, beta: Tensor) -> Tensor:
        return opacity_error_bound(distance, length, beta).amax(-1) <= self.error
