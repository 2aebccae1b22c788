"""``passband diagnose``: why a fitted field learned what it learned."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer


def diagnose(
    run: Annotated[Path, typer.Argument(help="Run folder of a finished fit.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to write to, by default the run's.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Points of the tangent kernel, 2 to 4096.")] = 256,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the points looked at.")] = 0,
) -> None:
    """Measure how a fitted field learns: bands, gradient confusion, patterns, tangent kernel.

    Reads the signal again and writes diagnosis.json and diagnosis.html.
    """
    from passband.inr.diagnosis import diagnose as diagnose_run
    from passband.training import keep_freed_memory

    keep_freed_memory()
    numbers = diagnose_run(
        run, out, samples=samples, device=device, seed=seed, progress=_Stages().update
    )
    _print_table(numbers)
    print(f"report: {(out or run) / 'diagnosis.html'}")


class _Stages:
    """A line on standard error for every stage, and one every few seconds within it."""

    def __init__(self, interval: float = 3.0) -> None:
        self._interval, self._stage, self._spoke = interval, "", 0.0

    def update(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self._stage or now - self._spoke > self._interval:
            print(f"{stage}: {done}/{total}", file=sys.stderr)
            self._stage, self._spoke = stage, now


def _print_table(numbers: dict[str, Any]) -> None:
    print(f"{'':<32}{'neighbours':>12}{'opposite':>12}")
    for part, confusion in numbers["gradient_confusion"].items():
        _row(f"gradient cosine, {part}", [confusion[k]["mean"] for k in _KINDS], "{:+.3f}")
        _row("  share below zero", [confusion[k]["negative"] for k in _KINDS], "{:.1%}")
    activation = numbers["activation"]
    units = activation["units"]
    means = [activation["hamming"][kind]["mean"] for kind in _KINDS]
    _row(f"differing units, of {units}", means, "{:.1f}")
    print(f"activation patterns: {activation['regions']} on {activation['region_points']} points")
    if activation["boundary_distance"] is not None:
        print(f"distance to a boundary: {activation['boundary_distance']:.3g}")
    kernel = numbers["kernel"]
    line = f"tangent kernel: effective rank {kernel['effective_rank']:.1f} of {kernel['points']}"
    if kernel["target_in"] is not None:
        line += f", 90 % of the target in the first {kernel['target_in']} eigenvectors"
    print(line)


_KINDS = ("local", "global")


def _row(name: str, values: list[float], form: str) -> None:
    print(f"{name:<32}" + "".join(f"{form.format(value):>12}" for value in values))
