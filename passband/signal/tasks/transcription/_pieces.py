"""Recordings with the notes that are played in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks import Recordings, find_audio
from passband.signal.tasks.transcription._notes import NOTE_SUFFIXES, Note, read_notes
from passband.signal.tasks.transcription._rolls import LOWEST, PITCHES

_MOST_BEYOND = 0.1  # of the notes: more of them after the end of the sound belong to another one


@dataclass(frozen=True, eq=False)
class Piece:
    """A recording and its notes.

    Attributes:
        name: of the file, without suffix.
        sound: ``(time,)``.
        notes: those that begin within it and are on a piano's keys.
    """

    name: str
    sound: Tensor
    notes: list[Note]


def pair_files(folder: Path) -> tuple[dict[Path, Path], dict[Path, str]]:
    """Sound files below ``folder`` with the lists of notes of the same name, and what has none.

    The list stands beside the sound or, as in ``flac/a.flac`` and ``tsv/a.tsv``, elsewhere below
    the folder if there is but one of the name.

    Args:
        folder: with sounds and lists of notes (``.tsv``, ``.mid``, ``.midi``).

    Returns:
        Lists by sound, in the order of names, and reasons by file that is left out.

    Raises:
        InputError: no such folder, no sounds in it, or none that has notes.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("flac/a.flac", "tsv/a.tsv", "b.wav"):
        ...     (folder / name).parent.mkdir(exist_ok=True)
        ...     (folder / name).touch()
        >>> pairs, left_out = pair_files(folder)
        >>> [path.name for path in pairs], [path.name for path in left_out]
        (['a.flac'], ['b.wav'])
    """
    sounds = find_audio(folder)
    lists = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in NOTE_SUFFIXES and not path.name.startswith(".")
    )
    pairs: dict[Path, Path] = {}
    left_out: dict[Path, str] = {}
    for sound in sounds:
        named = [path for path in lists if path.stem == sound.stem]
        beside = [path for path in named if path.parent == sound.parent]
        chosen = beside or named
        if len(chosen) == 1:
            pairs[sound] = chosen[0]
        else:
            why = "no list of notes" if not chosen else f"{len(chosen)} lists of notes"
            left_out[sound] = f"{sound} has {why} of its name ({', '.join(NOTE_SUFFIXES)})."
    used = set(pairs.values())
    left_out |= {path: f"{path} has no sound of its name." for path in lists if path not in used}
    if not pairs:
        raise InputError(
            f"`data.folder` (={folder}) holds no sound with a list of notes "
            f"({', '.join(NOTE_SUFFIXES)}) of the same name. Put them beside each other."
        )
    return pairs, left_out


def load_pieces(
    pairs: dict[Path, Path],
    sample_rate: int,
    *,
    shortest: float,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[list[Piece], dict[Path, str]]:
    """Read recordings and notes; those that cannot be used are left out.

    Args:
        pairs: lists of notes by sound.
        sample_rate: of the sounds that are returned, in Hz; their peak is 1.
        shortest: seconds that a piece must last.
        report: takes a line about a file that is left out.

    Returns:
        Pieces in the order given, and reasons by file that was left out.
    """
    recordings = Recordings(list(pairs), sample_rate)
    pieces, faults = [], {}
    for index, (path, listed) in enumerate(pairs.items()):
        sound = recordings(index)
        try:
            if sound is None:
                raise InputError(recordings.faults[path])
            pieces.append(_piece(path, listed, sound, sample_rate, shortest))
        except InputError as error:
            faults[path] = str(error)
            report(f"left out: {error}")
    return pieces, faults


def split_pieces(files: Sequence[Path], held_out: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Those to learn from, and those whose names (without suffix) are in ``held_out``.

    Raises:
        InputError: a name is no file's, or nothing is left to learn from.

    Example:
        >>> learned, held = split_pieces([Path("a.wav"), Path("b.wav")], ["b"])
        >>> learned[0].name, held[0].name
        ('a.wav', 'b.wav')
    """
    missing = sorted(set(held_out) - {path.stem for path in files})
    if missing:
        raise InputError(
            f"`data.held_out` (={missing[0]!r}) must name pieces of the folder, such as "
            f"{files[0].stem!r}; or pass a number of them: --set data.held_out=1."
        )
    learned = [path for path in files if path.stem not in held_out]
    if not learned:
        raise InputError("`data.held_out` names all pieces. Leave some to learn from.")
    return learned, [path for path in files if path.stem in held_out]


def _piece(path: Path, listed: Path, sound: Tensor, rate: int, shortest: float) -> Piece:
    seconds = sound.numel() / rate
    if seconds < shortest:
        raise InputError(f"{path} (={seconds:.2f} s) must last at least {shortest:.2f} s.")
    notes = read_notes(listed)
    if not notes:
        raise InputError(f"{listed} holds no notes.")
    inside = [note for note in notes if note.onset < seconds]
    if len(notes) - len(inside) > _MOST_BEYOND * len(notes):
        raise InputError(
            f"{listed} has {len(notes) - len(inside)} of {len(notes)} notes beyond the end of "
            f"{path.name} ({seconds:.1f} s). They belong to different recordings."
        )
    kept = [
        note._replace(offset=min(note.offset, seconds))
        for note in inside
        if LOWEST <= note.pitch < LOWEST + PITCHES
    ]
    if not kept:
        raise InputError(f"{listed} has no note on a piano's keys, {LOWEST} to 108.")
    return Piece(path.stem, sound, kept)
