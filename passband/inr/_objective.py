"""What a fit minimises, step by step."""

from collections.abc import Callable

import torch
from torch import Tensor

from passband.inr._field import Field
from passband.inr._scene import TrainingSettings
from passband.inr.targets import GridTarget, grid_coordinates
from passband.training import ShuffledSampler, StepOutput


class GridObjective:
    """Loss of a field on shuffled batches of a signal's samples.

    Args:
        field: what is trained, on its device.
        target: the signal, moved there.
        settings: batch size, seed and loss.

    Example:
        >>> from passband.inr import encodings, networks
        >>> from passband.inr.targets import image_target
        >>> field = Field(encodings.Identity(2), networks.ReluMLP(2, 3))
        >>> objective = GridObjective(
        ...     field, image_target("skimage:astronaut"), TrainingSettings(batch_size=64)
        ... )
        >>> objective(0).loss.shape
        torch.Size([])
    """

    def __init__(self, field: Field, target: GridTarget, settings: TrainingSettings) -> None:
        device = next(field.parameters()).device
        self._field = field
        self._size = target.info.size
        self._samples = target.signal.to(device).flatten(1).T.contiguous()
        self._loss = _LOSSES[settings.loss]
        self._steps = settings.steps
        self._sampler = ShuffledSampler(
            target.info.count, settings.batch_size, seed=settings.seed, device=device
        )

    def __call__(self, step: int) -> StepOutput:
        """Loss and PSNR (dB) of the batch of ``step``."""
        self._field.set_progress(step / self._steps)
        indices = self._sampler(step)
        wanted = self._samples[indices]
        points = grid_coordinates(indices, self._size)
        loss, last, values = level_loss(self._field, points, wanted, self._loss)
        with torch.no_grad():
            squared = last if self._loss is _l2 else _l2(values, wanted)
            return StepOutput(loss, {"psnr": 10.0 * torch.log10(4.0 / squared)})


def level_loss(
    field: Field, points: Tensor, wanted: Tensor, loss: Callable[[Tensor, Tensor], Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """What a step minimises: the mean loss of the field's levels, and the penalty it asks for.

    Returns:
        That, the loss of the last level alone, and the values of the last level in float32.
    """
    levels = [values.float() for values in field.level_outputs(points)]
    losses = torch.stack([loss(values, wanted) for values in levels])
    penalty = field.penalty()
    total = losses.mean() if penalty is None else losses.mean() + penalty
    return total, losses[-1], levels[-1]


def _l2(given: Tensor, wanted: Tensor) -> Tensor:
    return (given - wanted).square().mean()


def _l1(given: Tensor, wanted: Tensor) -> Tensor:
    return (given - wanted).abs().mean()


def _relative_l2(given: Tensor, wanted: Tensor) -> Tensor:
    """Squared error over the squared prediction (tiny-cuda-nn's RelativeL2)."""
    return ((given - wanted).square() / (given.detach().square() + 0.01)).mean()


_LOSSES = {"l2": _l2, "l1": _l1, "relative_l2": _relative_l2}
