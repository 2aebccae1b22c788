"""``passband similar``: the sounds of a folder that are most like one sound."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passband.errors import InputError, OutputError

if TYPE_CHECKING:
    from passband.signal.tasks.similarity import Embedder, Index, Neighbour

_SHOWN = 20


def similar(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sound to look for.")],
    index: Annotated[Path, typer.Option(metavar="DIR", help="Folder of sounds to search.")],
    model: Annotated[
        Path, typer.Option(metavar="RUN", help="Run folder of passband train similarity.toml.")
    ],
    top: Annotated[int, typer.Option(min=1, help="Files to list.")] = 10,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the index is kept; by default RUN/index."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """List the files of a folder that have segments like those of a sound, the most similar first.

    Similarity is the mean over the sound's windows of the greatest cosine with a window of the
    file; the times say where the most similar pair of windows starts, here and there. The folder is
    indexed at the first search; later ones read only what changed. A file that cannot be read is
    left out and named.

    Exit code: 0 if every file was searched, 2 if some were left out, 130 after Ctrl-C.
    """
    from passband.signal.tasks.similarity import embed_file, load_embedder

    if not file.is_file():
        raise InputError(f"{file} does not exist. Pass a sound file.")
    embedder = load_embedder(model, device)
    starts, query = embed_file(file, embedder)
    if not len(query):
        raise InputError(f"{file} is silent: there is nothing to compare. Pass another.")
    searched = _indexed(index, embedder, cache or model / "index")
    found = searched.search(starts, query, most=top)
    if json_:
        _print_json(file, embedder, searched, found)
    else:
        _print_table(searched, found)
    for name, reason in list(searched.faults.items())[:_SHOWN]:
        typer.echo(f"passband: {reason if name in reason else f'{name}: {reason}'}", err=True)
    if searched.faults:
        raise typer.Exit(2)


def _print_json(
    file: Path, embedder: "Embedder", searched: "Index", found: "list[Neighbour]"
) -> None:
    document = {
        "query": str(file),
        "seconds": embedder.recipe.data.seconds,
        "files": len(searched.entries),
        "embedded": searched.made,
        "left_out": searched.faults,
        "neighbours": [{**asdict(each), "path": str(each.path)} for each in found],
    }
    print(json.dumps(document, indent=1))


def _print_table(searched: "Index", found: "list[Neighbour]") -> None:
    print("similarity  here (s)  there (s)  file")
    for each in found:
        print(f"{each.similarity:10.3f}  {each.query_start:8.2f}  {each.start:9.2f}  {each.path}")
    print(
        f"{len(searched.entries)} files searched: {searched.made} embedded, "
        f"{len(searched.entries) - searched.made} kept, {len(searched.faults)} failed"
    )


def _indexed(folder: Path, embedder: "Embedder", cache: Path) -> "Index":
    from passband.cli._count import CountReporter
    from passband.signal.tasks.similarity import update_index

    try:
        with CountReporter("files") as reporter:
            return update_index(
                folder,
                embedder,
                cache,
                progress=lambda done, total, failed: reporter.update(done, total, failed=failed),
            )
    except OutputError as error:
        raise OutputError(str(error).replace("--out", "--cache")) from error
