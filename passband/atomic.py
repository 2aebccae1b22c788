"""Files that appear whole or not at all: a temporary sibling, synced, renamed onto the name."""

import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from passband.errors import OutputError

TEMPORARY_FILES = ".passband-*"
"""Pattern of the names under which files are written before they are renamed."""

_CURES = {
    errno.ENOSPC: (
        "there is no space left on the device holding {folder}; "
        "free some or choose another folder with --out"
    ),
    errno.EDQUOT: (
        "the disk quota of {folder} is used up; free some or choose another folder with --out"
    ),
    errno.EACCES: (
        "permission denied; change the permissions of {folder} or choose another folder with --out"
    ),
    errno.EPERM: (
        "permission denied; change the permissions of {folder} or choose another folder with --out"
    ),
    errno.EROFS: "{folder} is read-only; choose another folder with --out",
    errno.ENOENT: "the folder {folder} does not exist; make it or choose another with --out",
    errno.ENOTDIR: "{folder} is not a folder; choose another with --out",
    errno.EISDIR: "it is a folder; name a file inside it",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
    errno.EFBIG: "it is larger than a file may be here; choose another folder with --out",
}


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary sibling of ``path`` to write to, renamed onto ``path`` when the block succeeds.

    The sibling has the same suffix, so libraries that choose a format by it still do. Its content
    and the folder are synced to the device before and after the rename. On any exception, an
    interrupt included, the sibling is removed and whatever stood under ``path`` is left as it was.
    An existing file keeps its permissions, and a link stays a link.

    Args:
        path: the file to make or replace; its folder must exist.

    Yields:
        The path to write to; it exists and is empty.

    Raises:
        OutputError: the folder or the device refuses (permission, space, missing folder, ...).

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_path(Path(folder) / "a.txt") as temporary:
        ...         _ = temporary.write_text("whole")
        ...     [file.name for file in Path(folder).iterdir()]
        ['a.txt']
    """
    target = Path(os.path.realpath(path))
    # Not derived from the name itself, which may already be as long as the file system allows.
    temporary = target.parent / (TEMPORARY_FILES.replace("*", token_hex(8)) + target.suffix)
    try:
        _create(temporary, target)
        yield temporary
        _sync(temporary, os.O_RDWR)
        os.replace(temporary, target)
        if os.name == "posix":  # elsewhere a folder cannot be opened, and the rename is enough
            _sync(target.parent, os.O_RDONLY)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and _concerns(error, temporary, target):
            raise _explain(error, path, target) from error
        raise


def write_bytes_atomic(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write ``data`` to ``path`` whole or not at all.

    Args:
        path: the file to make or replace; its folder must exist.
        data: what it shall hold.

    Raises:
        OutputError: the file cannot be written; what stood there before is unharmed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_bytes_atomic(Path(folder) / "a.bin", b"abc")
        ...     (Path(folder) / "a.bin").read_bytes()
        b'abc'
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text_atomic(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, newlines as they are, whole or not at all.

    Args:
        path: the file to make or replace; its folder must exist.
        text: what it shall hold.

    Raises:
        OutputError: the file cannot be written; what stood there before is unharmed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_text_atomic(Path(folder) / "a.txt", "ω = 30")
        ...     (Path(folder) / "a.txt").read_text(encoding="utf-8")
        'ω = 30'
    """
    write_bytes_atomic(path, text.encode("utf-8"))


def write_json_atomic(path: str | os.PathLike[str], value: dict[str, Any]) -> None:
    """Write ``value`` as indented JSON, with null for infinite numbers and NaN.

    Raises:
        OutputError: the file cannot be written; a file that was there is untouched.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "metrics.json"
        >>> write_json_atomic(path, {"psnr": math.inf, "steps": [1, 2.5]})
        >>> json.loads(path.read_text())
        {'psnr': None, 'steps': [1, 2.5]}
    """
    write_text_atomic(path, json.dumps(_finite(value), indent=1) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _create(temporary: Path, target: Path) -> None:
    mode = 0o666  # the system takes the umask off
    with suppress(FileNotFoundError):
        status = target.stat()
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        if not stat.S_ISREG(status.st_mode):
            # Renaming onto /dev/null or a pipe would replace the device itself.
            raise OutputError(f"{target} cannot be written: it is not a regular file.")
        mode = stat.S_IMODE(status.st_mode)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    if mode != 0o666:
        os.chmod(temporary, mode)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _concerns(error: OSError, temporary: Path, target: Path) -> bool:
    """Whether ``error`` is about writing this file, not about another the block also touched."""
    if isinstance(error, OutputError):
        return False
    named = {None, str(temporary), str(target), str(target.parent)}
    return (None if error.filename is None else os.fspath(error.filename)) in named


def _explain(error: OSError, path: str | os.PathLike[str], target: Path) -> OutputError:
    reason = (error.strerror or str(error)) + "; choose another folder with --out"
    cure = _CURES.get(error.errno or 0, reason).format(folder=target.parent)
    return OutputError(f"{os.fspath(path)} cannot be written: {cure}.")
