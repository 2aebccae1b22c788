"""One model, its optimiser and what it minimises: what takes a turn in every step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.autograd.graph import increment_version

from passband.training._device import Precision, autocast
from passband.training._replicas import Replicas


@dataclass(frozen=True)
class StepOutput:
    """What one step hands to the loop.

    Attributes:
        loss: the scalar to minimise, with its graph.
        measures: scalars to show and record, such as ``{"psnr": ...}`` in dB, without graph.
    """

    loss: Tensor
    measures: Mapping[str, Tensor] = field(default_factory=dict)


Objective = Callable[[int], StepOutput]
"""What is minimised: a function of the step number (from 0), so that a resumed run repeats it."""


@dataclass(frozen=True)
class Learner:
    """A model that learns, one update a step.

    Attributes:
        model: what is trained, on its device.
        optimizer: over the model's parameters; its ``lr`` is the schedule's unit.
        objective: loss of a step.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    objective: Objective


class Turn:
    """A learner in the loop: its gradient scaler, its base learning rates, and its update.

    Args:
        learner: what learns.
        precision: of the forward pass.
        clip_norm: largest norm of the gradient, or None.

    Example:
        >>> weight = nn.Linear(1, 1, bias=False)
        >>> sgd = torch.optim.SGD(weight.parameters(), lr=1.0)
        >>> objective = lambda step: StepOutput(weight.weight.square().sum() / 2)
        >>> _ = Turn(Learner(weight, sgd, objective), "float32", None).take(0, 1.0, Replicas())
        >>> weight.weight.item()
        0.0
    """

    def __init__(self, learner: Learner, precision: Precision, clip_norm: float | None) -> None:
        self.model, self.optimizer = learner.model, learner.optimizer
        self.objective, self.clip_norm = learner.objective, clip_norm
        self.precision: Precision = precision
        self.device = next(learner.model.parameters()).device
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "float16")
        self._base_rates = [group["lr"] for group in learner.optimizer.param_groups]

    def take(self, step: int, factor: float, replicas: Replicas) -> StepOutput:
        """Update the model by one step at ``factor`` times its learning rate."""
        for group, rate in zip(self.optimizer.param_groups, self._base_rates, strict=True):
            group["lr"] = rate * factor
        with autocast(self.device, self.precision):
            output = self.objective(step)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(output.loss).backward()
        replicas.average_gradients(self.model)
        if self.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        for parameter in self.model.parameters():
            # Fused optimisers do not; whoever keeps what it made of the weights would not notice.
            increment_version(parameter)
        return output
