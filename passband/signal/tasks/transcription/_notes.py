"""Notes, and the lists of them that lie beside recordings."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from passband.atomic import write_text_atomic
from passband.errors import InputError
from passband.signal.tasks.transcription._midi import read_midi

NOTE_SUFFIXES = (".tsv", ".mid", ".midi")


class Note(NamedTuple):
    """A note that is played.

    Attributes:
        onset: when it begins, in seconds.
        offset: when it ends, in seconds, not before ``onset``.
        pitch: MIDI number, 0 to 127; 69 is 440 Hz.
        velocity: how hard it is struck, 1 to 127.
        confidence: of who found it, 0 to 1.
    """

    onset: float
    offset: float
    pitch: int
    velocity: int = 64
    confidence: float = 1.0


def read_notes(path: Path) -> list[Note]:
    """The notes in a MIDI file, or in a table of onset, offset (s), MIDI number and velocity.

    Lines of a table that begin with ``#`` are comments; the velocity may be missing.

    Args:
        path: ``.tsv`` with columns parted by tabs or blanks, ``.mid`` or ``.midi``.

    Returns:
        In the order of their onsets, then pitches.

    Raises:
        InputError: the file is missing, damaged, of another kind, or says what no note is.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.tsv"
        >>> _ = path.write_text("# onset offset note velocity\\n0.5\\t1.0\\t60.0\\t80.0\\n")
        >>> read_notes(path)
        [Note(onset=0.5, offset=1.0, pitch=60, velocity=80, confidence=1.0)]
    """
    suffix = path.suffix.lower()
    if suffix not in NOTE_SUFFIXES:
        raise InputError(f"{path} must end in {', '.join(NOTE_SUFFIXES)}. Pass a list of notes.")
    if suffix == ".tsv":
        notes = _read_table(path)
    else:
        notes = [Note(*event) for event in read_midi(path)]
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


def write_note_table(path: Path, notes: Sequence[Note]) -> None:
    """Write ``onset,offset,midi,velocity,confidence``, a line a note, as comma-separated values.

    Raises:
        OutputError: it cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.csv"
        >>> write_note_table(path, [Note(0.5, 1.0, 60, 80)])
        >>> path.read_text().splitlines()
        ['onset,offset,midi,velocity,confidence', '0.5000,1.0000,60,80,1.000']
    """
    lines = [
        f"{note.onset:.4f},{note.offset:.4f},{note.pitch},{note.velocity},{note.confidence:.3f}\n"
        for note in notes
    ]
    write_text_atomic(path, "".join(["onset,offset,midi,velocity,confidence\n", *lines]))


def _read_table(path: Path) -> list[Note]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text. Pass a table of notes.") from error
    return [
        _note(line, f"{path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _note(line: str, where: str) -> Note:
    try:
        values = [float(field) for field in line.split()]
    except ValueError as error:
        raise InputError(f"{where} (={line[:60]!r}) must be numbers. Correct it.") from error
    if len(values) not in (3, 4) or not all(map(math.isfinite, values)):
        raise InputError(
            f"{where} (={line[:60]!r}) must be onset, offset, MIDI number and velocity. Correct it."
        )
    onset, offset, pitch, velocity = (*values, 64.0)[:4]
    if not 0 <= onset <= offset:
        raise InputError(f"{where}: onset (={onset:g} s) must lie in 0 to the offset. Correct it.")
    if pitch != round(pitch) or not 0 <= pitch <= 127:
        raise InputError(f"{where}: MIDI number (={pitch:g}) must be one of 0 to 127. Correct it.")
    if not 0 <= velocity <= 127:
        raise InputError(f"{where}: velocity (={velocity:g}) must be in 0 to 127. Correct it.")
    return Note(onset, offset, int(pitch), max(1, round(velocity)))
