"""The state of a run: everything that the next step depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from passband.errors import InputError, TrainingError
from passband.training._tensorfile import load_tensors, save_tensors


@dataclass(frozen=True)
class Checkpoint:
    """What :func:`load_checkpoint` found: the step to go on with and the caller's own data."""

    step: int
    meta: dict[str, Any]


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    *,
    step: int,
    meta: Mapping[str, Any],
) -> None:
    """Write model, optimiser and gradient scaler as they stand before step ``step``.

    ``meta`` is the caller's own JSON-able data; its ``"fingerprint"`` says what is being fitted.

    Raises:
        TrainingError: a weight is NaN or infinite; the last good file stays.
        OutputError: the file cannot be written; the last good file stays.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise TrainingError(
                f"{name} is not finite at step {step}; the last good checkpoint is kept. "
                "Lower the learning rate or set training.clip_norm."
            )
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in state.items()
        }
    state = {"step": step, "scaler": scaler.state_dict(), "meta": dict(meta)}
    save_tensors(path, tensors, state)


def load_checkpoint(
    path: Path,
    fingerprint: str,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
) -> Checkpoint:
    """Put the state in ``path`` back into ``model``, ``optimizer`` and ``scaler``.

    Raises:
        InputError: the file is not a checkpoint of this fit.
    """
    tensors, state = load_tensors(path)
    if state["meta"]["fingerprint"] != fingerprint:
        raise InputError(
            f"{path} is a checkpoint of another fit: its scene or its target differs. Resume with "
            "the scene and the file it was made with, or choose another --out."
        )
    weights = {
        name.removeprefix("model."): value
        for name, value in tensors.items()
        if name.startswith("model.")
    }
    model.load_state_dict(weights)
    _load_optimizer(optimizer, tensors)
    scaler.load_state_dict(state["scaler"])
    return Checkpoint(state["step"], state["meta"])


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    full = optimizer.state_dict()
    full["state"] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            full["state"].setdefault(int(index), {})[key] = value
    optimizer.load_state_dict(full)
