"""Sections of equal length."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.recon.cameras import Rays
from passband.recon.rendering._interfaces import Opacity, Samples, SignedDistance
from passband.recon.rendering.samplers._edges import between, check_count, stratified_edges


class UniformSampler:
    """``count`` sections of equal length, their edges shifted at random where there is a generator.

    Args:
        count: sections of a ray, at least 1.

    Raises:
        InputError: no sections.

    Example:
        >>> rays = Rays(torch.zeros(1, 3), torch.eye(3)[:1])
        >>> samples = UniformSampler(4)(rays, torch.tensor([1.0]), torch.tensor([3.0]))
        >>> samples.depths.tolist(), samples.lengths.tolist()
        ([[1.25, 1.75, 2.25, 2.75]], [[0.5, 0.5, 0.5, 0.5]])
    """

    def __init__(self, count: int = 128) -> None:
        check_count("count", count, 1)
        self.count = count

    @torch.no_grad()
    def __call__(
        self,
        rays: Rays,
        near: Float[Tensor, " rays"],
        far: Float[Tensor, " rays"],
        surface: SignedDistance | None = None,
        opacity: Opacity | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> Samples:
        """Sections of ``rays`` between ``near`` and ``far``; nobody else is asked."""
        return between(stratified_edges(near, far, self.count, generator))
