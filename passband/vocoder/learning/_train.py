"""From a recipe to a trained vocoder in a run folder."""

import hashlib
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from passband.atomic import write_text_atomic
from passband.errors import InputError
from passband.signal.tasks import Recordings, find_audio, hold_out
from passband.training import (
    Learner,
    LoopResult,
    LoopSettings,
    Replicas,
    autocast,
    choose_device,
    claim_folder,
    cosine,
    derive_seed,
    join_replicas,
    train_in_turns,
)
from passband.vocoder._vocos import Vocos
from passband.vocoder.learning._adversary import Adversary
from passband.vocoder.learning._ahead import Ahead
from passband.vocoder.learning._clips import Clips
from passband.vocoder.learning._evaluation import HeldOut, load_held_out, score
from passband.vocoder.learning._recipe import OptimizerSettings, Recipe, TrainingSettings
from passband.vocoder.learning._recipe_file import dump_recipe
from passband.vocoder.learning._results import copy_synthesis, write_results

RECIPE_FILE = "recipe.toml"
MODEL_FOLDER = "model"
_WEIGHTS = 100  # stream of the initial weights


@dataclass(frozen=True)
class Split:
    """Sound files to learn from and those held out."""

    learned: list[Path]
    held_out: list[Path]

    @property
    def digest(self) -> str:
        """Of their names and sizes: a run resumed on other files would be another run."""
        lines = [
            f"{name} {path} {path.stat().st_size}\n"
            for name, paths in (("learned", self.learned), ("held out", self.held_out))
            for path in paths
        ]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def train_vocoder(
    recipe: Recipe, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Train the vocoder of ``recipe`` and write the run to ``folder``.

    The folder gets ``recipe.toml``, ``model/`` (for `Vocos.from_pretrained`), ``metrics.json``,
    ``events.jsonl``, ``tensorboard/``, ``samples/`` with held-out clips as recorded and as made,
    ``report.html`` and the checkpoint. Killed at any moment and called again with ``resume``, it
    ends with the same bits on the CPU. Started by ``accelerate launch`` or ``torchrun`` in several
    processes, each learns from its share of every batch.

    Args:
        recipe: what to train, on what, and how.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds, from the start if that is nothing.

    Returns:
        The metrics, as in ``metrics.json``; of a process that is not the main one, nothing.

    Raises:
        InputError: the data, the device or the folder cannot be used.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: a loss is not finite any more.
    """
    replicas, name = join_replicas(device)
    place = choose_device(name)
    autocast(place, recipe.training.precision)  # refuses 16 bits where they do not work
    split = split_files(recipe)
    vocoder, judges = build(recipe)
    if replicas.main:
        claim_folder(folder, RECIPE_FILE, dump_recipe(recipe), resume=resume)
    replicas.wait()
    vocoder.to(place).train()
    judges.to(place)
    recordings = _recordings(split.learned, vocoder, recipe, replicas)
    held = _recordings(split.held_out, vocoder, recipe, replicas)
    held_out = load_held_out(held, seconds=recipe.data.held_out_seconds)
    result = _train(recipe, vocoder, judges, recordings, held_out, split, folder, replicas, resume)
    if not replicas.main:
        return {}
    vocoder.eval()
    vocoder.save_pretrained(folder / MODEL_FOLDER)
    metrics = write_results(folder, recipe, vocoder, held_out, result)
    metrics |= {
        "device": str(place),
        "processes": replicas.count,
        "files": len(split.learned),
        "left_out": {str(path): why for path, why in (recordings.faults | held.faults).items()},
    }
    write_text_atomic(folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    return metrics


def split_files(recipe: Recipe) -> Split:
    """The sound files of ``recipe``, those held out apart.

    Raises:
        InputError: no folder, no sound files in it, or none left to learn from.
    """
    data = recipe.data
    if not data.folder:
        raise InputError("`data.folder` must name a folder of sound files. Pass --data DIR.")
    found = find_audio(Path(data.folder))
    if data.held_out_folder is None:
        return Split(*hold_out(found, data.held_out, seed=data.split_seed))
    held_out = find_audio(Path(data.held_out_folder))
    apart = {path.resolve() for path in held_out}
    learned = [path for path in found if path.resolve() not in apart]
    if not learned:
        raise InputError(
            f"`data.held_out_folder` (={data.held_out_folder}) holds all files of `data.folder`. "
            "Name a part of them, or another folder."
        )
    return Split(learned, held_out)


def build(recipe: Recipe) -> tuple[Vocos, nn.ModuleDict]:
    """The untrained vocoder and its discriminators, drawn by the recipe's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(recipe.training.seed, _WEIGHTS))
        vocoder = Vocos(recipe.model)
        judges = recipe.discriminators.build(vocoder.sample_rate, recipe.conditions)
    return vocoder, judges


def _recordings(
    files: list[Path], vocoder: Vocos, recipe: Recipe, replicas: Replicas
) -> Recordings:
    def say(line: str) -> None:
        if replicas.main:
            sys.stderr.write(f"{line}\n")

    room = recipe.data.cache_megabytes * 2**20
    return Recordings(files, vocoder.sample_rate, cache_bytes=room, report=say)


def _train(
    recipe: Recipe,
    vocoder: Vocos,
    judges: nn.ModuleDict,
    recordings: Recordings,
    held_out: HeldOut,
    split: Split,
    folder: Path,
    replicas: Replicas,
    resume: bool,
) -> LoopResult:
    settings = recipe.training
    clips = Clips(
        recordings,
        samples=recipe.data.samples,
        batch_size=recipe.data.batch_size,
        seed=settings.seed,
        gain_db=recipe.data.gain_db,
        process=replicas.index,
        processes=replicas.count,
    )
    with Ahead(clips, recipe.data.workers) as batches:
        adversary = Adversary(
            vocoder,
            judges,
            recipe.discriminators.weights(),
            recipe.losses,
            batches,
            conditions=recipe.conditions,
            seed=settings.seed,
        )
        learners = {"vocoder": _learner(vocoder, settings.optimizer, adversary.generate)}
        if len(judges):
            judging = _learner(judges, settings.optimizer, adversary.judge)
            learners = {"discriminators": judging, **learners}

        mel = recipe.losses.mel_loss(vocoder.sample_rate)

        def evaluate(step: int) -> dict[str, Any]:
            vocoder.eval()
            scores = score(copy_synthesis(vocoder), held_out, mel)
            vocoder.train()
            return dict(scores.means)

        return train_in_turns(
            learners,
            settings=_loop_settings(settings),
            schedule=partial(cosine, steps=settings.steps, final=0.0, warmup=settings.warmup),
            folder=folder,
            fingerprint=hashlib.sha256(f"{dump_recipe(recipe)}{split.digest}".encode()).hexdigest(),
            evaluate=evaluate,
            resume=resume,
            replicas=replicas,
        )


def _learner(model: nn.Module, settings: OptimizerSettings, objective: Any) -> Learner:
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        learned,
        lr=settings.lr,
        betas=(settings.beta1, settings.beta2),
        weight_decay=settings.weight_decay,
        fused=True,
    )
    return Learner(model, optimizer, objective)


def _loop_settings(settings: TrainingSettings) -> LoopSettings:
    count = settings.evaluations
    return LoopSettings(
        steps=settings.steps,
        precision=settings.precision,
        clip_norm=settings.clip_norm,
        log_every=settings.log_every,
        checkpoint_seconds=settings.checkpoint_seconds,
        evaluate_at=sorted({max(1, settings.steps * k // count) for k in range(1, count + 1)}),
    )
