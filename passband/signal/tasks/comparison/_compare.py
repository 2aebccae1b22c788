"""One task over many representations and seeds, cell by cell."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passband.errors import InputError, OutputError, PassbandError
from passband.signal.tasks import RECIPE_FILE, RepresentationSettings
from passband.signal.tasks.comparison._kinds import Kind, find_kind
from passband.signal.tasks.comparison._recipe import ComparisonRecipe, merged
from passband.signal.tasks.comparison._results import Cell, write_comparison
from passband.training import claim_folder
from passband.training.recipes import Settings, dump_settings

_CELLS = "cells"
_FEATURES = "features"
_REPLACED = ("representation",)  # its settings would be left over in those of another transform


@dataclass(frozen=True)
class Plan:
    """What a cell trains."""

    name: str
    seed: int
    recipe: Settings
    folder: Path


def compare(
    recipe: ComparisonRecipe, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Run the task of ``recipe`` on every representation with every seed and compare its measure.

    The folder gets ``recipe.toml``, a run folder ``cells/NAME/SEED`` for each, ``table.txt``,
    ``values.csv``, ``metrics.json``, ``figure.png`` and ``report.html``, written anew after every
    cell, and ``features``, which all cells share. A cell that has ended is not run again, one that
    was interrupted goes on; one that fails is named, and the others run.

    Args:
        recipe: from `load_comparison`.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds.

    Returns:
        The metrics, as in ``metrics.json``.

    Raises:
        InputError: a recipe, the data, the device or the folder cannot be used, or no cell could
            be run.
        OutputError: the folder cannot be written or the device is full.
    """
    kind = find_kind(recipe.task.get("kind"))
    measure = _measure(recipe, kind)
    plans = plan_cells(recipe, kind, folder)
    claim_folder(folder, RECIPE_FILE, dump_settings(recipe), resume=resume)
    cells: list[Cell] = []
    metrics: dict[str, Any] = {}
    for number, plan in enumerate(plans, 1):
        sys.stderr.write(f"{plan.name}, seed {plan.seed} ({number} of {len(plans)})\n")
        cells.append(_run(plan, kind, measure, device))
        metrics = write_comparison(folder, recipe, kind, measure, cells, cells_in_all=len(plans))
    if not metrics["representations"]:
        raise InputError(f"no cell could be run: {cells[0].fault}")
    return metrics


def plan_cells(recipe: ComparisonRecipe, kind: Kind, folder: Path) -> list[Plan]:
    """The cells of ``recipe``, every recipe checked; all representations of a seed, then the next.

    Raises:
        InputError: a task's recipe or a representation is not allowed.
    """
    plans = []
    for seed in recipe.seeds:
        for contender in recipe.representations:
            for name, settings in contender.variants():
                changes = merged(contender.task, {"training": {"seed": seed}})
                changes = merged(changes, kind.place(contender.transform, settings))
                if kind.cached and recipe.task.get("data", {}).get("cache") is None:
                    cache = {"cache": str((folder / _FEATURES).absolute())}
                    changes = merged(changes, {"data": cache})
                base = {key: value for key, value in recipe.task.items() if key not in _REPLACED}
                parsed = kind.parse(merged(base, changes), f"task of {name}")
                if seed == recipe.seeds[0]:
                    _check_front_end(kind, parsed, name)
                plans.append(Plan(name, seed, parsed, folder / _CELLS / name / str(seed)))
    return plans


def _check_front_end(kind: Kind, recipe: Settings, name: str) -> None:
    """Build the representation: its settings are checked by nothing else before a cell runs."""
    if kind.rate is not None:
        representation: RepresentationSettings = recipe.representation  # type: ignore[attr-defined]
        try:
            representation.build(kind.rate(recipe))
        except InputError as error:
            raise InputError(f"representation of {name}: {error}") from error


def _measure(recipe: ComparisonRecipe, kind: Kind) -> str:
    if recipe.measure is None:
        return kind.measures[0]
    if recipe.measure not in kind.measures:
        raise InputError(
            f"`measure` (={recipe.measure!r}) must be one of {', '.join(kind.measures)}. Change it."
        )
    return recipe.measure


def _run(plan: Plan, kind: Kind, measure: str, device: str) -> Cell:
    """A cell's values, from its folder if it has ended."""
    done = plan.folder / "metrics.json"
    try:
        if done.is_file():
            metrics = json.loads(done.read_text(encoding="utf-8"))
        else:
            metrics = kind.runner()(plan.recipe, plan.folder, device=device, resume=True)
        values = kind.values(metrics, measure)
    except OutputError:
        raise
    except (PassbandError, RuntimeError, ValueError) as error:  # the other cells' values count
        fault = " ".join(str(error).split())
        sys.stderr.write(f"{plan.name}, seed {plan.seed} failed: {fault}\n")
        return Cell(plan.name, plan.seed, {}, 0.0, fault)
    return Cell(plan.name, plan.seed, values, float(metrics.get("seconds", 0.0)), None)
