"""Pictures of a transcription, as PNG bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from passband.signal.tasks.transcription._notes import Note
from passband.signal.tasks.transcription._rolls import LOWEST, PITCHES, frame_roll
from passband.training import figure_png, new_figure

_BOTH, _MISSED, _EXTRA = "#1b1f24", "#2563a8", "#e0802f"
_COLOURS = {"note_f1": "#2563a8", "frame_accuracy": "#2f8f5b", "average_precision": "#8b5fb0"}
_LOSSES = {"loss": "#1b1f24", "onset": "#2563a8", "frame": "#2f8f5b", "velocity": "#8b5fb0"}
_PARTS = 60  # of the record in a curve


def roll_figure(
    played: Sequence[Note], found: Sequence[Note], hop_seconds: float, *, seconds: float = 20.0
) -> bytes:
    """Notes over time: those played and found black, missed blue, found in excess orange.

    Example:
        >>> roll_figure([Note(0, 1, 60)], [Note(0, 0.8, 60)], 0.032)[1:4]
        b'PNG'
    """
    frames = round(seconds / hop_seconds)
    truth, said = (_parted_roll(notes, frames, hop_seconds) for notes in (played, found))
    picture = np.ones((PITCHES, frames, 3))
    for where, colour in ((truth & said, _BOTH), (truth & ~said, _MISSED), (said & ~truth, _EXTRA)):
        picture[where.numpy()] = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    figure, (axis,) = new_figure(1, 1, (11.0, 4.2))
    axis.imshow(
        picture,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, seconds, LOWEST - 0.5, LOWEST + PITCHES - 0.5),
    )
    used = torch.tensor([note.pitch for note in (*played, *found) if note.onset < seconds] or [60])
    axis.set(
        xlabel="time (s)", ylabel="MIDI number", ylim=(int(used.min()) - 3, int(used.max()) + 3)
    )
    return figure_png(figure)


def _parted_roll(notes: Sequence[Note], frames: int, hop_seconds: float) -> Tensor:
    """A roll whose notes end a frame early, so that one struck again is seen to be."""
    shorter = [note._replace(offset=max(note.onset, note.offset - hop_seconds)) for note in notes]
    return frame_roll(shorter, frames, hop_seconds).bool()


def probability_figure(frames: Tensor, hop_seconds: float, *, seconds: float = 20.0) -> bytes:
    """Probability of every key in every frame.

    Example:
        >>> probability_figure(torch.rand(88, 50), 0.032)[1:4]
        b'PNG'
    """
    shown = frames[:, : round(seconds / hop_seconds)]
    figure, (axis,) = new_figure(1, 1, (11.0, 4.2))
    axis.imshow(
        shown.numpy(),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, shown.shape[-1] * hop_seconds, LOWEST - 0.5, LOWEST + PITCHES - 0.5),
        vmin=0,
        vmax=1,
        cmap="magma",
    )
    axis.set(xlabel="time (s)", ylabel="MIDI number")
    return figure_png(figure)


def loss_figure(events: Sequence[Mapping[str, float]]) -> bytes:
    """Losses over steps, means of at most 60 parts of the record.

    Example:
        >>> loss_figure([{"step": 0, "loss": 2.0}, {"step": 1, "loss": 1.0}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2))
    size = max(1, len(events) // _PARTS)
    parts = [events[k : k + size] for k in range(0, len(events), size)]
    for name, colour in _LOSSES.items():
        if parts and name in parts[0][0]:
            values = [float(np.mean([event[name] for event in part])) for part in parts]
            axis.plot([part[-1]["step"] for part in parts], values, color=colour, label=name)
    axis.set(xlabel="step", yscale="log")
    axis.legend(frameon=False, fontsize=8)
    return figure_png(figure)


def history_figure(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Scores of the evaluations over steps.

    Example:
        >>> row = {"step": 1, "note_f1": 0.5, "frame_accuracy": 0.4, "average_precision": 0.6}
        >>> history_figure([row])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2))
    for name, colour in _COLOURS.items():
        steps = [row["step"] for row in history]
        values = [row[name] for row in history]
        label = name.replace("_", " ")
        axis.plot(steps, values, color=colour, marker=".", label=label)
    axis.set(xlabel="step", ylim=(0, 1))
    axis.legend(frameon=False, fontsize=8)
    return figure_png(figure)
