"""What a reconstruction minimises, step by step."""

import torch
from torch import Tensor

from passband.recon._batches import RayBatches
from passband.recon._model import Reconstruction
from passband.recon._scene import LossSettings
from passband.recon.data import Hull
from passband.recon.rendering import (
    Rendering,
    curvature_loss,
    eikonal_loss,
    mask_loss,
    outside_loss,
    rgb_l1,
)
from passband.training import StepOutput, make_generator

_STREAM, _OUTSIDE_STREAM = 23, 29
_OUTSIDE_EVERY = 4  # steps between two looks at what is far from all rays
_OFTEN, _SELDOM = 25, 100  # steps between two looks of the sampler, early and late


class ReconstructionObjective:
    """Colours, masks and the shape of the distance, of one batch of rays a step.

    Args:
        model: what is learned.
        batches: rays with their colours.
        hull: of the masks, or None.
        losses: weights of the terms.
        steps: length of the run.
        seed: of the sections' places.
    """

    def __init__(
        self,
        model: Reconstruction,
        batches: RayBatches,
        hull: Hull | None,
        losses: LossSettings,
        *,
        steps: int,
        seed: int,
    ) -> None:
        self._model, self._batches, self._hull = model, batches, hull
        self._losses, self._steps, self._seed = losses, steps, seed
        self._device = next(model.parameters()).device

    def __call__(self, step: int) -> StepOutput:
        """The loss of ``step`` and, to show, the PSNR of the batch in dB."""
        done = step / self._steps
        self._model.set_progress(done)
        if step % (_OFTEN if done < 0.2 else _SELDOM) == 0:
            self._model.refresh()
        batch = self._batches(step)
        generator = make_generator(self._seed, _STREAM, step, device=self._device)
        seen = self._model(batch.rays, batch.near, batch.far, generator=generator)
        loss = rgb_l1(seen.color, batch.color) + self._regularisers(seen)
        if batch.mask is not None and self._losses.mask > 0:
            loss = loss + self._losses.mask * mask_loss(seen.opacity, batch.mask)
        if self._hull is not None and self._losses.outside > 0 and step % _OUTSIDE_EVERY == 0:
            weight = _OUTSIDE_EVERY * self._losses.outside
            loss = loss + weight * self._outside(self._hull, step)
        with torch.no_grad():
            error = (seen.color - batch.color).square().mean()
        return StepOutput(loss, {"psnr": -10 * error.clamp(min=1e-10).log10()})

    def _regularisers(self, seen: Rendering) -> Tensor:
        loss = self._losses.eikonal * eikonal_loss(seen.geometry.gradient)
        if self._losses.curvature > 0 and seen.geometry.laplacian is not None:
            loss = loss + self._losses.curvature * curvature_loss(seen.geometry.laplacian)
        return loss

    def _outside(self, hull: Hull, step: int) -> Tensor:
        """The hinge at points drawn evenly over the cube, those outside of the hull."""
        generator = make_generator(self._seed, _OUTSIDE_STREAM, step, device=self._device)
        count = self._losses.outside_points
        points = 2 * torch.rand(count, 3, generator=generator, device=self._device) - 1
        known = hull.distance(points)
        beyond = (known > 0).nonzero()[:, 0]
        return outside_loss(self._model.surface.distance(points[beyond]), known[beyond])
