"""How well the pitches of every frame are told."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class FrameScores:
    """Multi-pitch accuracy and errors, as shares of the reference's pitches.

    Attributes:
        precision: of the pitches that are estimated.
        recall: of those there are.
        accuracy: ``TP / (TP + FP + FN)``.
        total: E_tot, the sum of the three below.
        substitution: E_sub, a wrong pitch in place of one that is missed.
        miss: E_miss, pitches missed for which none is estimated.
        false_alarm: E_fa, pitches estimated beyond the number there are.
    """

    precision: float
    recall: float
    accuracy: float
    total: float
    substitution: float
    miss: float
    false_alarm: float


def frame_scores(
    reference: Bool[Tensor, "pitches frames"], estimate: Bool[Tensor, "pitches frames"]
) -> FrameScores:
    """Scores of ``estimate``. With R pitches in a frame, E estimated and C both,

    ``E_tot = sum(max(R, E) - C) / sum R``, ``E_sub = sum(min(R, E) - C) / sum R``,
    ``E_miss = sum(max(0, R - E)) / sum R`` and ``E_fa = sum(max(0, E - R)) / sum R``.

    Args:
        reference: whether a pitch sounds in a frame.
        estimate: whether it is said to.

    Returns:
        The scores; 0 where nothing is there to divide by, as mir_eval has it.

    Example:
        >>> truth = torch.tensor([[True, True], [False, True]])
        >>> scores = frame_scores(truth, torch.tensor([[True, False], [False, True]]))
        >>> scores.accuracy == 2 / 3, scores.total == 1 / 3
        (True, True)

    Agrees with ``mir_eval.multipitch.evaluate`` to 1e-12 where frames have the same times.
    Reference: Poliner & Ellis, A discriminative model for polyphonic piano transcription, EURASIP
    J. Adv. Signal Process., 2007, section 5.1.
    """
    there, said, both = (
        roll.sum(dim=0).double() for roll in (reference, estimate, reference & estimate)
    )
    missed, extra = (there - said).clamp_min(0).sum(), (said - there).clamp_min(0).sum()
    wrong = (torch.minimum(there, said) - both).sum()
    hits, total = both.sum(), there.sum()
    return FrameScores(
        precision=_ratio(hits, said.sum()),
        recall=_ratio(hits, total),
        accuracy=_ratio(hits, total + said.sum() - hits),
        total=_ratio(missed + extra + wrong, total),
        substitution=_ratio(wrong, total),
        miss=_ratio(missed, total),
        false_alarm=_ratio(extra, total),
    )


def average_precision(reference: Bool[Tensor, "*n"], probability: Float[Tensor, "*n"]) -> float:
    """``sum_k (R_k - R_(k-1)) P_k`` over all values as one list, by falling probability: micro AP.

    P_k and R_k are precision and recall of the values down to the k-th distinct one.

    Args:
        reference: what is true.
        probability: that it is; any number whose order counts.

    Returns:
        0 to 1; 0 where nothing is true.

    Example:
        >>> truth = torch.tensor([True, False, True])
        >>> average_precision(truth, torch.tensor([0.9, 0.8, 0.7])) == (1 + 2 / 3) / 2
        True

    Agrees with ``sklearn.metrics.average_precision_score(average="micro")`` by definition.
    """
    order = probability.flatten().argsort(descending=True)
    values = probability.flatten()[order]
    hits = reference.flatten()[order].double().cumsum(0)
    if not len(hits) or not hits[-1]:
        return 0.0
    last = torch.ones_like(values, dtype=torch.bool)
    last[:-1] = values[:-1] != values[1:]  # equal values come together
    counts = torch.arange(1, len(hits) + 1, dtype=torch.float64)[last]
    hits = hits[last]
    gains = hits.diff(prepend=hits.new_zeros(1)) / hits[-1]
    return float((gains * hits / counts).sum())


def _ratio(part: Tensor, whole: Tensor) -> float:
    return float(part / whole) if whole else 0.0
