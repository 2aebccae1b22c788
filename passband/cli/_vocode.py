"""``passband vocode``: sound out of sounds, features or codes, by a vocoder or without weights."""

from pathlib import Path
from typing import Annotated

import typer

from passband.cli._feature_files import FEATURE_SUFFIXES
from passband.cli._synthesis import (
    PrecisionName,
    Synthesis,
    choose_synthesis,
    features_of,
    sound_of,
)
from passband.errors import InputError, OutputError, PassbandError


def vocode(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="A sound, mel features, codes, or a folder of these."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Sound file or folder to write.")],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|REPOSITORY",
            help="A vocoder, such as charactr/vocos-mel-24khz; by default Griffin-Lim at 24 kHz.",
        ),
    ] = None,
    precision: Annotated[
        PrecisionName, typer.Option(help="Type to multiply matrices in.")
    ] = PrecisionName.FLOAT32,
    bandwidth_id: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="For a vocoder of codes: number of its bandwidth; by default as many as there are "
            "codebooks.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    compile_: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Run the layers through torch.compile, which takes up to a minute at first.",
        ),
    ] = False,
) -> None:
    """Make sound of mel features or codes, or of a sound's own features (copy synthesis).

    Features are natural logarithms of magnitudes, (bands, frames) or (channels, bands, frames), in
    a .npy, .npz or .pt file; EnCodec's codes are whole numbers, (codebooks, frames) or (codebooks,
    channels, frames). Sounds are resampled to the vocoder's rate. Of a folder, a/b.flac
    becomes a/b.wav; sounds that are there already are kept, so that the same command goes on after
    an interruption. A file that cannot be used is skipped and named with the reason.

    Exit code: 0 if every file has its sound, 2 if some failed, 130 after Ctrl-C.
    """
    if not source.exists():
        raise InputError(f"{source} does not exist. Pass a sound, mel features or a folder.")
    if not source.is_dir():
        _check_suffix(out)
        how = choose_synthesis(model, precision, bandwidth_id, device, compiled=compile_)
        channels, samples, rate = _make(source, out, how, shown=True)
        print(f"{out}: {channels} channels, {samples} samples at {rate} Hz")
        return
    wanted = _plan(source, out)
    how = choose_synthesis(model, precision, bandwidth_id, device, compiled=compile_)
    failures = _make_all(wanted, how)
    kept = len(wanted.kept)
    made = len(wanted.missing) - len(failures)
    total = kept + len(wanted.missing)
    print(f"{total} files: {made} made, {kept} kept, {len(failures)} failed: {out}")
    for reason in failures:
        typer.echo(f"passband: {reason}", err=True)
    if failures:
        raise typer.Exit(2)


class _Plan:
    """Files of a folder with where their sounds go: those that are there, and those that are not.

    Two that would share a place, such as a.npy and a.flac, keep their suffixes: a.npy.wav.
    """

    def __init__(self, files: list[tuple[Path, Path]], out: Path) -> None:
        places = [(path, out / name.with_suffix(".wav")) for path, name in files]
        shared = [place for _, place in places]
        pairs = [
            (path, out / f"{name}.wav" if shared.count(place) > 1 else place)
            for (path, place), (_, name) in zip(places, files, strict=True)
        ]
        self.kept = [pair for pair in pairs if pair[1].exists()]
        self.missing = [pair for pair in pairs if not pair[1].exists()]


def _plan(source: Path, out: Path) -> _Plan:
    from passband.media._sniff import KINDS, SUFFIXES

    suffixes = [
        *(suffix for suffix, kind in SUFFIXES.items() if KINDS[kind] == "audio"),
        *FEATURE_SUFFIXES,
    ]
    if out.resolve() == source.resolve():
        raise InputError(f"--out (={out}) must be another folder than the files'. Choose one.")
    files = [
        (path, path.relative_to(source))
        for path in sorted(source.rglob("*"))
        if path.suffix.lower() in suffixes
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
        and not path.resolve().is_relative_to(out.resolve())
    ]
    if not files:
        raise InputError(
            f"{source} holds no sounds and no features ({', '.join(suffixes)}). Check the path."
        )
    return _Plan(files, out)


def _make_all(plan: _Plan, how: Synthesis) -> list[str]:
    """Make what is missing; the reasons of those that failed."""
    from passband.cli._count import CountReporter

    failures: list[str] = []
    total, kept = len(plan.missing) + len(plan.kept), len(plan.kept)
    with CountReporter("files") as reporter:
        for done, (path, place) in enumerate(plan.missing, kept + 1):
            try:
                _make(path, place, how)
            except OutputError:
                raise
            except PassbandError as error:
                said = " ".join(str(error).split())
                failures.append(said if str(path) in said else f"{path}: {said}")
            except KeyboardInterrupt:
                typer.echo("interrupted; run the same command again to go on", err=True)
                raise
            except Exception as error:  # one file's trouble must not end the others'
                failures.append(f"{path}: {type(error).__name__}: {' '.join(str(error).split())}")
            reporter.update(done, total, failed=len(failures))
    return failures


def _make(path: Path, out: Path, how: Synthesis, *, shown: bool = False) -> tuple[int, int, int]:
    """Write the sound of one file; its channels, samples and rate."""
    import torch

    from passband.media import write_audio

    with torch.no_grad():
        try:
            features, length, bandwidth_id = features_of(path, how)
            audio = sound_of(how, features, length, bandwidth_id, shown=shown)
        except InputError as error:
            said = str(error)
            raise InputError(said if str(path) in said else f"{path}: {said}") from error
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out.parent} cannot be made: {error.strerror or error}.") from error
    write_audio(out, audio.cpu(), how.vocoder.sample_rate)
    channels, samples = audio.shape
    return channels, samples, how.vocoder.sample_rate


def _check_suffix(out: Path) -> None:
    """Raise before the work where `write_audio` would after it."""
    from passband.media._sniff import KINDS, SUFFIXES

    if KINDS.get(SUFFIXES.get(out.suffix.lower(), "")) != "audio":
        raise InputError(
            f"{out} ends in {out.suffix or 'no suffix'!r}; sound is written as .wav, .flac, .ogg "
            "or .mp3. Choose one of these."
        )
