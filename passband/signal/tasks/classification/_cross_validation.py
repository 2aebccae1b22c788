"""Every fold held out in turn."""

import statistics
from pathlib import Path
from typing import Any

import torch
from torch import nn

from passband.atomic import write_json_atomic
from passband.errors import InputError
from passband.signal.tasks import RECIPE_FILE
from passband.signal.tasks.classification._classifier import Classifier, save_classifier
from passband.signal.tasks.classification._clips import read_clips
from passband.signal.tasks.classification._evaluation import merged
from passband.signal.tasks.classification._features import ClipFeatures, read_features
from passband.signal.tasks.classification._recipe import ClassifierRecipe
from passband.signal.tasks.classification._report import write_report
from passband.signal.tasks.classification._train import Trained, measures, train_fold, train_one
from passband.training import choose_device, claim_folder, read_events
from passband.training.recipes import dump_settings


def train_classifier(
    recipe: ClassifierRecipe, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Train the classifier of ``recipe``, or with ``data.held_out = "all"`` one for each fold.

    The folder gets ``recipe.toml``, ``model.safetensors`` (for `load_classifier`),
    ``metrics.json``, ``events.jsonl``, ``report.html`` and the checkpoint. Killed at any moment and
    called again with ``resume``, it ends with the same bits on the CPU.

    Args:
        recipe: what to train, on what, and how.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds, from the start if that is nothing.

    Returns:
        The metrics, as in ``metrics.json``.

    Raises:
        InputError: the data, the device or the folder cannot be used.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: the loss is not finite any more.
    """
    run = cross_validate if recipe.data.held_out == "all" else train_one
    return run(recipe, folder, device=device, resume=resume)


def cross_validate(
    recipe: ClassifierRecipe, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Train with each fold held out in turn, and judge every clip by the network that lacks it.

    ``fold1/``, ``fold2/``, ... are runs of their own; a fold that has ended is not trained again.
    The model of the whole run is the mean of the folds' networks, for clips that none has heard.

    Args:
        recipe: as for `train_classifier`; ``data.held_out`` is not used.
        folder: as there.
        device: as there.
        resume: as there.

    Returns:
        The metrics: ``accuracy_mean`` and ``accuracy_std`` (n - 1) over the folds, ``folds``,
        ``accuracy`` of all clips, ``confusion`` (rows are the classes they are of), ``recall`` ...

    Raises:
        InputError: the data, the device or the folder cannot be used, or there is one fold only.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: the loss is not finite any more.

    Reference: Piczak, ESC: dataset for environmental sound classification, ACM Multimedia, 2015
    (the folds and the mean over them).
    """
    place = choose_device(device)
    data = read_features(recipe, read_clips(recipe.data))
    numbers = sorted(set(data.clips.folds))
    if len(numbers) < 2:
        raise InputError(
            f"`data.folder` (={recipe.data.folder}) has one fold only; there must be several. "
            "Correct the column fold of its table, or leave it out."
        )
    claim_folder(folder, RECIPE_FILE, dump_settings(recipe), resume=resume)
    folds = [
        train_fold(
            held_out(recipe, number), data, folder / f"fold{number}", device=place, resume=resume
        )
        for number in numbers
    ]
    return _write(recipe, folder, data, folds)


def held_out(recipe: ClassifierRecipe, fold: int) -> ClassifierRecipe:
    """The recipe with this fold held out."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"held_out": fold})})


def _write(
    recipe: ClassifierRecipe, folder: Path, data: ClipFeatures, folds: list[Trained]
) -> dict[str, Any]:
    together = Classifier(recipe, data.clips.classes, len(folds))
    together.members = nn.ModuleList(fold.classifier.members[0] for fold in folds)
    save_classifier(folder, together)
    judgement = merged([fold.judgement for fold in folds])
    rows = [
        {
            "fold": fold.metrics["fold"],
            "accuracy": fold.metrics["accuracy"],
            "clips": len(fold.judgement.names),
            "seconds": fold.metrics["seconds"],
        }
        for fold in folds
    ]
    accuracies = [row["accuracy"] for row in rows]
    metrics = measures(together, judgement, data) | {
        "accuracy_mean": statistics.mean(accuracies),
        "accuracy_std": statistics.stdev(accuracies),
        "folds": rows,
        "steps": recipe.training.steps,
        "seconds": sum(row["seconds"] for row in rows),
        "threads": torch.get_num_threads(),
    }
    names = [f"fold{row['fold']}" for row in rows]
    events = {name: read_events(folder / name) for name in names}
    histories = {n: fold.metrics["history"] for n, fold in zip(names, folds, strict=True)}
    seconds = recipe.data.seconds
    write_report(folder, metrics, data, judgement, events, histories, seconds=seconds)
    write_json_atomic(folder / "metrics.json", metrics)
    return metrics
