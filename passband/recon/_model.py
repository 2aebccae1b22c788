"""What is learned from photographs, in one module."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr._protocols import Staged
from passband.recon.cameras import Rays
from passband.recon.rendering import (
    Background,
    Opacity,
    Refreshed,
    Rendering,
    Sampler,
    Surface,
    render_rays,
)


class Reconstruction(nn.Module):
    """A surface, its opacity, what is behind it, and where rays are sampled.

    The sampler is a part of it: what it remembers of the surface belongs to a checkpoint.

    Args:
        surface: a signed distance and a colour.
        opacity: from distances to opacities.
        background: the colour behind.
        sampler: chooses the sections of rays.
        color_threshold: least weight of a section whose colour is computed.
    """

    def __init__(
        self,
        surface: Surface,
        opacity: Opacity,
        background: Background,
        sampler: Sampler,
        *,
        color_threshold: float = 2e-3,
    ) -> None:
        super().__init__()
        self.surface, self.opacity = surface, opacity
        self.background, self.sampler = background, sampler
        self.color_threshold = color_threshold

    def forward(
        self,
        rays: Rays,
        near: Float[Tensor, " rays"],
        far: Float[Tensor, " rays"],
        *,
        generator: torch.Generator | None = None,
    ) -> Rendering:
        """What ``rays`` see between two depths; without a generator nothing is drawn."""
        return render_rays(
            self.surface,
            self.opacity,
            self.sampler,
            rays,
            near,
            far,
            background=self.background,
            color_threshold=self.color_threshold,
            generator=generator,
        )

    def set_progress(self, done: float) -> None:
        """Tell the parts that change along a run how much of it is over, 0 to 1."""
        for part in (self.surface, self.opacity, self.background):
            if isinstance(part, Staged):
                part.set_progress(done)

    def refresh(self) -> None:
        """Let a sampler that remembers the surface look at it again."""
        if isinstance(self.sampler, Refreshed):
            self.sampler.refresh(self.surface, self.opacity)
