"""From probabilities to notes."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.signal.tasks.transcription._notes import Note
from passband.signal.tasks.transcription._rolls import LOWEST


def notes_from_onsets(
    onset: Float[Tensor, "pitches frames"],
    frame: Float[Tensor, "pitches frames"],
    velocity: Float[Tensor, "pitches frames"],
    hop_seconds: float,
    *,
    onset_threshold: float,
    frame_threshold: float,
) -> list[Note]:
    """A note where the onset probability peaks above a threshold, as long as frames stay above one.

    The time of an onset is read between frames: of three values a, b, c about a peak b that fall
    with one slope to both sides, the top lies ``(c - a) / (2 (b - min(a, c)))`` hops after b. The
    note ends half a hop before the first frame below the threshold, or with the next of its pitch.

    Args:
        onset: probability in each frame.
        frame: probability in each frame.
        velocity: over 127, in each frame.
        hop_seconds: from one frame to the next.
        onset_threshold: in (0, 1).
        frame_threshold: in (0, 1).

    Returns:
        Notes by onset, their confidence the peak's probability.

    Example:
        >>> roll = torch.tensor([[0.0, 0.3, 0.9, 0.3, 0.0, 0.0]])
        >>> held = torch.tensor([[0.0, 0.0, 0.9, 0.9, 0.9, 0.0]])
        >>> (note,) = notes_from_onsets(
        ...     roll, held, roll, 0.1, onset_threshold=0.5, frame_threshold=0.5
        ... )
        >>> round(note.onset, 3), round(note.offset, 3), note.pitch
        (0.2, 0.45, 21)

    Reference: Kong et al., High-resolution piano transcription with pedals by regressing onset and
    offset times, IEEE/ACM TASLP 29, 2021, section III-D.
    """
    padded = torch.nn.functional.pad(onset, (1, 1), value=-1.0)
    before, after = padded[:, :-2], padded[:, 2:]
    peaks = ((onset >= onset_threshold) & (onset > before) & (onset >= after)).nonzero().tolist()
    notes = []
    for number, (pitch, k) in enumerate(peaks):
        following = peaks[number + 1] if number + 1 < len(peaks) else [-1, 0]
        limit = following[1] if following[0] == pitch else onset.shape[-1]
        silent = (frame[pitch, k + 1 : limit] < frame_threshold).nonzero()
        end = k + 1 + int(silent[0]) if len(silent) else limit
        start = (k + _between(*padded[pitch, k : k + 3].clamp_min(0).tolist())) * hop_seconds
        peak = float(onset[pitch, k])
        struck = min(127, max(1, round(127 * float(velocity[pitch, k]))))
        stop = max((end - 0.5) * hop_seconds, start + hop_seconds)
        notes.append(Note(max(0.0, start), stop, pitch + LOWEST, struck, peak))
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


def notes_from_frames(
    frame: Float[Tensor, "pitches frames"], hop_seconds: float, *, frame_threshold: float
) -> list[Note]:
    """A note for every run of frames above a threshold, from half a hop before it to half after.

    Returns:
        Notes by onset, their confidence the run's mean probability and their velocity 64.

    Example:
        >>> held = torch.tensor([[0.0, 0.0, 0.9, 0.9, 0.9, 0.0]])
        >>> (note,) = notes_from_frames(held, 0.1, frame_threshold=0.5)
        >>> round(note.onset, 3), round(note.offset, 3)
        (0.15, 0.45)
    """
    active = torch.nn.functional.pad((frame >= frame_threshold).int(), (1, 1))
    change = active.diff(dim=-1)
    notes = [
        Note(
            max(0.0, (first - 0.5) * hop_seconds),
            (end - 0.5) * hop_seconds,
            pitch + LOWEST,
            64,
            float(frame[pitch, first:end].mean()),
        )
        for (pitch, first), (_, end) in zip(
            (change == 1).nonzero().tolist(), (change == -1).nonzero().tolist(), strict=True
        )
    ]
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


def _between(before: float, peak: float, after: float) -> float:
    """Hops from a peak's frame to its top, in -0.5 to 0.5."""
    height = peak - min(before, after)
    return (after - before) / (2 * height) if height > 0 else 0.0
