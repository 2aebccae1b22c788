"""Members of families that a budget pays for, their knobs matched."""

from collections.abc import Sequence
from dataclasses import dataclass

from passband.errors import InputError
from passband.inr._knob import run_match
from passband.inr._scene import FieldSettings, MatchingSettings, with_knob
from passband.inr.families import FAMILIES, Family, named_family, parameter_count, sized
from passband.inr.matching import integer_knob
from passband.inr.targets import GridTarget

USUAL = (
    "siren", "finer", "fourier", "positional", "fr-relu", "progressive", "bacon", "triplane",
    "hashgrid", "neurbf", "neurbf-3d",
)  # fmt: skip
"""Families tried where none are named: each of the others is near one of these."""

_FIRST_LOOK = 3  # initialisations, and values that are then looked at in full


@dataclass(frozen=True)
class Candidate:
    """A field that could be fitted.

    Attributes:
        family: what it is a member of.
        settings: the member, no knob left at ``"match"``.
        value: of its knob, or None where the family has none.
        parameters: its size.
    """

    family: Family
    settings: FieldSettings
    value: float | None
    parameters: int


def candidates(
    grid: GridTarget,
    names: Sequence[str],
    sizes: Sequence[int],
    matching: MatchingSettings,
    *,
    seed: int = 0,
) -> list[Candidate]:
    """One member of each family for each size, its knob matched to the signal.

    Families that cannot take the signal's axes are left out, and so are sizes that a family cannot
    be made as small as.

    Args:
        grid: the signal.
        names: families, or none for the usual ones.
        sizes: numbers of parameters, at most.
        matching: how knobs are matched; candidate values are each family's own.
        seed: of the matching.

    Raises:
        InputError: an unknown family, or none that fits.
    """
    axes, channels = len(grid.info.size), grid.info.channels
    families = [named_family(name) for name in names or USUAL]
    own = matching.model_copy(update={"method": "spectrum", "candidates": None})
    found = []
    for family in families:
        if axes not in family.axes:
            continue
        settings, value = family.settings, None
        if family.knob is not None:
            value = integer_knob(family.knob, _matched(family, family.knob, grid, own, seed))
            settings = with_knob(settings, family.knob, value)
        for size in sizes:
            try:
                member = sized(family, settings, size, axes, channels)
            except InputError:  # the smallest member is larger
                continue
            count = parameter_count(member, axes, channels)
            found.append(Candidate(family, member, value, count))
    if not found:
        allowed = ", ".join(name for name, family in FAMILIES.items() if axes in family.axes)
        raise InputError(
            f"no family fits {max(sizes):,} parameters and {axes} coordinates. Raise the budget, "
            f"or allow others of: {allowed}."
        )
    return found


def _matched(
    family: Family, knob: str, grid: GridTarget, matching: MatchingSettings, seed: int
) -> float:
    """The knob's value that a few initialisations leave among the best and all of them prefer."""
    if matching.initialisations > _FIRST_LOOK:
        quick = matching.model_copy(update={"initialisations": _FIRST_LOOK})
        first = run_match(family.settings, knob, grid, quick, seed=seed)
        best = sorted(row.value for row in first.rows[:_FIRST_LOOK])
        matching = matching.model_copy(update={"candidates": best})
    return run_match(family.settings, knob, grid, matching, seed=seed).value
