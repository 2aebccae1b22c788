"""Which sound files are speech, noise and rooms, and which of them are only listened to."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path

from passband.errors import InputError
from passband.signal.tasks._files import find_audio, hold_out


@dataclass(frozen=True)
class Split:
    """Sound files to learn from and those held out."""

    learned: list[Path]
    held_out: list[Path]


def find_sounds(setting: str, sources: Sequence[str]) -> list[Path]:
    """The sound files that ``sources`` name: folders, files, or patterns of either.

    Args:
        setting: name of the setting, for errors.
        sources: such as ``noise``, ``noise/rain.wav`` or ``noise/*_2024``.

    Returns:
        Paths in the order of ``sources``, each once.

    Raises:
        InputError: nothing is there, or a folder holds no sound.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("a.wav", "b.wav", "c.txt"):
        ...     (folder / name).touch()
        >>> [path.name for path in find_sounds("noise", [f"{folder}/b.*", str(folder)])]
        ['b.wav', 'a.wav']
    """
    found: dict[Path, None] = {}
    for source in sources:
        there = [Path(name) for name in sorted(glob(source, recursive=True))]
        if not there:
            raise InputError(
                f"`{setting}` (={source}) is neither a folder nor a file. Pass folders of sound "
                "files, files, or patterns of them."
            )
        for path in there:
            found |= dict.fromkeys(find_audio(path) if path.is_dir() else [path])
    return list(found)


def split_by_name(
    setting: str, files: Sequence[Path], names: Sequence[str], count: int, *, seed: int
) -> Split:
    """Hold out the files whose names match ``names``; without any, ``count`` by chance of ``seed``.

    Args:
        setting: name of the setting with the names, for errors.
        files: sound files, in a fixed order.
        names: patterns such as ``5-*`` of file names without their folders.
        count: files to hold out where there are no names.
        seed: of that choice.

    Raises:
        InputError: no file matches, or none is left to learn from.

    Example:
        >>> split_by_name("held_out", [Path("a.wav"), Path("b.wav")], ["b*"], 1, seed=0).learned
        [PosixPath('a.wav')]
    """
    if not names:
        return Split(*hold_out(files, count, seed=seed))
    apart = [path for path in files if any(fnmatchcase(path.name, name) for name in names)]
    learned = [path for path in files if path not in set(apart)]
    if not apart or not learned:
        which = "none" if not apart else "all"
        raise InputError(
            f"`{setting}` (={', '.join(names)}) matches {which} of the {len(files)} files. Name "
            "some of them."
        )
    return Split(learned, apart)
