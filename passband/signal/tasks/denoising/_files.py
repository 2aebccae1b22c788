"""Which files hold seismograms, and how each is read."""

from pathlib import Path

from passband.errors import InputError
from passband.signal.tasks.denoising._npz import read_npz
from passband.signal.tasks.denoising._record import SeismicFile
from passband.signal.tasks.denoising._stream import read_stream

_FORMATS = {
    ".npz": "NPZ",
    ".mseed": "MSEED",
    ".miniseed": "MSEED",
    ".ms": "MSEED",
    ".sac": "SAC",
}


def format_of(path: Path) -> str:
    """``NPZ``, ``MSEED`` or ``SAC``, by the suffix of ``path``.

    Raises:
        InputError: it has another.

    Example:
        >>> format_of(Path("NC.JFP..HHZ.SAC"))
        'SAC'
    """
    found = _FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(
            f"{path} ends in {path.suffix or 'no suffix'!r}; seismograms are files that end in "
            f"{', '.join(_FORMATS)}. Rename it, or choose another."
        )
    return found


def find_records(folder: Path) -> list[Path]:
    """Files of seismograms in ``folder`` and the folders below it, in the order of their names.

    Args:
        folder: where to look; names that start with a dot are left out.

    Raises:
        InputError: no such folder, or none of its files is a seismogram.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("b.npz", "a.SAC", "list.csv"):
        ...     (folder / name).touch()
        >>> [path.name for path in find_records(folder)]
        ['a.SAC', 'b.npz']
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Pass one that holds seismograms.")
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _FORMATS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise InputError(f"{folder} holds no seismograms ({', '.join(_FORMATS)}). Check the path.")
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def read_seismic(path: Path) -> SeismicFile:
    """Read ``path``, a file of NumPy's arrays, miniSEED or SAC, by its suffix.

    Raises:
        InputError: the suffix is another, or the file is missing or damaged.
        MissingDependencyError: miniSEED or SAC, and ObsPy is not installed.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> path = Path(tempfile.mkdtemp()) / "a.npz"
        >>> np.savez(path, data=np.ones(3000))
        >>> read_seismic(path).records[0].seconds
        30.0
    """
    format_ = format_of(path)
    return read_npz(path) if format_ == "NPZ" else read_stream(path, format_)
