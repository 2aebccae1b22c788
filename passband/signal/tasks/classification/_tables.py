"""Tables that say what the clips of a folder are, in the columns that published sets use."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from passband.errors import InputError

_PATH = ("path", "filename", "slice_file_name", "file")
_CLASS = ("category", "class", "label", "target", "classid")
_FOLD = ("fold",)
_SOURCE = ("src_file", "source", "fsid")

Row = tuple[str, str, int | None, str | None]


def find_table(folder: Path) -> Path | None:
    """The table of ``folder``: the one CSV file in it or in its ``meta`` or ``metadata``.

    Raises:
        InputError: there are several.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> find_table(folder) is None
        True
    """
    places = (folder, folder / "meta", folder / "metadata")
    for place in places:
        found = sorted(place.glob("*.csv")) if place.is_dir() else []
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise InputError(f"`data.folder` (={folder}) has several tables: {names}. Keep one.")
        if found:
            return found[0]
    return None


def read_table(table: Path) -> list[Row]:
    """Name of the file, class, fold and source of every clip; a name of a class before its number.

    Args:
        table: a CSV file with a column ``path``, ``filename``, ``slice_file_name`` or ``file``, one
            of ``category``, ``class``, ``label``, ``target`` or ``classID``, and where there are
            any ``fold`` and ``src_file``, ``source`` or ``fsID``.

    Raises:
        InputError: it cannot be read, lacks a column, or a fold is no positive number.

    Example:
        >>> import tempfile
        >>> table = Path(tempfile.mkdtemp()) / "meta.csv"
        >>> _ = table.write_text("filename,fold,target,category\\na.ogg,2,0,dog\\n")
        >>> read_table(table)
        [('a.ogg', 'dog', 2, None)]

    Agrees with the tables of ESC-50 (Piczak, ESC: dataset for environmental sound classification,
    ACM Multimedia, 2015), ESC-10 and UrbanSound8K.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lines = list(reader)
            columns = {str(name).strip().lower(): name for name in reader.fieldnames or ()}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table} cannot be read as a table: {error}. Check it.") from error
    path, label = _column(columns, _PATH), _column(columns, _CLASS)
    if path is None or label is None:
        missing = "file (path, filename)" if path is None else "class (category, label, target)"
        raise InputError(f"{table} has no column for the {missing}. Add one.")
    fold, source = _column(columns, _FOLD), _column(columns, _SOURCE)
    return [
        (
            line[path],
            line[label].strip(),
            None if fold is None else _fold(line[fold], table, number),
            None if source is None else line[source],
        )
        for number, line in enumerate(lines, 2)
        if line[path] and line[label] and line[label].strip()
    ]


def _column(columns: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((columns[name] for name in names if name in columns), None)


def _fold(text: str | None, table: Path, line: int) -> int:
    try:
        number = int(text or "")
    except ValueError:
        number = 0
    if number < 1:
        raise InputError(f"{table}, line {line}: `fold` (={text}) must be 1 or more. Correct it.")
    return number
