"""Music of chance, mixed from recordings of single notes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks import Recordings, find_audio
from passband.signal.tasks.transcription._notes import Note
from passband.signal.tasks.transcription._pieces import Piece
from passband.signal.tasks.transcription._rolls import LOWEST, PITCHES
from passband.training import make_generator

_MIXTURE = 300  # stream of what a mixture draws
_NAME = re.compile(r"([A-Ga-g])([#sb♯♭]?)(-?\d+)")
_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_AUDIBLE = 0.03  # of the peak, 30 dB below it: where a recorded note begins
_FADE = 0.03  # seconds
_QUIETEST = 20.0  # dB below the loudest note


@dataclass(frozen=True, eq=False)
class SingleNote:
    """A recorded note, from where it begins to be heard, with a peak of 1."""

    pitch: int
    sound: Tensor


def pitch_of(name: str) -> int | None:
    """MIDI number of a note's name, C4 = 60; None if it is none.

    Example:
        >>> pitch_of("A4"), pitch_of("Bb1"), pitch_of("f#3"), pitch_of("kick")
        (69, 34, 54, None)
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    letter, sign, octave = match.groups()
    shift = {"": 0, "#": 1, "s": 1, "♯": 1, "b": -1, "♭": -1}[sign]
    return 12 * (int(octave) + 1) + _STEPS[letter.lower()] + shift


def load_single_notes(
    folder: Path, sample_rate: int, *, report: Callable[[str], None] = lambda line: None
) -> tuple[list[SingleNote], dict[Path, str]]:
    """Notes of a piano's range below ``folder``, their files named for the pitch: ``A4.mp3``.

    Returns:
        The notes in the order of their names, and reasons by file that is left out.

    Raises:
        InputError: no such folder, or no note in it.
    """
    paths = find_audio(folder)
    recordings = Recordings(paths, sample_rate, report=report)
    notes, faults = [], {}
    for index, path in enumerate(paths):
        pitch = pitch_of(path.stem)
        if pitch is None or not 0 <= pitch - LOWEST < PITCHES:
            faults[path] = f"{path} is not named for a pitch of A0 to C8, such as A4."
            report(f"left out: {faults[path]}")
            continue
        sound = recordings(index)
        if sound is not None and bool((heard := sound.abs() > _AUDIBLE).any()):
            notes.append(SingleNote(pitch, sound[int(heard.nonzero()[0]) :]))
    if not notes:
        raise InputError(
            f"`data.notes_folder` (={folder}) holds no note that can be heard, in a file named for "
            "its pitch such as A4.mp3. Pass another, or none."
        )
    return notes, faults | recordings.faults


def mixture(
    notes: list[SingleNote], seconds: float, sample_rate: int, *, seed: int, number: int
) -> Piece:
    """A sound of ``seconds`` in which single notes begin at random, alone or in chords.

    Chords of 1 to 4 begin 0.05 to 0.6 s apart; each note is 0 to 20 dB below the loudest and is
    faded out after 0.1 to 1.5 s, or with its recording. What it draws depends on ``seed`` and
    ``number`` alone.

    Example:
        >>> tone = SingleNote(69, torch.sin(2 * torch.pi * 440 / 8000 * torch.arange(8000)))
        >>> piece = mixture([tone], 3.0, 8000, seed=0, number=0)
        >>> piece.sound.shape, {note.pitch for note in piece.notes}
        (torch.Size([24000]), {69})
    """
    generator = make_generator(seed, _MIXTURE, number)

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    sound = torch.zeros(round(seconds * sample_rate))
    played: list[Note] = []
    onset = draw(0.05, 0.6)
    while onset < seconds - 0.1:
        for _ in range(int(draw(1, 5))):
            note = notes[int(draw(0, len(notes)))]
            level, length = draw(-_QUIETEST, 0), round(draw(0.1, 1.5) * sample_rate)
            first = round(onset * sample_rate)
            part = _faded(note.sound[: min(length, len(sound) - first)], sample_rate)
            sound[first : first + len(part)] += 10 ** (level / 20) * part
            velocity = round(127 * 10 ** (level / 40))
            offset = onset + len(part) / sample_rate
            played.append(Note(onset, offset, note.pitch, velocity))
        onset += draw(0.05, 0.6)
    return Piece(f"mixture {number}", sound / sound.abs().max().clamp_min(1e-6), _merged(played))


def _faded(sound: Tensor, sample_rate: int) -> Tensor:
    fade = min(len(sound), round(_FADE * sample_rate))
    envelope = torch.ones(len(sound))
    envelope[len(sound) - fade :] = torch.linspace(1, 0, fade)
    return sound * envelope


def _merged(notes: list[Note]) -> list[Note]:
    """One note where two of a pitch begin at once."""
    found: dict[tuple[float, int], Note] = {}
    for note in notes:
        key = (note.onset, note.pitch)
        if key not in found or note.offset > found[key].offset:
            found[key] = note
    return sorted(found.values(), key=lambda note: (note.onset, note.pitch))
