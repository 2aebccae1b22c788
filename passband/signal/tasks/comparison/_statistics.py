"""Means, deviations and paired differences of what a comparison measured."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

Values = Mapping[int, Mapping[str, float]]
"""By seed, then by unit (a fold, a piece)."""

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """What one has more than another, unit by unit.

    Attributes:
        mean: of the differences.
        error: standard error of the mean; None of a single unit.
        half_width: of the interval that holds the difference with 95 % confidence; likewise.
        better: units in which it has more.
        units: in all.
    """

    mean: float
    error: float | None
    half_width: float | None
    better: int
    units: int


@dataclass(frozen=True)
class Summary:
    """Of one representation.

    Attributes:
        mean: of all values.
        deviation: over units, n - 1, each the mean over seeds; None of a single unit.
        seed_deviation: of the means over units, from seed to seed; None of a single seed.
        count: values.
    """

    mean: float
    deviation: float | None
    seed_deviation: float | None
    count: int


def summarise(values: Values) -> Summary:
    """Mean and deviations of the values of one representation.

    Example:
        >>> both = {0: {"a": 1.0, "b": 3.0}, 1: {"a": 2.0, "b": 4.0}}
        >>> found = summarise(both)
        >>> found.mean, round(found.deviation, 4), round(found.seed_deviation, 4)
        (2.5, 1.4142, 0.7071)
    """
    units = list(_unit_means(values).values())
    seeds = [statistics.fmean(row.values()) for row in values.values()]
    return Summary(
        statistics.fmean(value for row in values.values() for value in row.values()),
        statistics.stdev(units) if len(units) > 1 else None,
        statistics.stdev(seeds) if len(seeds) > 1 else None,
        sum(len(row) for row in values.values()),
    )


def paired_difference(values: Values, reference: Values, *, overlap: float) -> Difference:
    """``d_u = x_u - y_u`` over units u, each the mean over the seeds that both have.

    The error is ``sqrt((1/n + overlap) s^2)`` with the deviation s of the ``d_u``. With a ratio
    ``overlap`` of what is tested to what was learned from, it allows for folds that learn from
    much the same clips; without, it is the error of n independent pairs. The interval is Student's
    with n - 1 degrees of freedom.

    Args:
        values: of one representation.
        reference: of the other.
        overlap: at least 0.

    Example:
        >>> mine, other = {0: {"a": 3.0, "b": 5.0}}, {0: {"a": 1.0, "b": 4.0}}
        >>> found = paired_difference(mine, other, overlap=0.0)
        >>> found.mean, found.error, found.better
        (1.5, 0.5, 2)

    Reference: Nadeau & Bengio, Inference for the generalization error, Machine Learning 52, 2003,
    section 3.
    """
    seeds = [seed for seed in values if seed in reference]
    mine = _unit_means({seed: values[seed] for seed in seeds})
    other = _unit_means({seed: reference[seed] for seed in seeds})
    apart = [mine[unit] - other[unit] for unit in mine if unit in other]
    mean, better = statistics.fmean(apart), sum(each > 0 for each in apart)
    count = len(apart)
    if count < 2:
        return Difference(mean, None, None, better, count)
    error = math.sqrt((1 / count + overlap) * statistics.variance(apart))
    return Difference(mean, error, _quantile(count - 1) * error, better, count)


def _unit_means(values: Values) -> dict[str, float]:
    units = dict.fromkeys(unit for row in values.values() for unit in row)
    return {
        unit: statistics.fmean(row[unit] for row in values.values() if unit in row)
        for unit in units
    }


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415  only a finished comparison needs it

    return float(stdtrit(freedom, (1 + _CONFIDENCE) / 2))
