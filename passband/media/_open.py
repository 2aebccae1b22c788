"""Open a file a person named, or say in one line why it cannot be opened."""

import difflib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from passband.errors import InputError


@contextmanager
def open_input(path: Path) -> Iterator[BufferedReader]:
    """The file at ``path``, open for reading and not empty, or `InputError` saying why not."""
    try:
        status = path.stat()
        _refuse_unless_file(path, status.st_mode)
        file = path.open("rb")
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. {_suggestion(path)}") from None
    except PermissionError:
        raise InputError(
            f"{path} may not be read (permission denied). Change its permissions, "
            f"or those of its folder."
        ) from None
    except (OSError, ValueError) as error:  # a name too long, a ring of links, a zero byte
        raise InputError(f"{path} cannot be opened: {error}. Check the path.") from None
    with file:
        if status.st_size == 0:
            raise InputError(f"{path} is empty (0 bytes). Copy or download it again.")
        try:
            yield file
        except OSError as error:
            if isinstance(error, IsADirectoryError) or error.filename is not None:
                raise
            raise InputError(
                f"{path} cannot be read: {error.strerror or error}. Copy it again."
            ) from error


def file_size(file: BufferedReader) -> int:
    """Length of an open file in bytes, where it stands unchanged."""
    return os.fstat(file.fileno()).st_size


def _refuse_unless_file(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder. Pass one file inside it.")
    if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
        raise InputError(f"{path} is not a regular file. Copy it to a file first.")


def _suggestion(path: Path) -> str:
    if not path.parent.is_dir():
        return f"Neither does its folder {path.parent}. Check the path."
    with suppress(OSError):
        close = difflib.get_close_matches(path.name, os.listdir(path.parent), n=1)
        if close:
            return f"Did you mean {path.parent / close[0]}?"
    return "Check the path."
