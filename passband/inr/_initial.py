"""Fields before training."""

from passband.inr._field import Field, build_field
from passband.inr._problem import Problem
from passband.inr._scene import FieldSettings
from passband.inr.matching import WinnerScales, add_winner_noise
from passband.inr.networks import Siren
from passband.training import make_generator

_STREAM = 4  # of the initial weights


def initial_field(
    settings: FieldSettings, problem: Problem, seed: int, *, winner: WinnerScales | None = None
) -> Field:
    """The field before training, drawn on the CPU so that every device starts alike.

    Args:
        settings: what to build, no knob left at ``"match"``.
        problem: the signal, which adaptive parts look at.
        seed: of the initial values.
        winner: noise for SIREN's first matrices, where that was asked for.
    """
    generator = make_generator(seed, _STREAM)
    info = problem.info
    field = build_field(settings, len(info.size), info.channels, generator=generator)
    if winner is not None and isinstance(field.network, Siren):
        add_winner_noise(field.network, winner, generator=generator)
    if field.adaptive:
        field.adapt(*problem.importance(generator), generator=generator)
    return field
