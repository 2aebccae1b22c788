"""From a scene to a run folder."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from passband.atomic import TEMPORARY_FILES, write_text_atomic
from passband.errors import InputError, OutputError
from passband.inr._field import Field, build_field
from passband.inr._knob import ResolvedField, load_resolved, resolve_field, save_resolved
from passband.inr._objective import GridObjective
from passband.inr._rates import parameter_groups
from passband.inr._results import evaluate, write_results
from passband.inr._run import FIELD_FILE, FittedField, save_field
from passband.inr._scene import AudioScene, ImageScene, Schedule, TrainingSettings
from passband.inr._scene_file import dump_scene
from passband.inr.matching import add_winner_noise
from passband.inr.networks import Siren
from passband.inr.targets import GridTarget, audio_target, image_target
from passband.training import (
    Adam,
    LoopResult,
    LoopSettings,
    autocast,
    choose_device,
    constant,
    cosine,
    exponential,
    make_generator,
    train,
)

SCENE_FILE = "scene.toml"
_STREAM = 4  # of the initial weights


def load_target(scene: ImageScene | AudioScene) -> GridTarget:
    """Read the signal that ``scene`` names.

    Raises:
        InputError: it cannot be read or is too small.
    """
    if isinstance(scene, ImageScene):
        return image_target(scene.target.path, max_samples=scene.target.max_samples)
    return audio_target(
        scene.target.path,
        start=scene.target.start,
        duration=scene.target.duration,
        max_samples=scene.target.max_samples,
    )


def fit(
    scene: ImageScene | AudioScene, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Fit the field of ``scene`` to its target and write the run to ``folder``.

    The folder gets ``scene.toml``, ``match.json``, ``field.safetensors``, ``metrics.json``,
    ``events.jsonl``, ``tensorboard/``, the rendering at the signal's size, ``report.html`` and the
    checkpoint. Killed at any moment and called again with ``resume``, it ends with the same bits
    on the CPU.

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
    target = load_target(scene)
    check_folder(folder, scene, resume=resume)
    resolved = load_resolved(folder)
    if resolved is None:
        resolved = resolve_field(scene, target)
    prepare_folder(folder, scene, resolved)
    field = _initial_field(resolved, target, scene.training.seed).to(place)
    result = _train(field, scene, resolved, target, folder, resume=resume)
    fitted = FittedField(field, resolved.settings, target.info)
    save_field(folder / FIELD_FILE, fitted)
    return write_results(folder, scene, resolved, fitted, target, result)


def check_folder(folder: Path, scene: ImageScene | AudioScene, *, resume: bool) -> None:
    """Make sure that ``folder`` is free for ``scene``, or already its own; write nothing.

    Raises:
        InputError: the folder is in use, or by another scene.
        OutputError: it cannot be looked into.
    """
    try:
        entries = list(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise _unusable(folder, error) from error
    # Names that start with a dot are temporary files of a run that was killed.
    if all(entry.name.startswith(".") for entry in entries):
        return
    if not resume:
        raise InputError(
            f"{folder} is not empty. Pass --resume to go on with it, or another --out."
        )
    file = folder / SCENE_FILE
    if not file.is_file():
        raise InputError(f"{folder} holds other things than a run. Choose another --out.")
    if file.read_text(encoding="utf-8") != dump_scene(scene):
        raise InputError(
            f"{folder} is the run of another scene (its {SCENE_FILE} differs from this one). "
            "Resume with the scene and settings it was made with, or choose another --out."
        )


def prepare_folder(folder: Path, scene: ImageScene | AudioScene, resolved: ResolvedField) -> None:
    """Make ``folder``, rid it of what a kill left half-written, and write scene and knob.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(TEMPORARY_FILES):
            leftover.unlink()
    except OSError as error:
        raise _unusable(folder, error) from error
    write_text_atomic(folder / SCENE_FILE, dump_scene(scene))
    save_resolved(folder, resolved)


def _unusable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{folder} cannot be made a run folder: {error.strerror}. Choose another with --out."
    )


def _initial_field(resolved: ResolvedField, target: GridTarget, seed: int) -> Field:
    """The field before training, drawn on the CPU so that every device starts alike."""
    generator = make_generator(seed, _STREAM)
    info = target.info
    field = build_field(resolved.settings, len(info.size), info.channels, generator=generator)
    if resolved.winner is not None and isinstance(field.network, Siren):
        add_winner_noise(field.network, resolved.winner, generator=generator)
    return field


def _train(
    field: Field,
    scene: ImageScene | AudioScene,
    resolved: ResolvedField,
    target: GridTarget,
    folder: Path,
    *,
    resume: bool,
) -> LoopResult:
    settings = scene.training
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
        GridObjective(field, target, settings),
        settings=loop,
        schedule=_schedule(settings.schedule, settings.steps),
        folder=folder,
        fingerprint=_fingerprint(scene, resolved, target),
        evaluate=lambda step: evaluate(field, target),
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


def _fingerprint(
    scene: ImageScene | AudioScene, resolved: ResolvedField, target: GridTarget
) -> str:
    digest = hashlib.sha256(dump_scene(scene).encode())
    digest.update(resolved.settings.model_dump_json().encode())
    digest.update(target.signal.contiguous().numpy().tobytes())
    return digest.hexdigest()
