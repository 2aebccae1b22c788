"""``passband classify``: what sounds are, by a trained classifier."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passband.errors import InputError, PassbandError

if TYPE_CHECKING:
    from passband.signal.tasks.classification import Classifier


def classify(
    source: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A sound, or a folder.")],
    model: Annotated[Path, typer.Option(metavar="RUN", help="Folder that passband train wrote.")],
    top: Annotated[int, typer.Option(min=1, help="Classes to name for each sound.")] = 3,
    json_: Annotated[
        bool, typer.Option("--json", help="One JSON document, with every window of long sounds.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Name the classes of sounds, the most probable first.

    A sound is cut into windows as long as those of the training, half overlapping, and their
    probabilities are averaged; a shorter one is repeated. In a folder, a sound that cannot be read
    is skipped and named with the reason.

    Exit code: 0 if every sound is classified, 2 if some failed, 130 after Ctrl-C.
    """
    if not source.exists():
        raise InputError(f"{source} does not exist. Pass a sound or a folder of sounds.")
    from passband.signal.tasks import find_audio
    from passband.signal.tasks.classification import load_classifier

    files = find_audio(source) if source.is_dir() else [source]
    classifier = load_classifier(model, device)
    if not source.is_dir():
        entry = _entry(classifier, source, top)
        print(json.dumps(entry, indent=1) if json_ else _line(entry))
        return
    entries, failures = _classify_all(classifier, files, top, shown=not json_)
    if json_:
        print(json.dumps({"files": entries, "failures": failures}, indent=1))
    else:
        print(f"{len(files)} sounds: {len(entries)} classified, {len(failures)} failed")
    for reason in failures.values():
        typer.echo(f"passband: {reason}", err=True)
    if failures:
        raise typer.Exit(2)


def _classify_all(
    classifier: "Classifier", files: list[Path], top: int, *, shown: bool
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What each sound is, and the reasons of those that failed."""
    entries: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    for path in files:
        try:
            entries.append(_entry(classifier, path, top))
        except PassbandError as error:
            said = " ".join(str(error).split())
            failures[str(path)] = said if str(path) in said else f"{path}: {said}"
        else:
            if shown:
                print(_line(entries[-1]), flush=True)
    return entries, failures


def _entry(classifier: "Classifier", path: Path, top: int) -> dict[str, Any]:
    from passband.signal.tasks.classification import read_sound

    sound = read_sound(path, classifier.sample_rate)
    starts, found = classifier.classify(sound)
    windows = [
        {"start": round(start, 3), "classes": _ranked(classifier.classes, row.tolist(), top)}
        for start, row in zip(starts, found, strict=True)
    ]
    return {
        "path": str(path),
        "seconds": round(len(sound) / classifier.sample_rate, 3),
        "classes": _ranked(classifier.classes, found.mean(dim=0).tolist(), top),
        "windows": windows,
    }


def _ranked(classes: list[str], probabilities: list[float], top: int) -> list[dict[str, Any]]:
    pairs = sorted(zip(classes, probabilities, strict=True), key=lambda pair: -pair[1])
    return [{"name": name, "probability": round(value, 4)} for name, value in pairs[:top]]


def _line(entry: dict[str, Any]) -> str:
    named = (f"{each['name']} {each['probability']:.2f}" for each in entry["classes"])
    return f"{entry['path']}  {'  '.join(named)}"
