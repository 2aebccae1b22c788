"""Frame and note scores against mir_eval and scikit-learn."""

import numpy as np
import pytest
import torch

from passband.signal.tasks.transcription import (
    Note,
    average_precision,
    frame_scores,
    note_scores,
)


def rolls(seed: int, density: float) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand(88, 60, generator=generator) < density
    flipped = torch.rand(88, 60, generator=generator) < 0.02
    return truth, truth ^ flipped


@pytest.mark.parametrize(("seed", "density"), [(0, 0.05), (1, 0.3), (2, 0.001)])
def test_frames_agree_with_mir_eval(seed: int, density: float) -> None:
    from mir_eval import multipitch

    truth, said = rolls(seed, density)
    times = np.arange(60) * 0.032

    def hertz(roll: torch.Tensor) -> list[np.ndarray]:
        return [440 * 2 ** ((np.flatnonzero(column) + 21 - 69) / 12) for column in roll.numpy().T]

    theirs = multipitch.metrics(times, hertz(truth), times, hertz(said))
    ours = frame_scores(truth, said)
    names = ("precision", "recall", "accuracy", "substitution", "miss", "false_alarm", "total")
    assert [getattr(ours, name) for name in names] == pytest.approx(theirs[:7], abs=1e-12)


def test_frames_of_nothing() -> None:
    nothing = torch.zeros(88, 5, dtype=torch.bool)
    scores = frame_scores(nothing, nothing)
    assert (scores.accuracy, scores.total) == (0.0, 0.0)
    assert average_precision(nothing, torch.rand(88, 5)) == 0.0
    assert average_precision(torch.zeros(0, dtype=torch.bool), torch.zeros(0)) == 0.0


@pytest.mark.parametrize("steps", [5, 10**6])
def test_average_precision_agrees_with_scikit_learn(steps: int) -> None:
    from sklearn import metrics

    truth, _ = rolls(3, 0.1)
    chance = torch.rand(88, 60, dtype=torch.float64) + 0.3 * truth
    probability = (chance * steps).round() / steps  # few steps: many that are equal
    theirs = metrics.average_precision_score(truth.numpy(), probability.numpy(), average="micro")
    assert average_precision(truth, probability) == pytest.approx(theirs, abs=1e-12)


def played_and_found(seed: int) -> tuple[list[Note], list[Note]]:
    draw = np.random.default_rng(seed)
    played = [
        Note(on, on + draw.uniform(0.05, 1), int(pitch))
        for on, pitch in zip(draw.uniform(0, 8, 80), draw.integers(60, 66, 80), strict=True)
    ]
    found = [
        Note(
            max(0.0, note.onset + draw.normal(0, 0.04)),
            note.offset + 0.1 + draw.normal(0, 0.08),
            note.pitch + int(draw.random() < 0.1),
        )
        for note in played[:70]
    ]
    found = [note._replace(offset=max(note.offset, note.onset + 0.01)) for note in found]
    return played, found + [Note(note.onset + 0.03, note.offset, note.pitch) for note in found[:9]]


@pytest.mark.parametrize("offset_ratio", [None, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_notes_agree_with_mir_eval(seed: int, offset_ratio: float | None) -> None:
    from mir_eval import transcription

    played, found = played_and_found(seed)

    def arrays(notes: list[Note]) -> tuple[np.ndarray, np.ndarray]:
        hertz = [440 * 2 ** ((note.pitch - 69) / 12) for note in notes]
        return np.array([note[:2] for note in notes]), np.array(hertz)

    theirs = transcription.precision_recall_f1_overlap(
        *arrays(played), *arrays(found), offset_ratio=offset_ratio
    )
    ours = note_scores(played, found, offset_ratio=offset_ratio)
    assert 0 < ours.f1 < 1
    assert (ours.precision, ours.recall, ours.f1) == pytest.approx(theirs[:3], abs=1e-12)


def test_as_many_pairs_as_can_be() -> None:
    """The nearest first would leave one without a partner."""
    played = [Note(1.00, 2, 60), Note(1.04, 2, 60)]
    found = [Note(0.96, 2, 60), Note(1.03, 2, 60)]
    assert note_scores(played, found).f1 == 1.0
    assert note_scores(played, [Note(1.05, 2, 60)], onset_tolerance=0.01).f1 == pytest.approx(2 / 3)


def test_the_edge_of_the_tolerance_counts() -> None:
    assert note_scores([Note(0.3, 1, 60)], [Note(0.35, 1, 60)]).f1 == 1.0
    assert note_scores([Note(0.3, 1, 60)], [Note(0.3502, 1, 60)]).f1 == 0.0
    assert note_scores([], [Note(0.3, 1, 60)]).f1 == 0.0
    assert note_scores([Note(0.3, 1, 60)], [Note(0.3, 1, 61)]).f1 == 0.0
