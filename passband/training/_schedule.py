"""Learning-rate schedules: pure functions of the step, so that resuming needs no state."""

import math


def constant(step: int, steps: int) -> float:
    """Factor 1 at every step.

    Example:
        >>> constant(7, 10)
        1.0
    """
    return 1.0


def cosine(step: int, steps: int, *, final: float = 0.01, warmup: int = 0) -> float:
    """Half a cosine from 1 to ``final`` over ``steps``, after a linear rise over ``warmup`` steps.

    ``final + (1 - final) (1 + cos(pi t)) / 2`` with ``t`` the fraction done after the warm-up.

    Args:
        step: step about to be taken, 0 to ``steps - 1``.
        steps: length of the run.
        final: factor at the end, 0 to 1.
        warmup: steps of linear rise.

    Example:
        >>> round(cosine(0, 100), 3), round(cosine(50, 100), 3), round(cosine(100, 100), 3)
        (1.0, 0.505, 0.01)

    Reference: Loshchilov, Hutter, *SGDR*, ICLR 2017, eq. 5 (one period).
    """
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))


def exponential(step: int, steps: int, *, final: float = 0.01) -> float:
    """Geometric decay ``final ** (step / steps)``.

    Example:
        >>> round(exponential(50, 100, final=0.01), 3)
        0.1
    """
    return float(final ** (step / max(steps, 1)))
