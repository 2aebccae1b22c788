"""``passband enhance``: speech out of noisy recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passband.cli._vocode import _check_suffix, _Plan
from passband.errors import InputError, OutputError, PassbandError

if TYPE_CHECKING:
    from torch import nn

    from passband.signal.tasks.enhancement import EnhancedFile

_LONG = 30  # seconds of sound, from which on one says how far it is


def enhance(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A sound, or a folder of sounds.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Sound file or folder to write.")],
    model: Annotated[
        Path,
        typer.Option(
            metavar="FILE|RUN",
            help="GTCRN's published weights (.tar), or the folder of a training of an enhancer.",
        ),
    ],
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Also draw both spectrograms; of a single sound."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Take the noise off speech.

    Rate, channels and length stay; each channel is enhanced by itself, at the model's rate. A
    causal model works block by block, an hour in the memory of a minute. Of a folder, a/b.flac
    becomes a/b.wav; sounds that are there already are kept, so that the same command goes on after
    an interruption. A file that cannot be used is skipped and named with the reason.

    Exit code: 0 if every file has its sound, 2 if some failed, 130 after Ctrl-C.
    """
    if not source.exists():
        raise InputError(f"{source} does not exist. Pass a sound or a folder of sounds.")
    if source.is_dir():
        if picture is not None:
            raise InputError(f"--picture (={picture}) shows a single sound. Pass one file as IN.")
        _enhance_folder(source, out, model, device)
        return
    _check_suffix(out)
    if picture is not None and picture.suffix.lower() != ".png":
        raise InputError(f"--picture (={picture}) must end in .png. Rename it.")
    if out.resolve() == source.resolve():
        raise InputError(f"--out (={out}) must be another file than IN. Choose another name.")
    done = _enhance_one(_load(model, device), source, out, shown=True)
    rates = (
        ""
        if done.sample_rate == done.model_rate
        else f", enhanced at {done.model_rate} Hz: nothing above "
        f"{min(done.model_rate, done.sample_rate) // 2} Hz is left"
    )
    print(
        f"{out}: {done.channels} channels, {done.samples} samples at {done.sample_rate} Hz{rates}"
    )
    if warning := _clipping(done):
        typer.echo(f"passband: {out}: {warning}", err=True)
    if picture is not None:
        _draw(source, out, picture)


def _load(model: Path, device: str) -> "nn.Module":
    from passband.signal.tasks.enhancement import load_enhancer
    from passband.training import choose_device

    return load_enhancer(model, choose_device(device))


def _enhance_folder(source: Path, out: Path, model: Path, device: str) -> None:
    from passband.cli._count import CountReporter
    from passband.signal.tasks import find_audio

    if out.resolve() == source.resolve():
        raise InputError(f"--out (={out}) must be another folder than IN. Choose one.")
    own = out.resolve()
    files = [path for path in find_audio(source) if not path.resolve().is_relative_to(own)]
    plan = _Plan([(path, path.relative_to(source)) for path in files], out)
    enhancer = _load(model, device)
    failures: list[str] = []
    notes: list[str] = []
    kept, total = len(plan.kept), len(files)
    with CountReporter("files") as reporter:
        for count, (path, place) in enumerate(plan.missing, kept + 1):
            try:
                if warning := _clipping(_enhance_one(enhancer, path, place)):
                    notes.append(f"{place}: {warning}")
            except OutputError:
                raise
            except PassbandError as error:
                failures.append(_named(path, str(error)))
            except KeyboardInterrupt:
                typer.echo("interrupted; run the same command again to go on", err=True)
                raise
            except Exception as error:  # one file's trouble must not end the others'
                failures.append(_named(path, f"{type(error).__name__}: {error}"))
            reporter.update(count, total, failed=len(failures))
    made = len(plan.missing) - len(failures)
    print(f"{total} files: {made} made, {kept} kept, {len(failures)} failed: {out}")
    for line in notes + failures:
        typer.echo(f"passband: {line}", err=True)
    if failures:
        raise typer.Exit(2)


def _enhance_one(
    enhancer: "nn.Module", source: Path, out: Path, *, shown: bool = False
) -> "EnhancedFile":
    from contextlib import ExitStack

    from passband.cli._count import CountReporter
    from passband.media import probe
    from passband.signal.tasks.enhancement import enhance_file

    rate = probe(source).sample_rate or 1
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out.parent} cannot be made: {error.strerror or error}.") from error
    with ExitStack() as stack:
        reporter: CountReporter | None = None

        def report(done: int, total: int) -> None:
            nonlocal reporter
            if not shown or total < _LONG * rate:
                return
            if reporter is None:
                reporter = stack.enter_context(CountReporter("s"))
            reporter.update(done // rate, total // rate, failed=0)

        return enhance_file(enhancer, source, out, report=report)


def _clipping(done: "EnhancedFile") -> str:
    """What to say of samples beyond full scale; nothing where there are none."""
    if not done.clipped:
        return ""
    return (
        f"{done.clipped} samples beyond full scale were clipped (peak {done.peak:.3g}). Lower the "
        "level of the input to avoid it."
    )


def _draw(source: Path, out: Path, picture: Path) -> None:
    from passband.atomic import write_bytes_atomic
    from passband.signal.tasks.enhancement import before_and_after

    write_bytes_atomic(picture, before_and_after(source, out))
    print(f"{picture}: before and after")


def _named(path: Path, reason: str) -> str:
    said = " ".join(reason.split())
    return said if str(path) in said else f"{path}: {said}"
