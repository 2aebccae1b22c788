"""Notes as pictures of pitch over frames, which networks learn."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from passband.signal.tasks.transcription._notes import Note

PITCHES = 88
"""Keys of a piano."""
LOWEST = 21
"""MIDI number of its lowest key, A0."""
ONSET_FRAMES = 1.5
"""Frames from an onset to where its target is 0."""


def frame_roll(
    notes: Sequence[Note], frames: int, hop_seconds: float
) -> Float[Tensor, "88 {frames}"]:
    """1 where a note of the pitch sounds at time ``k hop`` of frame k: onset <= k hop < offset.

    A note that lies between two centres counts in the nearer one; the step is ours. Notes beyond
    the 88 keys, or beyond the last frame, are not there.

    Example:
        >>> frame_roll([Note(0.1, 0.3, 21)], 5, 0.1)[0]
        tensor([0., 1., 1., 0., 0.])
    """
    roll = torch.zeros(PITCHES, frames)
    for note in _on_keys(notes):
        first, end = (math.ceil(time / hop_seconds - 1e-6) for time in (note.onset, note.offset))
        if end <= first:
            first = round(note.onset / hop_seconds)
            end = first + 1
        roll[note.pitch - LOWEST, first:end] = 1
    return roll


def onset_roll(
    notes: Sequence[Note], frames: int, hop_seconds: float
) -> Float[Tensor, "88 {frames}"]:
    """``max(0, 1 - |k - onset / hop| / 1.5)`` in frame k: how near the next onset of the pitch is.

    Example:
        >>> onset_roll([Note(0.2, 0.3, 21)], 5, 0.1)[0]
        tensor([0.0000, 0.3333, 1.0000, 0.3333, 0.0000])

    Reference: Kong et al., High-resolution piano transcription with pedals by regressing onset and
    offset times, IEEE/ACM TASLP 29, 2021, eq. 3; the width in frames is ours.
    """
    roll = torch.zeros(PITCHES, frames)
    for note in _on_keys(notes):
        for k, value in _near(note, frames, hop_seconds):
            row = roll[note.pitch - LOWEST]
            row[k] = max(float(row[k]), value)
    return roll


def velocity_roll(
    notes: Sequence[Note], frames: int, hop_seconds: float
) -> Float[Tensor, "88 {frames}"]:
    """Velocity over 127 where `onset_roll` is not 0; the last note to begin there counts.

    Example:
        >>> velocity_roll([Note(0.2, 0.3, 21, 127)], 5, 0.1)[0]
        tensor([0., 1., 1., 1., 0.])
    """
    roll = torch.zeros(PITCHES, frames)
    for note in _on_keys(notes):
        for k, _ in _near(note, frames, hop_seconds):
            roll[note.pitch - LOWEST, k] = note.velocity / 127
    return roll


def _on_keys(notes: Sequence[Note]) -> list[Note]:
    return [note for note in notes if 0 <= note.pitch - LOWEST < PITCHES]


def _near(note: Note, frames: int, hop_seconds: float) -> list[tuple[int, float]]:
    """Frames about the onset, with their targets."""
    centre = note.onset / hop_seconds
    begin, end = math.floor(centre - ONSET_FRAMES), math.ceil(centre + ONSET_FRAMES)
    inside = range(max(0, begin), min(frames, end + 1))
    values = [(k, 1 - abs(k - centre) / ONSET_FRAMES) for k in inside]
    return [(k, value) for k, value in values if value > 1e-6]
