"""Which sound files are learned from, and which are kept apart."""

from collections.abc import Sequence
from pathlib import Path

import torch

from passband.errors import InputError
from passband.media._sniff import KINDS, SUFFIXES
from passband.training import make_generator

_AUDIO = frozenset(suffix for suffix, format_ in SUFFIXES.items() if KINDS[format_] == "audio")
_SPLIT = 101  # stream of the split's numbers


def find_audio(folder: Path) -> list[Path]:
    """The sound files in ``folder`` and the folders below it, by the suffixes that can be read.

    Args:
        folder: where to look; names that start with a dot are left out.

    Returns:
        Paths in the order of their names, the same on every system.

    Raises:
        InputError: no such folder, or none of its files is sound.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("b.wav", "a.FLAC", "notes.txt", ".c.wav"):
        ...     (folder / name).touch()
        >>> [path.name for path in find_audio(folder)]
        ['a.FLAC', 'b.wav']
    """
    if not folder.is_dir():
        raise InputError(f"`data` (={folder}) is not a folder. Pass one that holds sound files.")
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _AUDIO
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise InputError(
            f"`data` (={folder}) holds no sound files. Pass a folder with "
            f"{', '.join(sorted(_AUDIO))} files in it or below."
        )
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def hold_out(files: Sequence[Path], count: int, *, seed: int) -> tuple[list[Path], list[Path]]:
    """Split ``files`` into those to learn from and ``count`` held out, by chance of ``seed``.

    Args:
        files: sound files, in a fixed order.
        count: files to hold out, at least 1.
        seed: of the choice; the same for every run that is to be compared.

    Returns:
        The files to learn from and those held out, both in the order given.

    Raises:
        InputError: nothing would be left to learn from.

    Example:
        >>> learned, held = hold_out([Path(f"{i}.wav") for i in range(8)], 2, seed=0)
        >>> len(learned), len(held), set(learned) & set(held)
        (6, 2, set())
    """
    if count >= len(files):
        raise InputError(
            f"`data.held_out` (={count}) must be less than the number of sound files, "
            f"{len(files)}. Lower it, or pass more files."
        )
    order = torch.randperm(len(files), generator=make_generator(seed, _SPLIT)).tolist()
    apart = set(order[:count])
    return (
        [path for index, path in enumerate(files) if index not in apart],
        [path for index, path in enumerate(files) if index in apart],
    )
