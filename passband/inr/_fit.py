"""From a scene to a run folder."""

import hashlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from passband.inr._field import Field
from passband.inr._initial import initial_field
from passband.inr._knob import ResolvedField, load_resolved, resolve_field, save_resolved
from passband.inr._problem import Problem, load_problem
from passband.inr._rates import parameter_groups
from passband.inr._run import FIELD_FILE, FittedField, save_field
from passband.inr._scene import Scene, Schedule, TrainingSettings, matched_knobs
from passband.inr._scene_file import dump_scene
from passband.inr.choosing import choose_field
from passband.training import (
    Adam,
    LoopResult,
    LoopSettings,
    autocast,
    check_folder,
    choose_device,
    claim_folder,
    constant,
    cosine,
    exponential,
    train,
)

SCENE_FILE = "scene.toml"


def fit(
    scene: Scene, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Fit the field of ``scene`` to its target and write the run to ``folder``.

    The folder gets ``scene.toml``, ``match.json``, ``field.safetensors``, ``metrics.json``,
    ``events.jsonl``, ``tensorboard/``, the rendering at the signal's size (of a shape, the mesh),
    ``report.html`` and the checkpoint. Killed at any moment and called again with ``resume``, it
    ends with the same bits on the CPU.

    Args:
        scene: what to fit.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds, from the start if that is nothing.

    Returns:
        The metrics, as in ``metrics.json``.

    Raises:
        InputError: the target, the device or the folder cannot be used.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: the loss is not finite any more.
    """
    place = choose_device(device)
    autocast(place, scene.training.precision)  # refuses 16 bits where they do not work
    problem = load_problem(scene)
    text = dump_scene(scene)
    check_folder(folder, SCENE_FILE, text, resume=resume)  # before what takes long
    resolved = load_resolved(folder)
    if resolved is None:
        resolved = _resolve(scene, problem, place)
    training = resolved.training or scene.training
    claim_folder(folder, SCENE_FILE, text, resume=resume)
    save_resolved(folder, resolved)
    field = initial_field(resolved.settings, problem, training.seed, winner=resolved.winner).to(
        place
    )
    result = _train(field, scene, training, resolved, problem, folder, resume=resume)
    field.set_progress(1.0)
    field.eval()
    fitted = FittedField(field, resolved.settings, problem.info)
    save_field(folder / FIELD_FILE, fitted)
    return problem.write(folder, resolved, fitted, result, steps=training.steps)


def _resolve(scene: Scene, problem: Problem, device: torch.device) -> ResolvedField:
    if scene.auto is None:
        return resolve_field(scene, problem.grid if matched_knobs(scene.field) else None)
    choice = choose_field(
        problem,
        scene.auto,
        scene.training,
        scene.matching,
        device=device,
        say=_say,
    )
    best = choice.best
    optimizer = scene.training.optimizer.model_copy(update={"lr": best.candidate.family.lr})
    training = scene.training.model_copy(update={"steps": best.steps, "optimizer": optimizer})
    return ResolvedField(
        best.candidate.settings,
        best.candidate.family.knob,
        best.candidate.value,
        training=training,
        choice=choice.to_dict(),
    )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _train(
    field: Field,
    scene: Scene,
    settings: TrainingSettings,
    resolved: ResolvedField,
    problem: Problem,
    folder: Path,
    *,
    resume: bool,
) -> LoopResult:
    adam = settings.optimizer
    # The fused kernel updates a parameter in one pass over memory instead of seven.
    optimizer = Adam(
        parameter_groups(field, adam.lr), betas=(adam.beta1, adam.beta2), eps=adam.eps, fused=True
    )
    loop = LoopSettings(
        steps=settings.steps,
        precision=settings.precision,
        clip_norm=settings.clip_norm,
        log_every=settings.log_every,
        checkpoint_seconds=settings.checkpoint_seconds,
        evaluate_at=evaluation_steps(settings),
    )
    return train(
        field,
        optimizer,
        problem.objective(field, settings),
        settings=loop,
        schedule=_schedule(settings.schedule, settings.steps),
        folder=folder,
        fingerprint=_fingerprint(scene, resolved, problem),
        evaluate=lambda step: problem.evaluate(field),
        resume=resume,
    )


def evaluation_steps(settings: TrainingSettings) -> list[int]:
    """Numbers of steps after which the whole signal is rendered: geometric, the last at the end.

    Example:
        >>> evaluation_steps(TrainingSettings(steps=100, evaluations=3))
        [1, 10, 100]
    """
    count = settings.evaluations
    first = max(1.0, settings.steps / 100)
    powers = [1.0 if count == 1 else k / (count - 1) for k in range(count)]
    return sorted({round(first * (settings.steps / first) ** power) for power in powers})


def _schedule(settings: Schedule, steps: int) -> Callable[[int], float]:
    plain = settings.model_dump(exclude={"kind"})
    kinds: dict[str, Callable[..., float]] = {
        "constant": constant,
        "cosine": cosine,
        "exponential": exponential,
    }
    return partial(kinds[settings.kind], steps=steps, **plain)


def _fingerprint(scene: Scene, resolved: ResolvedField, problem: Problem) -> str:
    digest = hashlib.sha256(dump_scene(scene).encode())
    digest.update(resolved.settings.model_dump_json().encode())
    digest.update(problem.digest())
    return digest.hexdigest()
