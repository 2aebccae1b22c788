"""``passband train``: from a recipe and a folder of data to a trained model."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from passband.errors import InputError


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="What to train, and how.")],
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to learn from.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/NAME, numbered if taken.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of the recipe."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    resume: Annotated[bool, typer.Option(help="Go on with what --out holds.")] = False,
) -> None:
    """Train a model on a folder of data: a vocoder, a classifier, or what else a recipe says.

    Some of the data is held out; the report says how the model fares on it. Files that cannot be
    read are left out and named. Ctrl-C keeps a checkpoint; --resume goes on.
    For several GPUs, a vocoder alone: accelerate launch -m passband train ...
    """
    from passband.cli._fit import _default_folder
    from passband.training import keep_freed_memory, read_settings

    overrides = list(set_ or [])
    if data is not None:
        overrides.append(f"data.folder={data.absolute()}")
    kind = str(read_settings(recipe, overrides, expected="a recipe").get("kind", "vocoder"))
    folder = out if out is not None else _default_folder(recipe, resume=resume)
    keep_freed_memory()
    try:
        if kind == "vocoder":
            lines = _train_vocoder(recipe, overrides, out, folder, device, resume=resume)
        else:
            from passband.signal.tasks._kinds import train_task

            lines = train_task(kind, recipe, overrides, folder, device=device, resume=resume)
    except KeyboardInterrupt:
        typer.echo(
            f"interrupted; go on with the same command and --out {folder} --resume", err=True
        )
        raise
    for line in lines:
        print(line)
    if lines and (report := folder / "report.html").is_file():
        print(f"report: {report}")


def _train_vocoder(
    recipe: Path,
    overrides: list[str],
    out: Path | None,
    folder: Path,
    device: str,
    *,
    resume: bool,
) -> list[str]:
    from passband.vocoder.learning import load_recipe, train_vocoder

    settings = load_recipe(recipe, overrides)
    if out is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("--out must name the run folder in a run of several processes. Add it.")
    metrics = train_vocoder(settings, folder, device=device, resume=resume)
    if not metrics:  # one of several processes, and not the one that speaks
        return []
    scores = [
        f"{name.replace('_', '-'):12}{_line(metrics[name])}"
        for name in ("vocoder", "griffin_lim")
        if name in metrics
    ]
    return [*scores, f"model: {folder / 'model'}"]


def _line(means: dict[str, Any]) -> str:
    shown = (f"{name} {value:.4g}" for name, value in means.items() if value is not None)
    return "  ".join(shown)
