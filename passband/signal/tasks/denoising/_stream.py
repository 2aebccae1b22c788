"""Seismograms in miniSEED and SAC, through ObsPy."""

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from passband.atomic import atomic_path
from passband.errors import InputError, MissingDependencyError
from passband.signal.tasks.denoising._record import Record, SeismicFile, require_numbers

_UNSET = -12345.0  # a header of SAC that nobody filled in


def read_stream(path: Path, format_: str) -> SeismicFile:
    """Read a miniSEED or SAC file; every trace of it, which a gap divides, is a record.

    The pick is SAC's first arrival, header A; miniSEED has none. What is written in its form has
    its headers; whole numbers become float32.

    Args:
        path: the file.
        format_: ``MSEED`` or ``SAC``.

    Raises:
        MissingDependencyError: ObsPy is not installed.
        InputError: the file is missing or damaged.

    Example:
        >>> read_stream(Path("absent.mseed"), "MSEED")  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        passband.errors.InputError: absent.mseed does not exist. Check the path.

    Reference: Beyreuther and others, ObsPy: a Python toolbox for seismology, Seismological
    Research Letters 81(3), 2010.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist. Check the path.")
    obspy = _obspy(path)
    try:
        with warnings.catch_warnings():
            # What ObsPy only warns of, such as a damaged block, is loss.
            warnings.simplefilter("error", category=UserWarning)
            stream = obspy.read(str(path), format=format_)
    except Exception as error:  # ObsPy raises many kinds, down to struct.error
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(
            f"{path} cannot be read as {format_}: {reason}. Check the file with ObsPy."
        ) from error
    records = [_record(trace, path) for trace in stream]
    if not records:
        raise InputError(f"{path} holds no traces. Check the file with ObsPy.")
    return SeismicFile(records, partial(_write, stream, format_))


def _obspy(path: Path) -> Any:
    try:
        import obspy  # noqa: PLC0415  optional, slow to load
    except ImportError as error:
        raise MissingDependencyError(
            f"{path} needs ObsPy to be read. pip install obspy, or save it as .npz."
        ) from error
    return obspy


def _record(trace: Any, path: Path) -> Record:
    samples = torch.from_numpy(np.ma.filled(trace.data.astype(np.float64), np.nan))[None]
    require_numbers(samples, f"{path}: {trace.id}")
    header = trace.stats.get("sac", {})
    arrival, begin = (float(header.get(name, _UNSET)) for name in ("a", "b"))
    rate = float(trace.stats.sampling_rate)
    known = arrival != _UNSET
    pick = round((arrival - (0.0 if begin == _UNSET else begin)) * rate) if known else None
    return Record(samples, rate, pick)


def _write(stream: Any, format_: str, path: Path, samples: Sequence[Tensor]) -> None:
    made = stream.copy()
    for trace, values in zip(made, samples, strict=True):
        kind = trace.data.dtype if trace.data.dtype.kind == "f" else np.dtype(np.float32)
        trace.data = np.ascontiguousarray(values[0].numpy().astype(kind))
        if "mseed" in trace.stats:  # whole numbers were packed in a way that floats cannot be
            trace.stats.mseed.pop("encoding", None)
    with atomic_path(path) as temporary:
        made.write(str(temporary), format=format_)
