"""``passband compare``: one task over many representations."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE.toml", help="Task, representations and seeds.")
    ],
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to learn from.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/NAME, numbered if taken.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a setting, such as task.training.steps=100."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    resume: Annotated[bool, typer.Option(help="Go on with what --out holds.")] = False,
) -> None:
    """Learn the same task on a list of representations, window lengths and seeds, and compare.

    Prints means, deviations and paired differences; the folder has them as metrics.json,
    values.csv, table.txt, figure.png and report.html. Features are made once and kept. After Ctrl-C
    --resume goes on; what has ended is not run again.

    Exit code: 0 if every cell has its values, 2 if some failed, 130 after Ctrl-C.
    """
    from passband.cli._fit import _default_folder
    from passband.signal.tasks.comparison import compare as run
    from passband.signal.tasks.comparison import load_comparison, text_table
    from passband.training import keep_freed_memory

    overrides = list(set_ or [])
    if data is not None:
        overrides.append(f"task.data.folder={data.absolute()}")
    settings = load_comparison(recipe, overrides)
    folder = out if out is not None else _default_folder(recipe, resume=resume)
    keep_freed_memory()
    try:
        metrics = run(settings, folder, device=device, resume=resume)
    except KeyboardInterrupt:
        typer.echo(
            f"interrupted; go on with the same command and --out {folder} --resume", err=True
        )
        raise
    print(text_table(metrics), end="")
    print(f"report: {folder / 'report.html'}")
    if metrics["failed"]:
        raise typer.Exit(2)
