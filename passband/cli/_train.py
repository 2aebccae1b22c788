"""``passband train``: from a recipe and a folder of sounds to a trained vocoder."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from passband.errors import InputError


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="What to train, and how.")],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of sound files to learn from.")
    ] = None,
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
    """Train a vocoder on a folder of sounds.

    Some files are held out; the report compares what the vocoder makes of them with Griffin-Lim.
    Files that cannot be read are left out and named. Ctrl-C keeps a checkpoint; --resume goes on.
    For several GPUs: accelerate launch -m passband train ...
    """
    from passband.cli._fit import _default_folder
    from passband.training import keep_freed_memory
    from passband.vocoder.learning import load_recipe, train_vocoder

    overrides = list(set_ or [])
    if data is not None:
        overrides.append(f"data.folder={data.absolute()}")
    settings = load_recipe(recipe, overrides)
    if out is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("--out must name the run folder in a run of several processes. Add it.")
    folder = out if out is not None else _default_folder(recipe, resume=resume)
    keep_freed_memory()
    try:
        metrics = train_vocoder(settings, folder, device=device, resume=resume)
    except KeyboardInterrupt:
        typer.echo(
            f"interrupted; go on with the same command and --out {folder} --resume", err=True
        )
        raise
    if not metrics:  # one of several processes, and not the one that speaks
        return
    for name in ("vocoder", "griffin_lim"):
        if name in metrics:
            print(f"{name.replace('_', '-'):12}{_line(metrics[name])}")
    print(f"model: {folder / 'model'}")
    print(f"report: {folder / 'report.html'}")


def _line(means: dict[str, Any]) -> str:
    shown = (f"{name} {value:.4g}" for name, value in means.items() if value is not None)
    return "  ".join(shown)
