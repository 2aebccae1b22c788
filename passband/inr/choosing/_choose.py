"""Which family, of which size, for a signal and a budget: tried in short fits, not guessed."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from passband.inr._field import Field
from passband.inr._initial import initial_field
from passband.inr._problem import Problem
from passband.inr._scene import AutoSettings, MatchingSettings, TrainingSettings
from passband.inr.choosing._candidate import Candidate, candidates
from passband.inr.choosing._trial import step_seconds, trial

_RUNGS = ((1 / 8, None, math.inf), (1 / 3, 5, math.inf), (2 / 3, 2, 3.0))
"""Share of the whole run, how many take part at most, and how many dB behind the first."""

_FEWEST_STEPS = 60  # with fewer, the quick starters win
_SIZES = (50_000, 200_000, 800_000)  # tried for a budget of seconds


@dataclass(frozen=True)
class Row:
    """One candidate and what became of it.

    Attributes:
        candidate: the field.
        scores: dB after each trial it took part in.
        steps: length of the whole fit it would get.
    """

    candidate: Candidate
    scores: tuple[float, ...]
    steps: int

    @property
    def rank(self) -> tuple[int, float]:
        """Later trials count before higher scores."""
        return len(self.scores), self.scores[-1] if self.scores else -math.inf


@dataclass(frozen=True)
class Choice:
    """What was chosen and from what.

    Attributes:
        rows: all candidates, the chosen one first.
        seconds: time it took.
    """

    rows: list[Row]
    seconds: float

    @property
    def best(self) -> Row:
        """The chosen candidate."""
        return self.rows[0]

    @property
    def reason(self) -> str:
        """Why it was chosen, in a sentence."""
        first = self.best
        if not first.scores:
            return f"{first.candidate.family.name}: the only one to choose from"
        said = f"{first.candidate.family.name}: {first.scores[-1]:.2f} dB in its last trial"
        others = [row for row in self.rows[1:] if len(row.scores) == len(first.scores)]
        others = [r for r in others if r.candidate.family is not first.candidate.family]
        if not others:
            return said
        gap = first.scores[-1] - others[0].scores[-1]
        return f"{said}, {gap:.2f} above {others[0].candidate.family.name}, the next family"

    def to_dict(self) -> dict[str, Any]:
        """The table as plain values, for JSON."""
        rows = [
            {
                "family": row.candidate.family.name,
                "knob": row.candidate.family.knob,
                "value": row.candidate.value,
                "parameters": row.candidate.parameters,
                "steps": row.steps,
                "scores": list(row.scores),
            }
            for row in self.rows
        ]
        return {"rows": rows, "seconds": self.seconds, "reason": self.reason}


def choose_field(
    problem: Problem,
    auto: AutoSettings,
    training: TrainingSettings,
    matching: MatchingSettings,
    *,
    device: torch.device,
    say: Callable[[str], None] = lambda text: None,
) -> Choice:
    """Match every family's knob to the signal, fit each for a short while, and take the best.

    Successive halving: all candidates are fitted for an eighth of the run that the budget allows
    them, the best five for a third, and the two that then lead for two thirds if they are within
    3 dB, each with its rate's whole decline. Under a budget of parameters all runs have the steps
    of ``training``; under one of seconds each candidate has as many as fit.

    Args:
        problem: the signal.
        auto: the budget and, where not the usual ones, the families.
        training: steps, batch size and seed.
        matching: how knobs are matched.
        device: where to fit.
        say: called with a line of progress now and then.

    Returns:
        The ranked table.

    Raises:
        InputError: an unknown family, or none that the budget pays for.

    Reference: Jamieson, Talwalkar, *Non-stochastic best arm identification and hyperparameter
    optimization*, AISTATS 2016 (successive halving).
    """
    began = time.perf_counter()
    sizes = _SIZES if auto.parameters is None else (auto.parameters,)
    found = candidates(problem.grid, auto.families, sizes, matching, seed=training.seed)

    @cache  # kernels placed by the signal's detail take longer than many steps
    def start(candidate: Candidate) -> Field:
        return initial_field(candidate.settings, problem, training.seed)

    def whole(candidate: Candidate) -> int:
        if auto.seconds is None:
            return training.steps
        each = step_seconds(problem, candidate, training, device=device, start=start(candidate))
        return max(_FEWEST_STEPS, round(auto.seconds / each))

    def tried(row: Row, share: float) -> Row:
        member, steps = row.candidate, max(_FEWEST_STEPS, round(row.steps * share))
        score = trial(problem, member, training, steps=steps, device=device, start=start(member))
        name, size = member.family.name, member.parameters
        say(f"{name}, {size:,} parameters: {score:.2f} dB after {steps} steps")
        return Row(member, (*row.scores, score), row.steps)

    rows = [Row(candidate, (), whole(candidate)) for candidate in found]
    for share, most, behind in _RUNGS:
        running = [row for row in rows[:most] if not rows[0].rank[1] - row.rank[1] > behind]
        if len(running) == 1:
            break
        rows[: len(running)] = [tried(row, share) for row in running]
        rows.sort(key=lambda row: row.rank, reverse=True)
    return Choice(rows, time.perf_counter() - began)
