"""``passband features``: arrays of every sound in a folder."""

import os
from pathlib import Path
from typing import Annotated

import typer

from passband.cli._transforms import (
    ChannelOption,
    RateOption,
    SettingsOption,
    TransformName,
    TransformOption,
)

_SHOWN = 20


def features(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of sounds.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write arrays to.")],
    transform: TransformOption = TransformName.MEL,
    set_: SettingsOption = None,
    channel: ChannelOption = "mix",
    rate: RateOption = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default one per core.")
    ] = None,
) -> None:
    """Make arrays of every sound in a folder and the folders in it.

    a/b.wav becomes a/b.wav.npz, with values, times (s), frequencies (Hz), sample_rate, hop_length
    and the settings; numpy.load reads it without pickle. Run the same command again to go on after
    an interruption: files of unchanged sounds and settings are kept. A sound that cannot be read is
    skipped and named with the reason, here and in failures.json.

    Exit code: 0 if every sound has its arrays, 2 if some failed, 130 after Ctrl-C.
    """
    from passband.cli._count import CountReporter
    from passband.signal._analysis import plan_analysis
    from passband.signal._features import FAILURES, FeatureJob, extract_features

    plan = plan_analysis(transform.value, set_ or [], channel=channel, sample_rate=rate)
    job = FeatureJob(folder, out, plan)
    with CountReporter("files") as reporter:
        summary = extract_features(
            job,
            jobs=jobs or _cores(),
            progress=lambda now: reporter.update(now.done, now.total, failed=len(now.failures)),
        )
    failed = len(summary.failures)
    print(
        f"{summary.total} sounds: {summary.made} made, {summary.kept} kept, {failed} failed: {out}"
    )
    for name, reason in sorted(summary.failures.items())[:_SHOWN]:
        said = reason if name in reason else f"{name}: {reason}"
        typer.echo(f"passband: {said}", err=True)
    if failed > _SHOWN:
        typer.echo(f"passband: and {failed - _SHOWN} more; see {out / FAILURES}", err=True)
    if summary.interrupted:
        typer.echo("interrupted; run the same command again to go on", err=True)
        raise KeyboardInterrupt
    if failed:
        raise typer.Exit(2)


def _cores() -> int:
    """Those this process may run on, where the system says."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
