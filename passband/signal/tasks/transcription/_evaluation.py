"""Scores of a transcriber on pieces that it did not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from passband.signal.tasks.transcription._frame_scores import average_precision, frame_scores
from passband.signal.tasks.transcription._note_scores import note_scores
from passband.signal.tasks.transcription._notes import Note
from passband.signal.tasks.transcription._pieces import Piece
from passband.signal.tasks.transcription._rolls import frame_roll
from passband.signal.tasks.transcription._transcriber import Transcriber


@dataclass(frozen=True, eq=False)
class Scores:
    """What was measured.

    Attributes:
        rows: measures of each piece.
        means: over the pieces, each counting as one.
        notes: that were found in each piece.
        frames: probability of the frames of each piece.
    """

    rows: list[dict[str, float]]
    means: dict[str, float]
    notes: list[list[Note]]
    frames: list[Tensor]


def evaluate(transcriber: Transcriber, pieces: Sequence[Piece]) -> Scores:
    """Notes and frames of ``pieces`` against those that are played.

    ``note_f1`` is of onsets within 50 ms, ``offset_f1`` of those whose offsets agree as well (20 %
    of the duration or 50 ms); frames are active at the recipe's threshold.
    """
    device = next(transcriber.network.parameters()).device
    rows, found, frames = [], [], []
    was_training = transcriber.training
    transcriber.eval()
    for piece in pieces:
        probabilities = transcriber.probabilities(piece.sound.to(device)).cpu()
        notes = transcriber.decode(probabilities, transcriber.decoding)
        frame = probabilities[min(1, len(probabilities) - 1)]
        rows.append(_row(transcriber, piece, notes, frame))
        found.append(notes)
        frames.append(frame)
    transcriber.train(was_training)
    means = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
    return Scores(rows, means, found, frames)


def _row(
    transcriber: Transcriber, piece: Piece, notes: list[Note], frame: Tensor
) -> dict[str, Any]:
    truth = frame_roll(piece.notes, frame.shape[-1], transcriber.hop_seconds).bool()
    onsets = note_scores(piece.notes, notes)
    offsets = note_scores(piece.notes, notes, offset_ratio=0.2)
    scores = frame_scores(truth, frame >= transcriber.decoding.frame_threshold)
    return {
        "note_f1": onsets.f1,
        "note_precision": onsets.precision,
        "note_recall": onsets.recall,
        "offset_f1": offsets.f1,
        "average_precision": average_precision(truth, frame),
        "frame_accuracy": scores.accuracy,
        "frame_precision": scores.precision,
        "frame_recall": scores.recall,
        "e_tot": scores.total,
        "e_sub": scores.substitution,
        "e_miss": scores.miss,
        "e_fa": scores.false_alarm,
    }
