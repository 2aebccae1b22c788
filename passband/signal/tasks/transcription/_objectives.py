"""What is minimised in a step."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from passband.signal.tasks.transcription._crnn import HarmonicCRNN
from passband.signal.tasks.transcription._crops import Augmentation, Crops
from passband.signal.tasks.transcription._linear import SingleLayer
from passband.training import StepOutput

_WEIGHTS = {"onset": 10.0, "frame": 3.0, "velocity": 0.5}


def single_layer_objective(network: SingleLayer, crops: Crops) -> Callable[[int], StepOutput]:
    """Mean binary cross-entropy of the pitches in the middle of windows.

    Reference: Cheuk, Agres & Herremans, IJCNN 2020, section III-B.
    """
    device, middle = network.weight.device, network.window // 2

    def objective(step: int) -> StepOutput:
        levels, targets = (values.to(device) for values in crops(step))
        logits = network.centre(levels)
        return StepOutput(binary_cross_entropy_with_logits(logits, targets[:, 0, :, middle]))

    return objective


def harmonic_objective(
    network: HarmonicCRNN, crops: Crops, augmentation: Augmentation, onset_weight: float
) -> Callable[[int], StepOutput]:
    """``10 BCE(onset) + 3 BCE(frame) + 0.5 MSE(velocity at onsets)``, onsets weighted.

    Onsets are rare, and their mean a tenth of the other's; the weights are ours.
    """
    device = network.mean.device

    def objective(step: int) -> StepOutput:
        drawn = augmentation(*crops(step), step)
        levels, targets = (values.to(device) for values in drawn)
        onset, frame, velocity = network(levels).float().unbind(dim=1)
        onsets, frames, velocities = targets.unbind(dim=1)
        weight = 1 + (onset_weight - 1) * onsets
        parts = {
            "onset": binary_cross_entropy_with_logits(onset, onsets, weight),
            "frame": binary_cross_entropy_with_logits(frame, frames),
            "velocity": _mean_square(velocity.sigmoid() - velocities, onsets),
        }
        loss = torch.stack([_WEIGHTS[name] * value for name, value in parts.items()]).sum()
        return StepOutput(loss, {name: value.detach() for name, value in parts.items()})

    return objective


def _mean_square(difference: Tensor, weight: Tensor) -> Tensor:
    total: Tensor = (weight * difference.square()).sum() / weight.sum().clamp_min(torch.tensor(1.0))
    return total
