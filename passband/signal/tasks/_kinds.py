"""What ``passband train`` can learn on spectrograms, by the ``kind`` of the recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from passband.errors import InputError
from passband.training.recipes import load_settings


@dataclass(frozen=True)
class Task:
    """Where a task's recipe and training stand, and which of its measures a person asks for first.

    Attributes:
        room: module below `passband.signal.tasks`.
        recipe: name of its recipe's class.
        train: name of its training's function.
        headline: keys of the metrics, dots for tables in them, with the words to print.
    """

    room: str
    recipe: str
    train: str
    headline: tuple[tuple[str, str], ...]


TASKS = {
    "classifier": Task(
        "classification", "ClassifierRecipe", "train_classifier", (("accuracy", "accuracy"),)
    ),
    "transcriber": Task(
        "transcription", "TranscriberRecipe", "train_transcriber", (("note_f1", "note-onset F1"),)
    ),
    "denoiser": Task(
        "denoising", "DenoiserRecipe", "train_denoiser", (("snr_gain", "median SNR gain (dB)"),)
    ),
    "enhancer": Task(
        "enhancement.learning", "EnhancerRecipe", "train_enhancer",
        (("si_snr_gain", "SI-SNR gain (dB)"),),
    ),
    "embedder": Task(
        "similarity", "EmbedderRecipe", "train_embedder", (("first_neighbour", "found first"),)
    ),
}  # fmt: skip


def train_task(
    kind: str,
    recipe: Path,
    overrides: Sequence[str],
    folder: Path,
    *,
    device: str,
    resume: bool,
) -> list[str]:
    """Train what the recipe file says and return lines for a person.

    Args:
        kind: of the recipe.
        recipe: the TOML file.
        overrides: texts ``key.path=value``.
        folder: of the run.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds.

    Raises:
        InputError: no such kind, or the recipe, the data or the folder cannot be used.
    """
    if kind == "comparison":
        raise InputError(f"{recipe} compares representations. Pass it to passband compare.")
    if kind not in TASKS:
        raise InputError(
            f"{recipe}: `kind` (={kind!r}) must be one of vocoder, {', '.join(TASKS)}. Change it."
        )
    task = TASKS[kind]
    room: Any = import_module(f"passband.signal.tasks.{task.room}")
    settings = load_settings(getattr(room, task.recipe), recipe, overrides)
    metrics = getattr(room, task.train)(settings, folder, device=device, resume=resume)
    return [f"{words}: {_number(metrics, key)}" for key, words in task.headline]


def _number(metrics: Any, key: str) -> str:
    for part in key.split("."):
        metrics = metrics[part]
    return "none" if metrics is None else f"{metrics:.4g}"
