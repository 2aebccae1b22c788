"""Seismograms in NumPy's archives, as DeepDenoiser's data sets have them."""

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from passband.atomic import atomic_path
from passband.errors import InputError
from passband.signal.tasks.denoising._record import Record, SeismicFile, require_numbers

_RATE = 100.0  # of the published sets, whose files do not say it


def read_npz(path: Path) -> SeismicFile:
    """Read ``data`` of an .npz file, ``(time,)`` or ``(time, channels)``, without running code.

    ``sample_rate`` (Hz) is 100 where the file has none; ``itp`` is the sample of the first arrival.
    The longer axis is time. What is written in its form has all other entries of the file.

    Raises:
        InputError: the file is damaged, or has no such array.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.npz"
        >>> np.savez(path, data=np.ones((500, 3)), itp=200)
        >>> record = read_npz(path).records[0]
        >>> record.samples.shape, record.sample_rate, record.pick
        (torch.Size([3, 500]), 100.0, 200)

    Reference: the data of Zhu, Mousavi, Beroza, Seismic signal denoising and decomposition using
    deep neural networks, IEEE Transactions on Geoscience and Remote Sensing 57(11), 2019.
    """
    entries = _entries(path)
    data = entries.get("data")
    if data is None:
        raise InputError(
            f"{path} holds {', '.join(entries) or 'nothing'}, not `data`. Save the samples under "
            "this name."
        )
    if data.ndim not in (1, 2) or data.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: `data` (shape {data.shape}, {data.dtype}) must be real numbers (time,) or "
            "(time, channels)."
        )
    samples = torch.from_numpy(_channels_first(data.astype(np.float64, copy=True)))
    require_numbers(samples, path)
    rate = _number(entries, "sample_rate", path)
    pick = _number(entries, "itp", path)
    record = Record(samples, _RATE if rate is None else rate, None if pick is None else round(pick))
    return SeismicFile((record,), partial(_write, entries))


def _entries(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist. Check the path.") from error
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise InputError(
            f"{path} cannot be read as arrays: {reason}. Save it again with numpy.savez."
        ) from error


def _number(entries: dict[str, np.ndarray], name: str, path: Path) -> float | None:
    value = entries.get(name)
    if value is None:
        return None
    if value.size != 1 or value.dtype.kind not in "fiu" or not np.isfinite(value).all():
        raise InputError(f"{path}: `{name}` (={value}) must be one number. Save it again.")
    number = float(value.reshape(()))
    if number < 0 or (name == "sample_rate" and number == 0):
        raise InputError(f"{path}: `{name}` (={number:g}) must be above 0. Save it again.")
    return number


def _channels_first(data: np.ndarray) -> np.ndarray:
    """``(channels, time)``: the longer axis is time."""
    if data.ndim == 1:
        return data[None]
    return np.ascontiguousarray(data.T) if data.shape[0] >= data.shape[1] else data


def _write(entries: dict[str, np.ndarray], path: Path, samples: Sequence[Tensor]) -> None:
    old = entries["data"]
    new = samples[0].numpy()
    if old.ndim == 1:
        new = new[0]
    elif old.shape[0] >= old.shape[1]:
        new = new.T
    kind = old.dtype if old.dtype.kind == "f" else np.dtype(np.float32)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        arrays: dict[str, Any] = {**entries, "data": np.ascontiguousarray(new.astype(kind))}
        np.savez(file, **arrays)
