"""``passband denoise``: seismograms without their noise."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passband.errors import InputError, OutputError, PassbandError

if TYPE_CHECKING:
    from passband.signal.tasks.denoising import Denoiser

_SHOWN = 20


def denoise(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A seismogram (.npz, .mseed, .sac), or a folder.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="File or folder for the signal.")],
    model: Annotated[Path, typer.Option(metavar="RUN", help="Run folder of a trained denoiser.")],
    noise: Annotated[
        Path | None, typer.Option(metavar="FILE|DIR", help="Write what was taken out, too.")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw the first channel, its parts and the masks."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Split seismograms into signal and noise; the two sum to what was recorded.

    The signal is written in the format of IN, with its metadata, rate and unit; every component is
    split for itself. Traces of miniSEED and SAC need ObsPy. Components that are constant, and
    pieces between gaps that are too short, have no signal and are counted. Of a folder, files
    that are there already are kept, so that the same command goes on after an interruption; a file
    that cannot be used is skipped and named with the reason.

    Exit code: 0 if every file has its signal, 2 if some failed, 130 after Ctrl-C.
    """
    from passband.signal.tasks.denoising import load_denoiser

    if not source.exists():
        raise InputError(f"{source} does not exist. Pass a seismogram or a folder of them.")
    if source.is_dir():
        _check_folders(source, out, noise, picture)
        _denoise_folder(source, out, noise, load_denoiser(model, device), json_=json_)
        return
    _check_files(source, out, noise, picture)
    report = _denoise_file(source, out, noise, load_denoiser(model, device), picture)
    if json_:
        print(json.dumps(report, indent=1))
    else:
        print(f"{out}: {_line(report)}")


def _line(report: dict[str, Any]) -> str:
    taken = report["noise_power"]
    said = f"{report['traces']} traces, {report['seconds']:g} s"
    if taken is not None:
        said += f", {100 * taken:.0f} % of the power is noise"
    if report["without_signal"]:
        said += f", {report['without_signal']} constant or too short"
    return said


def _check_files(source: Path, out: Path, noise: Path | None, picture: Path | None) -> None:
    """Raise before the work where writing would after it."""
    from passband.signal.tasks.denoising import format_of

    wanted = format_of(source)
    for option, path in (("--out", out), ("--noise", noise)):
        if path is None:
            continue
        if format_of(path) != wanted:
            raise InputError(
                f"{option} (={path}) must be of the format of {source}. Give it the suffix "
                f"{source.suffix}."
            )
        if path.resolve() == source.resolve():
            raise InputError(f"{option} (={path}) must not be the input. Choose another file.")
    if noise is not None and noise.resolve() == out.resolve():
        raise InputError(f"--noise (={noise}) must not be --out. Choose another file.")
    if picture is not None and picture.suffix.lower() != ".png":
        raise InputError(f"--picture (={picture}) must end in .png. Rename it.")


def _check_folders(source: Path, out: Path, noise: Path | None, picture: Path | None) -> None:
    if picture is not None:
        raise InputError("--picture needs a single file as IN. Leave it out, or pass one file.")
    places = [source, out, *([] if noise is None else [noise])]
    if len({place.resolve() for place in places}) < len(places):
        raise InputError("IN, --out and --noise must be different folders. Choose others.")


def _denoise_folder(
    source: Path, out: Path, noise: Path | None, denoiser: "Denoiser", *, json_: bool
) -> None:
    from passband.cli._count import CountReporter
    from passband.signal.tasks.denoising import find_records

    made: dict[str, dict[str, Any]] = {}
    failures: dict[str, str] = {}
    kept: list[str] = []
    written = [place.resolve() for place in (out, noise) if place is not None]
    paths = [
        path
        for path in find_records(source)
        if not any(path.resolve().is_relative_to(place) for place in written)
    ]
    with CountReporter("files") as reporter:
        for done, path in enumerate(paths, 1):
            name = path.relative_to(source)
            places = [place / name for place in (out, noise) if place is not None]
            if all(place.exists() for place in places):
                kept.append(str(name))
            else:
                _try(path, str(name), places, denoiser, made, failures)
            reporter.update(done, len(paths), failed=len(failures))
    if json_:
        document = {"made": made, "kept": kept, "failed": failures}
        print(json.dumps(document, indent=1))
    else:
        count = f"{len(made)} made, {len(kept)} kept, {len(failures)} failed"
        print(f"{len(paths)} files: {count}: {out}")
    for reason in list(failures.values())[:_SHOWN]:
        typer.echo(f"passband: {reason}", err=True)
    if len(failures) > _SHOWN:
        typer.echo(f"passband: and {len(failures) - _SHOWN} more", err=True)
    if failures:
        raise typer.Exit(2)


def _try(
    path: Path,
    name: str,
    places: list[Path],
    denoiser: "Denoiser",
    made: dict[str, dict[str, Any]],
    failures: dict[str, str],
) -> None:
    """Make the outputs of one file of many, whose trouble must not end the others'."""
    try:
        made[name] = _denoise_file(path, places[0], places[1] if places[1:] else None, denoiser)
    except OutputError:
        raise
    except PassbandError as error:
        failures[name] = " ".join(str(error).split())
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to go on", err=True)
        raise
    except Exception as error:  # one file's trouble must not end the others'
        failures[name] = f"{path}: {type(error).__name__}: {' '.join(str(error).split())}"


def _denoise_file(
    path: Path,
    out: Path,
    noise: Path | None,
    denoiser: "Denoiser",
    picture: Path | None = None,
) -> dict[str, Any]:
    """Write the parts of one file; what there is to say of it."""
    from passband.signal.tasks.denoising import read_seismic, separate_file

    file = read_seismic(path)
    try:
        parts = separate_file(file, denoiser)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    # The signal last: where it stands already, nothing is left to do.
    for place, samples in ((noise, parts.noises), (out, parts.signals)):
        if place is not None:
            _make_folder(place.parent)
            file.write(place, samples)
    if picture is not None:
        _draw(picture, file.records, denoiser)
    return {
        "traces": parts.traces,
        "without_signal": parts.without_signal,
        "seconds": round(max(record.seconds for record in file.records), 3),
        "sample_rate": file.records[0].sample_rate,
        "noise_power": parts.noise_power,
    }


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror or error}.") from error


def _draw(picture: Path, records: Any, denoiser: "Denoiser") -> None:
    from passband.atomic import write_bytes_atomic
    from passband.signal.tasks.denoising import draw_record

    write_bytes_atomic(picture, draw_record(records, denoiser))
