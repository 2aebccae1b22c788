"""Signals and noises out of files of seismograms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks.denoising._files import read_seismic
from passband.signal.tasks.denoising._mixing import Trace, unit
from passband.signal.tasks.denoising._record import Record, at_rate

_SPAN = 3.0  # seconds on each side of the pick whose deviations are compared
_GUARD = 0.2  # seconds before the pick that are no noise yet: picks are as exact as that
_SHORTEST = 5.0  # seconds of noise worth keeping


@dataclass
class Material:
    """What files gave.

    Attributes:
        traces: channels whose event stands out.
        noises: stretches without events, ``(time,)`` of unit deviation.
        owners: the file of each trace.
        faults: why files gave nothing.
    """

    traces: list[Trace] = field(default_factory=list)
    noises: list[Tensor] = field(default_factory=list)
    owners: list[Path] = field(default_factory=list)
    faults: dict[Path, str] = field(default_factory=dict)


def collect(
    files: Sequence[Path],
    sample_rate: int,
    *,
    min_snr: float,
    report: Callable[[str], None] = lambda line: None,
) -> Material:
    """Traces with an event, and the noise before each pick; every component is a trace.

    A file that cannot be read or has no pick is reported and left out. Dead channels give nothing.

    Args:
        files: of seismograms.
        sample_rate: of what is returned, in Hz.
        min_snr: least ratio of standard deviations in the 3 s after and before the pick.
        report: takes the line about a file that is left out.

    Example:
        >>> import tempfile, torch
        >>> import numpy as np
        >>> path = Path(tempfile.mkdtemp()) / "a.npz"
        >>> quake = np.random.default_rng(0).standard_normal((2000, 3))
        >>> quake[1000:] *= 50
        >>> np.savez(path, data=quake, itp=1000)
        >>> found = collect([path], 100, min_snr=10)
        >>> len(found.traces), found.traces[0].pick, [len(noise) for noise in found.noises]
        (3, 1000, [980, 980, 980])
    """
    material = Material()
    for path in files:
        try:
            picked = [record for record in read_seismic(path).records if _has_pick(record)]
            if not picked:
                raise InputError(
                    f"{path} has no pick of the first arrival inside the record (`itp` of an .npz, "
                    "header A of a SAC file)."
                )
        except InputError as error:
            material.faults[path] = " ".join(str(error).split())
            report(f"left out: {material.faults[path]}")
            continue
        for record in picked:
            _add(material, path, record, sample_rate, min_snr)
    return material


def collect_noise(
    files: Sequence[Path], sample_rate: int, *, report: Callable[[str], None] = lambda line: None
) -> Material:
    """Files that are noise from end to end; every component is a stretch of it.

    Args:
        files: of seismograms.
        sample_rate: of what is returned, in Hz.
        report: takes the line about a file that is left out.

    Example:
        >>> collect_noise([], 100).noises
        []
    """
    material = Material()
    for path in files:
        try:
            records = read_seismic(path).records
        except InputError as error:
            material.faults[path] = " ".join(str(error).split())
            report(f"left out: {material.faults[path]}")
            continue
        for record in records:
            for samples in _resampled(record, sample_rate):
                _add_noise(material, samples, sample_rate)
    return material


def _has_pick(record: Record) -> bool:
    return record.pick is not None and 0 < record.pick < record.samples.shape[-1]


def _resampled(record: Record, sample_rate: int) -> Tensor:
    # Centred first: an offset would ring at the ends.
    centred = record.samples - record.samples.mean(dim=-1, keepdim=True)
    return at_rate(centred, record.sample_rate, sample_rate)


def _add(material: Material, path: Path, record: Record, sample_rate: int, min_snr: float) -> None:
    assert record.pick is not None
    pick = round(record.pick * sample_rate / record.sample_rate)
    span, guard = round(_SPAN * sample_rate), round(_GUARD * sample_rate)
    for samples in _resampled(record, sample_rate):
        if float(samples.std(correction=0)) == 0:
            continue
        before, after = samples[max(0, pick - span) : pick], samples[pick : pick + span]
        quiet, loud = (float(part.std(correction=0)) for part in (before, after))
        if loud > min_snr * quiet:
            material.traces.append(Trace(unit(samples / samples.abs().max()).float(), pick))
            material.owners.append(path)
        _add_noise(material, samples[: max(0, pick - guard)], sample_rate)


def _add_noise(material: Material, samples: Tensor, sample_rate: int) -> None:
    if len(samples) < _SHORTEST * sample_rate:
        return
    peak = float((samples - samples.mean()).abs().max())
    if peak > 0:
        material.noises.append(unit((samples - samples.mean()) / peak).float())
