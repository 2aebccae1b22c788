"""The one loop: everything that learns in Passband learns here."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from passband.errors import TrainingError
from passband.training._checkpoint import load_checkpoint, save_checkpoint
from passband.training._device import Precision, autocast
from passband.training._events import EventLog
from passband.training._interrupt import InterruptGuard
from passband.training._progress import ProgressReporter

CHECKPOINT = "checkpoint.safetensors"


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
class LoopSettings:
    """How long and how to train.

    Attributes:
        steps: steps in all.
        precision: of the forward pass; 16 bits need CUDA.
        clip_norm: largest norm of the gradient, or None.
        log_every: steps between lines of the record.
        checkpoint_seconds: seconds between checkpoints.
        evaluate_at: numbers of steps done after which the evaluation runs.
    """

    steps: int
    precision: Precision = "float32"
    clip_norm: float | None = None
    log_every: int = 10
    checkpoint_seconds: float = 10.0
    evaluate_at: Sequence[int] = ()


@dataclass(frozen=True)
class LoopResult:
    """How a run ended.

    Attributes:
        loss: loss of the last step.
        seconds: time in the loop, evaluations included, over all its sittings.
        history: what each evaluation returned, in order.
    """

    loss: float
    seconds: float
    history: list[dict[str, Any]]


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    *,
    settings: LoopSettings,
    schedule: Callable[[int], float],
    folder: Path,
    fingerprint: str,
    evaluate: Callable[[int], dict[str, Any]] = lambda step: {},
    resume: bool = False,
) -> LoopResult:
    """Minimise ``objective`` over the parameters of ``model``, exactly resumable.

    Every source of chance is a function of the step number, the state is written atomically to
    ``folder/checkpoint.safetensors``, and a run killed at any moment and resumed ends, on the CPU,
    with the same bits as one that was not.

    Args:
        model: what is trained, on its device.
        optimizer: over the model's parameters; its ``lr`` is the schedule's unit.
        objective: loss of a step.
        settings: how long and how.
        schedule: factor on the learning rate at a step.
        folder: run folder, which exists.
        fingerprint: text that says what is being fitted; a checkpoint with another is refused.
        evaluate: called with the number of steps done at ``settings.evaluate_at``.
        resume: go on from the checkpoint in ``folder`` if there is one.

    Raises:
        TrainingError: the loss is not finite; the last good checkpoint stays.
        InputError: the checkpoint belongs to another fit.
        OutputError: the folder cannot be written or the device is full.
        KeyboardInterrupt: on SIGINT or SIGTERM, after the step and a checkpoint.

    Example:
        >>> import tempfile
        >>> weight = nn.Linear(1, 1, bias=False)
        >>> result = train(
        ...     weight,
        ...     torch.optim.SGD(weight.parameters(), lr=0.1),
        ...     lambda step: StepOutput((weight.weight - 2.0).square().sum()),
        ...     settings=LoopSettings(steps=50),
        ...     schedule=lambda step: 1.0,
        ...     folder=Path(tempfile.mkdtemp()),
        ...     fingerprint="example",
        ... )
        >>> round(weight.weight.item(), 3)
        2.0
    """
    state = _State(model, optimizer, settings, folder / CHECKPOINT, fingerprint)
    if resume and state.path.exists():
        state.load()
    if state.step >= settings.steps:
        return state.result()
    with (
        EventLog(folder, step=state.step) as events,
        ProgressReporter(settings.steps, start=state.step) as progress,
        InterruptGuard() as interrupt,
    ):
        while state.step < settings.steps:
            output = state.take_step(objective, schedule)
            done = state.step
            if done % settings.log_every == 0 or done in (1, settings.steps):
                measures = {name: value.item() for name, value in output.measures.items()}
                state.check_loss(output.loss)
                events.write(done - 1, loss=state.loss, **measures)
                progress.update(done, loss=state.loss, measures=measures)
            if done in settings.evaluate_at:
                state.history.append({"step": done, **evaluate(done)})
            if state.due() or interrupt.requested or done == settings.steps:
                state.check_loss(output.loss)
                state.save()
            if interrupt.requested:
                raise KeyboardInterrupt
    return state.result()


class _State:
    """Everything a step reads and writes, and its checkpoint."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        settings: LoopSettings,
        path: Path,
        fingerprint: str,
    ) -> None:
        self.model, self.optimizer, self.settings = model, optimizer, settings
        self.path, self.fingerprint = path, fingerprint
        self.device = next(model.parameters()).device
        self.scaler = torch.amp.GradScaler(
            self.device.type, enabled=settings.precision == "float16"
        )
        self.base_rates = [group["lr"] for group in optimizer.param_groups]
        self.step, self.loss = 0, math.nan
        self.history: list[dict[str, Any]] = []
        self._seconds_before = 0.0
        self._began = self._saved = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._began

    def take_step(self, objective: Objective, schedule: Callable[[int], float]) -> StepOutput:
        factor = schedule(self.step)
        for group, rate in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = rate * factor
        with autocast(self.device, self.settings.precision):
            output = objective(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(output.loss).backward()
        if self.settings.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        return output

    def check_loss(self, loss: Tensor) -> None:
        self.loss = loss.item()
        if not math.isfinite(self.loss):
            raise TrainingError(
                f"the loss is {self.loss} at step {self.step}; the last good checkpoint is kept in "
                f"{self.path.parent}. Lower training.optimizer.lr or set training.clip_norm."
            )

    def due(self) -> bool:
        return time.perf_counter() - self._saved >= self.settings.checkpoint_seconds

    def save(self) -> None:
        meta = {
            "fingerprint": self.fingerprint,
            "loss": self.loss,
            "seconds": self.seconds,
            "history": self.history,
        }
        save_checkpoint(
            self.path, self.model, self.optimizer, self.scaler, step=self.step, meta=meta
        )
        self._saved = time.perf_counter()

    def load(self) -> None:
        checkpoint = load_checkpoint(
            self.path, self.fingerprint, self.model, self.optimizer, self.scaler
        )
        self.step, self.loss = checkpoint.step, checkpoint.meta["loss"]
        self.history = checkpoint.meta["history"]
        self._seconds_before = checkpoint.meta["seconds"]

    def result(self) -> LoopResult:
        return LoopResult(self.loss, self.seconds, self.history)
