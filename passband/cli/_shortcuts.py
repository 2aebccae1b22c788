"""``passband shortcuts``: few frequencies by which a classifier tells a class."""

import json
from pathlib import Path
from typing import Annotated

import typer


def shortcuts(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that passband train wrote.")],
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Labelled sounds, as for the training.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the result and the report.")],
    bands: Annotated[
        int, typer.Option(min=2, max=4096, help="Bands, equally wide in mel, removed in turn.")
    ] = 64,
    fraction: Annotated[
        float, typer.Option(help="Most bands of a shortcut, as a fraction of all, to 0.5.")
    ] = 0.05,
    clips: Annotated[
        int, typer.Option(min=1, help="Most clips of each class to rank on, and to test on.")
    ] = 40,
    json_: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Test whether a sound classifier tells a class by a few frequencies alone.

    Each band is removed from the clips of a class in turn. The bands that this costs most are kept
    alone in all held-out clips; where the class is still told (TPR at least 0.8), others are not
    taken for it (FPR at most 0.2), random bands do far worse and the class suffers without them,
    they are a shortcut. Writes shortcuts.json and report.html.

    Exit code: 0 whether there are shortcuts or not, 2 if some clips could not be read, 130 after
    Ctrl-C.
    """
    from passband.cli._count import CountReporter
    from passband.signal.tasks.shortcuts import ShortcutSettings, search_run

    with CountReporter("classes") as reporter:
        found = search_run(
            run,
            data,
            out,
            bands=bands,
            most=clips,
            settings=ShortcutSettings(fraction=fraction),
            device=device,
            progress=lambda done, total: reporter.update(done, total, failed=0),
        )
    if json_:
        print(json.dumps(found, indent=1))
    else:
        for each in found["classes"]:
            print(f"{each['class']}: {', '.join(each['shortcut']) or 'no shortcut'}")
        print(f"{found['test']} clips tested, {len(found['left_out'])} left out: {out}")
    for name, reason in found["left_out"].items():
        typer.echo(f"passband: {reason if name in reason else f'{name}: {reason}'}", err=True)
    if found["unread"]:
        raise typer.Exit(2)
