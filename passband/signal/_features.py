"""A folder of sounds to a folder of arrays: resumable, and no file is lost for another's fault."""

import errno
import functools
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from passband import __version__
from passband.atomic import TEMPORARY_FILES, write_bytes_atomic, write_text_atomic
from passband.errors import InputError, OutputError, PassbandError
from passband.media import read_audio
from passband.media._sniff import KINDS, SUFFIXES
from passband.signal._analysis import AnalysisPlan, analyse
from passband.signal._workers import Crash, run_in_workers
from passband.training import InterruptGuard

FAILURES = "failures.json"

_ABANDONED = 600.0  # seconds after which a temporary file has no writer any more
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class FeatureJob:
    """Arrays to make of every sound in a folder.

    Args:
        source: folder of sounds.
        out: folder that gets ``a/b.wav.npz`` for ``a/b.wav``.
        plan: what to do with each.
    """

    source: Path
    out: Path
    plan: AnalysisPlan


@dataclass
class FeatureSummary:
    """How the files of a job fared.

    Args:
        total: sounds in the folder.
        made: files made now.
        kept: files that were there already, of the same sound and settings.
        failures: reason by name of the sound.
        interrupted: whether the job was told to stop; then some files are in none of these.
    """

    total: int
    made: int = 0
    kept: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def done(self) -> int:
        """Files dealt with, one way or another."""
        return self.made + self.kept + len(self.failures)


@dataclass(frozen=True)
class _Outcome:
    kind: Literal["made", "kept", "failed", "full"]
    reason: str = ""


def extract_features(
    job: FeatureJob, *, jobs: int = 1, progress: Callable[[FeatureSummary], None] | None = None
) -> FeatureSummary:
    """Make the arrays of every sound of ``job`` that has none yet, in ``jobs`` processes.

    An array file appears whole or not at all, and records its sound's size and time of change, the
    settings and Passband's version; where all are as before it is kept. Sounds that fail are named
    with the reason in ``failures.json``. The first Ctrl-C lets files in work finish.

    Args:
        job: what to make of what.
        jobs: processes, at least 1, of one thread each.
        progress: called with the counts so far after every file.

    Raises:
        InputError: the folder is missing or holds no sound.
        OutputError: the other folder cannot be made or written, or the device is full.
    """
    names = list_sounds(job.source)
    _prepare(job.out)
    summary = FeatureSummary(len(names))
    with InterruptGuard() as guard:
        work = run_in_workers(
            functools.partial(_make, job), names, jobs=jobs, stop=lambda: guard.requested
        )
        try:
            with closing(work) as outcomes:
                for name, outcome in outcomes:
                    _count(summary, name, outcome)
                    if progress is not None:
                        progress(summary)
        finally:
            _write_failures(job.out / FAILURES, summary.failures)
    summary.interrupted = guard.requested and summary.done < summary.total
    return summary


def list_sounds(folder: Path) -> list[str]:
    """Paths of the sound files under ``folder``, relative to it, sorted; hidden ones left out.

    Raises:
        InputError: the folder is missing, cannot be read or holds no sound.
    """
    if not folder.exists():
        raise InputError(f"{folder} does not exist. Pass a folder of sound files.")
    if not folder.is_dir():
        raise InputError(
            f"{folder} is a file. Pass its folder, or use passband spectrogram for one file."
        )
    suffixes = [suffix for suffix, kind in SUFFIXES.items() if KINDS[kind] == "audio"]
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in _walk(folder, ())
        if path.suffix.lower() in suffixes
    )
    if not found:
        raise InputError(f"{folder} holds no sound files ({', '.join(suffixes)}). Check the path.")
    return found


def _walk(folder: Path, above: tuple[str, ...]) -> Iterator[Path]:
    """Every file under ``folder``, linked folders included, but none inside itself."""
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder} cannot be listed: {error.strerror or error}. Change its permissions."
        ) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, (*above, real))
        else:
            yield entry


def _prepare(out: Path) -> None:
    """Make the folder, see that it can be written, and clear what a killed run left in it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be made: {error.strerror or error}. Choose another folder with --out."
        ) from error
    if not (out / FAILURES).exists():
        write_text_atomic(out / FAILURES, "[]\n")
    for leftover in out.rglob(TEMPORARY_FILES):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _ABANDONED:
                leftover.unlink()


def _count(summary: FeatureSummary, name: str, outcome: _Outcome | Crash) -> None:
    if isinstance(outcome, Crash):
        summary.failures[name] = str(outcome)
    elif outcome.kind == "made":
        summary.made += 1
    elif outcome.kind == "kept":
        summary.kept += 1
    elif outcome.kind == "failed":
        summary.failures[name] = outcome.reason
    else:
        raise OutputError(outcome.reason)


def _write_failures(path: Path, failures: dict[str, str]) -> None:
    if not failures:
        path.unlink(missing_ok=True)
        return
    plain = [{"file": name, "reason": reason} for name, reason in sorted(failures.items())]
    write_text_atomic(path, json.dumps(plain, indent=1, ensure_ascii=False) + "\n")


def _make(job: FeatureJob, name: str) -> _Outcome:
    """Make the arrays of one sound; every fault is an outcome."""
    out = job.out / f"{name}.npz"
    try:
        facts = _facts(job, name)
        if _is_finished(out, facts):
            return _Outcome("kept")
        audio = read_audio(job.source / name)
        analysis = analyse(audio.samples, audio.sample_rate, job.plan)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(out, analysis.to_npz(**facts))
    except OutputError as error:
        full = getattr(error.__cause__, "errno", None) in _FULL
        return _Outcome("full" if full else "failed", str(error))
    except PassbandError as error:
        return _Outcome("failed", " ".join(str(error).split()))
    except Exception as error:  # one file's trouble, whatever it is, must not end the others'
        return _Outcome("failed", f"{type(error).__name__}: {error}")
    return _Outcome("made")


def _facts(job: FeatureJob, name: str) -> dict[str, str | int]:
    """What the arrays depend on; equal facts mean equal arrays."""
    try:
        status = (job.source / name).stat()
    except OSError as error:
        raise InputError(
            f"{job.source / name} cannot be read: {error.strerror or error}. Copy it again."
        ) from error
    return {
        "source": name,
        "source_size": status.st_size,
        "source_changed_ns": status.st_mtime_ns,
        "plan": job.plan.to_json(),
        "passband": __version__,
    }


def _is_finished(out: Path, facts: dict[str, str | int]) -> bool:
    try:
        with out.open("rb") as file, np.load(file, allow_pickle=False) as entries:
            return all(entries[key].item() == value for key, value in facts.items())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False  # missing, cut short by copying, or of another make
