"""From a scene of photographs to a run folder."""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from passband.atomic import write_text_atomic
from passband.errors import InputError
from passband.inr.encodings import HashGrid
from passband.recon._batches import RayBatches
from passband.recon._build import build_model
from passband.recon._model import Reconstruction
from passband.recon._objective import ReconstructionObjective
from passband.recon._pace import TRIAL_RUN, steps_in
from passband.recon._results import quick_scores, write_results
from passband.recon._run import MODEL_FILE, FittedReconstruction, save_reconstruction
from passband.recon._scene import PhotographsScene, ReconstructionTraining, dump_photographs_scene
from passband.recon._settings import PlainSettings
from passband.recon.data import (
    Hull,
    Photographs,
    evenly_spread,
    load_train_test,
    visual_hull,
)
from passband.recon.doctor import examine
from passband.training import (
    CHECKPOINT,
    Adam,
    LoopSettings,
    autocast,
    check_folder,
    choose_device,
    claim_folder,
    cosine,
    flushed_denormals,
    train,
)

SCENE_FILE, PLAN_FILE = "scene.toml", "plan.json"
HULL_RESOLUTION = 128
_DEFAULT_STEPS = 5000


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is learned from, judged by, and known beforehand."""

    train: Photographs
    test: Photographs
    hull: Hull | None

    def digest(self) -> bytes:
        content = hashlib.sha256()
        for part in (self.train, self.test):
            for image in part.images:
                content.update(image.contiguous().numpy().tobytes())
            content.update(part.cameras.to_scene.contiguous().numpy().tobytes())
            content.update(part.cameras.intrinsics.contiguous().numpy().tobytes())
        if self.hull is not None:
            content.update(self.hull.occupancy.numpy().tobytes())
        return content.digest()


def fit_photographs(
    scene: PhotographsScene, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Learn the surface of ``scene`` from its photographs and write the run to ``folder``.

    The folder gets ``scene.toml``, ``plan.json`` (the number of steps), ``metrics.json``,
    ``reconstruction.safetensors``, ``mesh.ply``, ``views/`` with the renderings of the pictures
    held out, ``report.html``, ``events.jsonl`` and the checkpoint. Killed at any moment and called
    again with ``resume``, it ends with the same bits on the CPU.

    Args:
        scene: what to learn.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds, from the start if that is nothing.

    Returns:
        The metrics, as in ``metrics.json``.

    Raises:
        InputError: the photographs, the device or the folder cannot be used.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: the loss is not finite any more.
    """
    place = choose_device(device)
    autocast(place, scene.training.precision)  # refuses 16 bits where they do not work
    text = dump_photographs_scene(scene)
    check_folder(folder, SCENE_FILE, text, resume=resume)
    problem = _load(scene)
    if scene.target.examine and not (folder / CHECKPOINT).is_file():
        _examine(problem.train)
    claim_folder(folder, SCENE_FILE, text, resume=resume)
    model = build_model(scene, problem.hull).to(place)
    with flushed_denormals():
        objective = _objectives(scene, problem, place)
        steps = _planned_steps(scene, model, objective, folder)
        fingerprint = hashlib.sha256(text.encode() + problem.digest()).hexdigest()
        result = train(
            model,
            _optimizer(model, scene),
            objective(model, steps),
            settings=_loop(scene.training, steps),
            schedule=_schedule(scene.training, steps),
            folder=folder,
            fingerprint=f"{fingerprint} {steps}",
            evaluate=lambda step: quick_scores(model, problem.test),
            resume=resume,
        )
    model.set_progress(1.0)
    model.eval()
    fitted = FittedReconstruction(
        model,
        scene,
        problem.train.to_world,
        problem.test.cameras,
        problem.test.names,
        problem.hull,
    )
    save_reconstruction(folder / MODEL_FILE, fitted)
    return write_results(folder, fitted, problem.train, problem.test, result, steps=steps)


def _load(scene: PhotographsScene) -> _Problem:
    target = scene.target
    learn, judge = load_train_test(
        target.path, every=target.held_out, max_side=target.max_side, sphere=target.sphere
    )
    if target.views is not None:
        learn = evenly_spread(learn, target.views)
    if not target.masks:
        learn = replace(learn, masks=None)
    hull = None
    if learn.masks is not None:
        hull = visual_hull(learn, HULL_RESOLUTION, dilate=1.0)
    return _Problem(learn, judge, hull)


def _examine(photographs: Photographs) -> None:
    """Say what the doctor finds, and stop where it is an error."""
    found = examine(photographs).findings
    for finding in found:
        if finding.severity == "error":
            raise InputError(f"{finding.text}. target.examine=false goes on all the same.")
        sys.stderr.write(f"{finding}\n")


def _planned_steps(
    scene: PhotographsScene,
    model: Reconstruction,
    objective: Callable[[Reconstruction, int], ReconstructionObjective],
    folder: Path,
) -> int:
    """Steps of the run; those that a time allows are found once and written down."""
    training = scene.training
    if training.seconds is None:
        return training.steps or _DEFAULT_STEPS
    file = folder / PLAN_FILE
    if file.is_file():
        return int(json.loads(file.read_text(encoding="utf-8"))["steps"])
    steps = steps_in(
        training.seconds,
        model,
        lambda trial: objective(trial, TRIAL_RUN),
        lambda trial: _optimizer(trial, scene),
    )
    write_text_atomic(file, json.dumps({"steps": steps, "seconds": training.seconds}))
    return steps


def _objectives(
    scene: PhotographsScene, problem: _Problem, device: torch.device
) -> Callable[[Reconstruction, int], ReconstructionObjective]:
    """What makes the objective of a model and a number of steps; its batches are made once."""
    plain = scene.background if isinstance(scene.background, PlainSettings) else None
    batches = RayBatches(
        problem.train,
        scene.training.rays,
        seed=scene.training.seed,
        background=None if plain is None else plain.color,
        device=device,
    )
    hull = None if problem.hull is None else problem.hull.to(device)

    def objective(model: Reconstruction, steps: int) -> ReconstructionObjective:
        return ReconstructionObjective(
            model, batches, hull, scene.losses, steps=steps, seed=scene.training.seed
        )

    return objective


def _optimizer(model: nn.Module, scene: PhotographsScene) -> Adam:
    tables = [part.table for part in model.modules() if isinstance(part, HashGrid)]
    theirs = {id(table) for table in tables}
    others = [p for p in model.parameters() if id(p) not in theirs]
    groups = [{"params": others, "lr": scene.training.lr}]
    if tables:
        groups.append({"params": tables, "lr": scene.training.grid_lr})
    return Adam(groups, betas=(0.9, 0.99), eps=1e-15, fused=True)


def _loop(training: ReconstructionTraining, steps: int) -> LoopSettings:
    count = training.evaluations
    return LoopSettings(
        steps=steps,
        precision=training.precision,
        log_every=training.log_every,
        checkpoint_seconds=training.checkpoint_seconds,
        evaluate_at=sorted({round(steps * (k + 1) / count) for k in range(count)}),
    )


def _schedule(training: ReconstructionTraining, steps: int) -> Callable[[int], float]:
    warmup = min(training.warmup, steps // 10)
    return partial(cosine, steps=steps, final=training.final, warmup=warmup)
