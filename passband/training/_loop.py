"""The one loop: everything that learns in Passband learns here."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from passband.errors import TrainingError
from passband.training._checkpoint import load_checkpoint, save_checkpoint
from passband.training._device import Precision
from passband.training._interrupt import InterruptGuard
from passband.training._learner import Learner, Objective, StepOutput, Turn
from passband.training._record import Record
from passband.training._replicas import Replicas

CHECKPOINT = "checkpoint.safetensors"


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
    return train_in_turns(
        {"": Learner(model, optimizer, objective)},
        settings=settings,
        schedule=schedule,
        folder=folder,
        fingerprint=fingerprint,
        evaluate=evaluate,
        resume=resume,
    )


def train_in_turns(
    learners: Mapping[str, Learner],
    *,
    settings: LoopSettings,
    schedule: Callable[[int], float],
    folder: Path,
    fingerprint: str,
    evaluate: Callable[[int], dict[str, Any]] = lambda step: {},
    resume: bool = False,
    replicas: Replicas | None = None,
) -> LoopResult:
    """`train` for several models that are updated one after the other in every step.

    Args:
        learners: what learns, by name, in the order of the turns; the loss of the last one is the
            loss of the step.
        settings: how long and how.
        schedule: factor on all learning rates at a step.
        folder: run folder, which exists.
        fingerprint: text that says what is being learned; a checkpoint with another is refused.
        evaluate: called in the main process with the number of steps done, at
            ``settings.evaluate_at``.
        resume: go on from the checkpoint in ``folder`` if there is one.
        replicas: the processes that train together; this one alone by default.

    Raises:
        TrainingError: a loss is not finite; the last good checkpoint stays.
        InputError: the checkpoint belongs to another run.
        OutputError: the folder cannot be written or the device is full.
        KeyboardInterrupt: on SIGINT or SIGTERM in any process, after the step and a checkpoint.

    Example:
        >>> import tempfile
        >>> x, y = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        >>> follow = lambda mine, aim: lambda step: StepOutput((mine.weight - aim()).square().sum())
        >>> sgd = lambda model: torch.optim.SGD(model.parameters(), lr=0.1)
        >>> result = train_in_turns(
        ...     {
        ...         "x": Learner(x, sgd(x), follow(x, lambda: 2.0)),
        ...         "y": Learner(y, sgd(y), follow(y, lambda: x.weight.detach())),
        ...     },
        ...     settings=LoopSettings(steps=60),
        ...     schedule=lambda step: 1.0,
        ...     folder=Path(tempfile.mkdtemp()),
        ...     fingerprint="example",
        ... )
        >>> round(y.weight.item(), 3)
        2.0
    """
    state = _State(learners, settings, folder / CHECKPOINT, fingerprint, replicas or Replicas())
    if resume and state.path.exists():
        state.load()
    if state.step >= settings.steps:
        return state.result()
    with (
        Record(folder, settings.steps, start=state.step, quiet=not state.replicas.main) as record,
        InterruptGuard() as interrupt,
    ):
        while state.step < settings.steps:
            outputs = state.take_step(schedule)
            done = state.step
            if done % settings.log_every == 0 or done in (1, settings.steps):
                record.write(done, state.loss_of(outputs), state.measures_of(outputs))
            if done in settings.evaluate_at and state.replicas.main:
                state.history.append({"step": done, **evaluate(done)})
            stopping = state.replicas.any(interrupt.requested)
            # Of the others' clocks none may decide: all of them must do the same.
            if stopping or done == settings.steps or (state.due() and state.replicas.main):
                state.check(outputs)
                state.save()
            if stopping:
                raise KeyboardInterrupt
    return state.result()


class _State:
    """Everything a step reads and writes, and its checkpoint."""

    def __init__(
        self,
        learners: Mapping[str, Learner],
        settings: LoopSettings,
        path: Path,
        fingerprint: str,
        replicas: Replicas,
    ) -> None:
        self.turns = {
            name: Turn(learner, settings.precision, settings.clip_norm)
            for name, learner in learners.items()
        }
        self.settings, self.replicas = settings, replicas
        self.path, self.fingerprint = path, fingerprint
        self.step, self.loss = 0, math.nan
        self.history: list[dict[str, Any]] = []
        self._seconds_before = 0.0
        self._began = self._saved = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._began

    def take_step(self, schedule: Callable[[int], float]) -> list[StepOutput]:
        factor = schedule(self.step)
        outputs = [turn.take(self.step, factor, self.replicas) for turn in self.turns.values()]
        self.step += 1
        return outputs

    def loss_of(self, outputs: Sequence[StepOutput]) -> float:
        """The step's loss in all processes together, checked."""
        means = [StepOutput(self.replicas.mean(output.loss.detach())) for output in outputs]
        self.check(means)
        self.loss = means[-1].loss.item()
        return self.loss

    def measures_of(self, outputs: Sequence[StepOutput]) -> dict[str, float]:
        return {
            name: self.replicas.mean(value).item()
            for output in outputs
            for name, value in output.measures.items()
        }

    def check(self, outputs: Sequence[StepOutput]) -> None:
        for output in outputs:
            loss = output.loss.item()
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} at step {self.step}; the last good checkpoint is "
                    f"kept in {self.path.parent}. Lower the learning rate in [training]."
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
        if self.replicas.main:
            save_checkpoint(self.path, self.turns, step=self.step, meta=meta)
        self._saved = time.perf_counter()

    def load(self) -> None:
        checkpoint = load_checkpoint(self.path, self.fingerprint, self.turns)
        self.step, self.loss = checkpoint.step, checkpoint.meta["loss"]
        self.history = checkpoint.meta["history"]
        self._seconds_before = checkpoint.meta["seconds"]

    def result(self) -> LoopResult:
        return LoopResult(self.loss, self.seconds, self.history)
