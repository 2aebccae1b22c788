"""How many steps a time allows."""

import copy
import time
from collections.abc import Callable
from statistics import median

import torch

from passband.recon._model import Reconstruction
from passband.training import Objective

_TRIAL, _DISCARDED = 24, 6
TRIAL_RUN = 1000
"""Steps of the run that a trial pretends to be part of."""
_KEPT_BACK = 0.2  # evaluations and checkpoints, and a trained surface's slower steps


def steps_in(
    seconds: float,
    model: Reconstruction,
    objective: Callable[[Reconstruction], Objective],
    optimizer: Callable[[Reconstruction], torch.optim.Optimizer],
) -> int:
    """Steps that fit into ``seconds`` at the pace of a short trial on a copy of ``model``.

    The trial takes steps from the middle of a run, on an untrained surface. That is not exact: a
    fifth of the time is kept back for what comes to more.

    Args:
        seconds: for all of the run.
        model: on its device; not changed.
        objective: makes the loss of a model for a run of `TRIAL_RUN` steps.
        optimizer: makes the optimiser of a model.
    """
    trial = copy.deepcopy(model)
    loss_of, updates = objective(trial), optimizer(trial)
    times = []
    for step in range(TRIAL_RUN // 2, TRIAL_RUN // 2 + _TRIAL):
        began = time.perf_counter()
        loss = loss_of(step).loss
        updates.zero_grad(set_to_none=True)
        loss.backward()
        updates.step()
        if loss.device.type == "cuda":
            torch.cuda.synchronize(loss.device)
        times.append(time.perf_counter() - began)
    return max(1, int((1 - _KEPT_BACK) * seconds / median(times[_DISCARDED:])))
