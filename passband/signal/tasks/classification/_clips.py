"""Labelled clips: which files there are, of which class, in which fold."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from passband.errors import InputError
from passband.signal.tasks import find_audio
from passband.signal.tasks.classification._folds import draw_folds
from passband.signal.tasks.classification._recipe import DataSettings
from passband.signal.tasks.classification._tables import Row, find_table, read_table


@dataclass(frozen=True)
class LabelledClips:
    """Files with their classes and folds.

    Attributes:
        folder: that they are in.
        files: paths, in the order of their names.
        labels: number of the class of each.
        folds: of each, from 1.
        classes: names, in alphabetical order.
        left_out: files that are not used, with the reason.
    """

    folder: Path
    files: list[Path]
    labels: list[int]
    folds: list[int]
    classes: list[str]
    left_out: dict[str, str] = field(default_factory=dict)

    def name(self, index: int) -> str:
        """Path of a clip, from the folder."""
        return self.files[index].relative_to(self.folder).as_posix()

    def without(self, bad: Mapping[int, str]) -> "LabelledClips":
        """Without the clips of these numbers, and without classes that have one clip then.

        Args:
            bad: reason by number of the clip.

        Raises:
            InputError: fewer than two classes are left.
        """
        counts = Counter(label for k, label in enumerate(self.labels) if k not in bad)
        why = dict(bad)
        for k, label in enumerate(self.labels):
            if k not in bad and counts[label] == 1:
                why[k] = f"it is the only clip of its class, {self.classes[label]}"
        kept = [label for label in range(len(self.classes)) if counts[label] > 1]
        if len(kept) < 2:
            first = next((f" The first file left out: {text}" for text in why.values()), "")
            raise InputError(
                f"`data.folder` (={self.folder}) has {len(kept)} classes of two clips or more; at "
                "least 2 are needed. Put the clips of each class in a folder of its own, or add a "
                f"table.{first}"
            )
        stay = [k for k in range(len(self.files)) if k not in why]
        return LabelledClips(
            self.folder,
            [self.files[k] for k in stay],
            [kept.index(self.labels[k]) for k in stay],
            [self.folds[k] for k in stay],
            [self.classes[label] for label in kept],
            self.left_out | {self.name(k): text for k, text in why.items()},
        )


def read_clips(data: DataSettings) -> LabelledClips:
    """The labelled clips of ``data.folder``.

    A table there, in ``meta`` or in ``metadata`` says what is of which class; files it does not
    name are left out. Without a table the class is the sub-folder that a file is in or below. Where
    no table says the folds they are drawn by ``data.split_seed``. The one clip of a class is left
    out: a class must be learned from one clip and tried on another.

    Args:
        data: of a recipe.

    Raises:
        InputError: no folder, no sound, no label, or fewer than two classes of two clips.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("dog/a.wav", "dog/b.wav", "rain/c.wav", "rain/d.wav"):
        ...     (folder / name).parent.mkdir(exist_ok=True)
        ...     (folder / name).touch()
        >>> clips = read_clips(DataSettings(folder=str(folder), folds=2))
        >>> clips.classes, clips.labels, sorted(clips.folds)
        (['dog', 'rain'], [0, 0, 1, 1], [1, 1, 2, 2])
    """
    if not data.folder:
        raise InputError("`data.folder` must name a folder of labelled sounds. Pass --data DIR.")
    folder = Path(data.folder)
    files = find_audio(folder)
    table = find_table(folder)
    rows = _rows_of_folders(folder, files) if table is None else read_table(table)
    named, left_out = _matched(folder, files, rows, table)
    folds = [row[2] for row in named.values() if row[2] is not None]
    if len(folds) < len(named):
        labels = [row[1] for row in named.values()]
        sources = [row[3] or row[0] for row in named.values()]
        folds = draw_folds(labels, sources, data.folds, seed=data.split_seed)
    classes = sorted({row[1] for row in named.values()})
    numbers = [classes.index(row[1]) for row in named.values()]
    return LabelledClips(folder, list(named), numbers, folds, classes, left_out).without({})


def _rows_of_folders(folder: Path, files: Sequence[Path]) -> list[Row]:
    return [
        (path.relative_to(folder).as_posix(), path.relative_to(folder).parts[0], None, None)
        for path in files
        if path.parent != folder
    ]


def _matched(
    folder: Path, files: Sequence[Path], rows: Sequence[Row], table: Path | None
) -> tuple[dict[Path, Row], dict[str, str]]:
    """The row of each file, and what has no row or no file."""
    by_path = {path.relative_to(folder).as_posix(): path for path in files}
    by_name: dict[str, list[Path]] = {}
    for path in files:
        by_name.setdefault(path.name, []).append(path)
    found: dict[Path, Row] = {}
    left_out: dict[str, str] = {}
    for row in rows:
        named = by_name.get(Path(row[0]).name, [])
        if row[0] in by_path:
            found[by_path[row[0]]] = row
        elif len(named) == 1:
            found[named[0]] = row
        else:
            left_out[row[0]] = "the table names it, the folder does not have it"
    why = "it is in no class's folder" if table is None else f"{table.name} does not name it"
    left_out |= {name: why for name, path in by_path.items() if path not in found}
    if not found:
        raise InputError(
            f"`data.folder` (={folder}) has no labels: "
            + ("its sounds are in no sub-folders" if table is None else f"none is in {table.name}")
            + ". Put the clips of each class in a folder of its own, or add a table."
        )
    return {path: found[path] for path in files if path in found}, left_out
