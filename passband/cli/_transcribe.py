"""``passband transcribe``: the notes of piano recordings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passband.errors import InputError, OutputError, PassbandError

if TYPE_CHECKING:
    from passband.signal.tasks.transcription import Note, Transcriber

_SHOWN = 20
_MIDI = (".mid", ".midi")


def transcribe(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A sound, or a folder of sounds.")],
    model: Annotated[Path, typer.Option(metavar="RUN", help="Run folder of a trained model.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="MIDI file (.mid), or folder for them.")],
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE|DIR", help="Write the notes as a table, too."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Probability, 0 to 1, from which on a note is one; by default its own."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Write the notes that are played in piano recordings as MIDI files.

    The table has onset and offset in seconds, MIDI number, velocity and confidence. A lower
    threshold finds more notes, a higher one fewer that are wrong. Sounds of any rate and length;
    channels are averaged. Of a folder, files that are there already are kept, so that the same
    command goes on after an interruption; a sound that cannot be used is skipped and named with the
    reason.

    Exit code: 0 if every sound has its notes, 2 if some failed, 130 after Ctrl-C.
    """
    from passband.signal.tasks.transcription import load_transcriber

    if not source.exists():
        raise InputError(f"{source} does not exist. Pass a sound or a folder of them.")
    if threshold is not None and not 0 < threshold < 1:
        raise InputError(f"--threshold (={threshold:g}) must lie between 0 and 1. Change it.")
    if source.is_dir():
        _transcribe_folder(source, out, csv, load_transcriber(model, device), threshold, json_)
        return
    if out.suffix.lower() not in _MIDI:
        raise InputError(f"--out (={out}) must end in {' or '.join(_MIDI)}. Rename it.")
    notes = _write(source, out, csv, load_transcriber(model, device), threshold)
    if json_:
        print(json.dumps({"source": str(source), "notes": [note._asdict() for note in notes]}))
    else:
        print(f"{out}: {_line(notes)}")


def _line(notes: "list[Note]") -> str:
    if not notes:
        return "no notes"
    pitches = [note.pitch for note in notes]
    end = max(note.offset for note in notes)
    return f"{len(notes)} notes, MIDI {min(pitches)} to {max(pitches)}, {end:.1f} s"


def _write(
    path: Path, out: Path, csv: Path | None, transcriber: "Transcriber", threshold: float | None
) -> "list[Note]":
    """Write the notes of one sound, and return them."""
    from passband.frequency import resample
    from passband.media import read_audio
    from passband.signal.tasks import unit_peak
    from passband.signal.tasks.transcription import write_midi, write_note_table

    audio = read_audio(path)
    sound = resample(audio.samples.mean(dim=0), audio.sample_rate, transcriber.sample_rate)
    place = next(transcriber.network.parameters()).device
    decoding = None if threshold is None else transcriber.decoding_at(threshold)
    notes = transcriber.notes(unit_peak(sound).to(place), decoding)
    for target in filter(None, (out, csv)):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{target.parent} cannot be made: {error.strerror}.") from error
    if csv is not None:
        write_note_table(csv, notes)
    write_midi(out, notes)
    return notes


def _transcribe_folder(
    source: Path,
    out: Path,
    csv: Path | None,
    transcriber: "Transcriber",
    threshold: float | None,
    json_: bool,
) -> None:
    from passband.cli._count import CountReporter
    from passband.signal.tasks import find_audio

    made: dict[str, int] = {}
    failures: dict[str, str] = {}
    kept: list[str] = []
    paths = find_audio(source)
    names = [path.relative_to(source).with_suffix("") for path in paths]
    with CountReporter("files") as reporter:
        for done, (path, name) in enumerate(zip(paths, names, strict=True), 1):
            if names.count(name) > 1:  # a.wav and a.mp3 keep their suffixes: a.wav.mid
                name = path.relative_to(source)
            targets = [out / f"{name}.mid", *([] if csv is None else [csv / f"{name}.csv"])]
            if all(target.exists() for target in targets):
                kept.append(str(name))
            else:
                _try(path, targets, transcriber, threshold, made, failures)
            reporter.update(done, len(paths), failed=len(failures))
    document: dict[str, Any] = {"made": made, "kept": kept, "failed": failures}
    count = f"{len(made)} made, {len(kept)} kept, {len(failures)} failed"
    print(json.dumps(document) if json_ else f"{len(paths)} files: {count}: {out}")
    for reason in list(failures.values())[:_SHOWN]:
        typer.echo(f"passband: {reason}", err=True)
    if len(failures) > _SHOWN:
        typer.echo(f"passband: and {len(failures) - _SHOWN} more", err=True)
    if failures:
        raise typer.Exit(2)


def _try(
    path: Path,
    targets: list[Path],
    transcriber: "Transcriber",
    threshold: float | None,
    made: dict[str, int],
    failures: dict[str, str],
) -> None:
    """One sound of many: its trouble must not end the others'."""
    csv = targets[1] if len(targets) > 1 else None
    try:
        made[str(path)] = len(_write(path, targets[0], csv, transcriber, threshold))
    except OutputError:
        raise
    except PassbandError as error:
        said = " ".join(str(error).split())
        failures[str(path)] = said if str(path) in said else f"{path}: {said}"
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to go on", err=True)
        raise
    except Exception as error:
        failures[str(path)] = f"{path}: {type(error).__name__}: {' '.join(str(error).split())}"
