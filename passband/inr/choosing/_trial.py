"""Short fits, to see how a candidate takes to a signal."""

import copy
import math
import time

import torch

from passband.inr._field import Field
from passband.inr._initial import initial_field
from passband.inr._problem import Problem
from passband.inr._rates import parameter_groups
from passband.inr._scene import TrainingSettings
from passband.inr.choosing._candidate import Candidate
from passband.training import Adam, Objective, cosine

_TIMED = 3
_LAST_RATE = 0.01  # of the learning rate, at the end of a trial


def fit_candidate(
    problem: Problem,
    candidate: Candidate,
    training: TrainingSettings,
    *,
    steps: int,
    device: torch.device,
    start: Field | None = None,
) -> Field | None:
    """The field of ``candidate`` after a whole run of ``steps``, its rate's decline included.

    Nothing is written: a run that is worth keeping is one of :func:`passband.inr.fit`.

    Args:
        problem: the signal.
        candidate: what to fit.
        training: batch size, seed and loss; its steps and rate are not used.
        steps: length of the run.
        device: where to.
        start: the field before training, which is left as it is; made where not given.

    Returns:
        The field, or None where the loss is not finite.
    """
    field = _own(start, problem, candidate, training).to(device)
    optimizer = _optimizer(field, candidate, training)
    rates = [group["lr"] for group in optimizer.param_groups]
    objective = problem.objective(field, training.model_copy(update={"steps": steps}))
    for step in range(steps):
        factor = cosine(step, steps, final=_LAST_RATE)
        for group, base in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = base * factor
        if not _stepped(objective, optimizer, step):
            return None
    field.set_progress(1.0)
    return field.eval()


def trial(
    problem: Problem,
    candidate: Candidate,
    training: TrainingSettings,
    *,
    steps: int,
    device: torch.device,
    start: Field | None = None,
) -> float:
    """Score in dB of what :func:`fit_candidate` gives; minus infinity where it diverges."""
    field = fit_candidate(problem, candidate, training, steps=steps, device=device, start=start)
    return -math.inf if field is None else problem.score(field)


def step_seconds(
    problem: Problem,
    candidate: Candidate,
    training: TrainingSettings,
    *,
    device: torch.device,
    start: Field | None = None,
) -> float:
    """Seconds that one of the last steps of ``candidate`` takes, when all its levels are open.

    The shortest of three after a first.
    """
    field = _own(start, problem, candidate, training).to(device)
    optimizer = _optimizer(field, candidate, training)
    objective = problem.objective(field, training)
    seconds = []
    first = max(0, training.steps - 1 - _TIMED)
    for step in range(first, first + 1 + _TIMED):
        began = time.perf_counter()
        _stepped(objective, optimizer, step)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - began)
    return max(min(seconds[1:]), 1e-6)  # the first compiles and fills caches


def _own(
    start: Field | None, problem: Problem, candidate: Candidate, training: TrainingSettings
) -> Field:
    if start is None:
        return initial_field(candidate.settings, problem, training.seed)
    return copy.deepcopy(start)


def _optimizer(field: Field, candidate: Candidate, training: TrainingSettings) -> Adam:
    adam = training.optimizer
    groups = parameter_groups(field, candidate.family.lr)
    return Adam(groups, betas=(adam.beta1, adam.beta2), eps=adam.eps, fused=True)


def _stepped(objective: Objective, optimizer: Adam, step: int) -> bool:
    """Take the step, unless its loss is not finite."""
    loss = objective(step).loss
    if not bool(loss.isfinite()):
        return False
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return True
