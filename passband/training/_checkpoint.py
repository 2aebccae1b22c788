"""The state of a run: everything that the next step depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from passband.errors import InputError, TrainingError
from passband.training._tensorfile import load_tensors, save_tensors


@dataclass(frozen=True)
class Checkpoint:
    """What :func:`load_checkpoint` found: the step to go on with and the caller's own data."""

    step: int
    meta: dict[str, Any]


@runtime_checkable
class Trained(Protocol):
    """What has a state to keep: a model, its optimiser and its gradient scaler."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler


def save_checkpoint(
    path: Path, parts: Mapping[str, Trained], *, step: int, meta: Mapping[str, Any]
) -> None:
    """Write models, optimisers and gradient scalers as they stand before step ``step``.

    Args:
        path: the file.
        parts: what is trained, by name; the name of a model that learns alone may be empty.
        step: the step to go on with.
        meta: the caller's own JSON-able data; its ``"fingerprint"`` says what is being fitted.

    Raises:
        TrainingError: a weight is NaN or infinite; the last good file stays.
        OutputError: the file cannot be written; the last good file stays.
    """
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {"step": step, "meta": dict(meta)}
    for name, part in parts.items():
        weights = {f"{_prefix(name)}model.{key}": x for key, x in part.model.state_dict().items()}
        _require_finite(weights, step)
        tensors |= weights
        for index, state in part.optimizer.state_dict()["state"].items():
            tensors |= {
                f"{_prefix(name)}optimizer.{index}.{key}": torch.as_tensor(value)
                for key, value in state.items()
            }
        plain[f"{_prefix(name)}scaler"] = part.scaler.state_dict()
    save_tensors(path, tensors, plain)


def load_checkpoint(path: Path, fingerprint: str, parts: Mapping[str, Trained]) -> Checkpoint:
    """Put the state in ``path`` back into ``parts``.

    Raises:
        InputError: the file is not a checkpoint of this fit.
    """
    tensors, state = load_tensors(path)
    if state["meta"]["fingerprint"] != fingerprint:
        raise InputError(
            f"{path} is a checkpoint of another fit: its scene or its target differs. Resume with "
            "the scene and the file it was made with, or choose another --out."
        )
    for name, part in parts.items():
        part.model.load_state_dict(_under(f"{_prefix(name)}model.", tensors))
        _load_optimizer(part.optimizer, _under(f"{_prefix(name)}optimizer.", tensors))
        part.scaler.load_state_dict(state[f"{_prefix(name)}scaler"])
    return Checkpoint(state["step"], state["meta"])


def _prefix(name: str) -> str:
    return f"{name}." if name else ""


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _require_finite(weights: Mapping[str, Tensor], step: int) -> None:
    for name, value in weights.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise TrainingError(
                f"{name} is not finite at step {step}; the last good checkpoint is kept. "
                "Lower the learning rate or set training.clip_norm."
            )


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    full = optimizer.state_dict()
    full["state"] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        full["state"].setdefault(int(index), {})[key] = value
    optimizer.load_state_dict(full)
