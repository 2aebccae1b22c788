"""Short fits, to see how a candidate takes to a signal."""

import time

import torch

from passband.inr._field import Field
from passband.inr._initial import initial_field
from passband.inr._problem import Problem
from passband.inr._rates import parameter_groups
from passband.inr._scene import TrainingSettings
from passband.inr.choosing._candidate import Candidate
from passband.training import Adam, cosine

_TIMED = 3
_LAST_RATE = 0.01  # of the learning rate, at the end of a trial


def fit_candidate(
    problem: Problem,
    candidate: Candidate,
    training: TrainingSettings,
    *,
    steps: int,
    device: torch.device,
) -> Field | None:
    """The field of ``candidate`` after a whole run of ``steps``, its rate's decline included.

    Nothing is written: a run that is worth keeping is one of :func:`passband.inr.fit`.

    Args:
        problem: the signal.
        candidate: what to fit.
        training: batch size, seed and loss; its steps and rate are not used.
        steps: length of the run.
        device: where to.

    Returns:
        The field, or None where the loss is not finite.
    """
    field = initial_field(candidate.settings, problem, training.seed).to(device)
    adam = training.optimizer
    optimizer = Adam(
        parameter_groups(field, candidate.family.lr),
        betas=(adam.beta1, adam.beta2),
        eps=adam.eps,
        fused=True,
    )
    rates = [group["lr"] for group in optimizer.param_groups]
    objective = problem.objective(field, training.model_copy(update={"steps": steps}))
    for step in range(steps):
        factor = cosine(step, steps, final=_LAST_RATE)
        for group, base in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = base * factor
        loss = objective(step).loss
        if not bool(loss.isfinite()):
            return None
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    field.set_progress(1.0)
    return field.eval()


def trial(
    problem: Problem,
    candidate: Candidate,
    training: TrainingSettings,
    *,
    steps: int,
    device: torch.device,
) -> float:
    """Score in dB of what :func:`fit_candidate` gives; minus infinity where it diverges."""
    field = fit_candidate(problem, candidate, training, steps=steps, device=device)
    return float("-inf") if field is None else problem.score(field)


def step_seconds(
    problem: Problem, candidate: Candidate, training: TrainingSettings, *, device: torch.device
) -> float:
    """Seconds that one step of ``candidate`` takes, what happens once at the start left out."""
    trial(problem, candidate, training, steps=1, device=device)
    began = time.perf_counter()
    trial(problem, candidate, training, steps=1, device=device)
    once = time.perf_counter() - began
    began = time.perf_counter()
    trial(problem, candidate, training, steps=1 + _TIMED, device=device)
    return max((time.perf_counter() - began - once) / _TIMED, 1e-6)
