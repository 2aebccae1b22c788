"""How well notes are found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from passband.signal.tasks.transcription._notes import Note

_ROUNDED = 4  # decimals of a time difference: 50 ms read from a file must not miss by an epsilon


@dataclass(frozen=True)
class NoteScores:
    """Shares of notes that meet one of the other side.

    Attributes:
        precision: of the notes that were found.
        recall: of the notes there are.
        f1: harmonic mean of the two.
    """

    precision: float
    recall: float
    f1: float


def note_scores(
    reference: Sequence[Note],
    estimate: Sequence[Note],
    *,
    onset_tolerance: float = 0.05,
    offset_ratio: float | None = None,
    offset_tolerance: float = 0.05,
) -> NoteScores:
    """Match notes of one pitch whose onsets are close, one to one and as many as can be.

    Args:
        reference: what is played.
        estimate: what was found.
        onset_tolerance: seconds between two onsets, at most.
        offset_ratio: if given, offsets must be no further apart than this share of the reference's
            duration, or ``offset_tolerance`` if that is more.
        offset_tolerance: in seconds.

    Returns:
        The scores; 0 where one side has no notes.

    Example:
        >>> played = [Note(0.5, 1.0, 60), Note(0.5, 1.0, 64)]
        >>> note_scores(played, [Note(0.54, 0.8, 60)]).f1 == 2 / 3
        True
        >>> note_scores(played, [Note(0.54, 0.8, 60)], offset_ratio=0.2).f1
        0.0

    Agrees with ``mir_eval.transcription.precision_recall_f1_overlap`` to 1e-12.
    Reference: Bay, Ehmann & Downie, Evaluation of multiple-F0 estimation and tracking systems,
    ISMIR 2009, section 4.2.
    """
    if not reference or not estimate:
        return NoteScores(0.0, 0.0, 0.0)
    played, found = (np.array([note[:3] for note in side]) for side in (reference, estimate))

    def apart(column: int) -> np.ndarray:
        difference: np.ndarray = np.abs(played[:, None, column] - found[None, :, column])
        return difference.round(_ROUNDED)

    meets = (apart(0) <= onset_tolerance) & (played[:, None, 2] == found[None, :, 2])
    if offset_ratio is not None:
        allowed = np.maximum(offset_ratio * (played[:, 1] - played[:, 0]), offset_tolerance)
        meets &= apart(1) <= allowed[:, None]
    hits = _most_pairs(meets)
    precision, recall = hits / len(found), hits / len(played)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return NoteScores(precision, recall, f1)


def _most_pairs(meets: np.ndarray) -> int:
    """Size of the largest one-to-one matching."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415  only scores need it
    from scipy.sparse.csgraph import maximum_bipartite_matching  # noqa: PLC0415

    partners = maximum_bipartite_matching(csr_matrix(meets), perm_type="column")
    return int((partners >= 0).sum())
