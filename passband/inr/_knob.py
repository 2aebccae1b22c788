"""The knob of a scene: matched to the signal, or left as it was set."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passband.atomic import write_text_atomic
from passband.errors import InputError
from passband.inr._scene import (
    FieldSettings,
    MatchingSettings,
    Scene,
    TrainingSettings,
    matched_knobs,
    with_knob,
)
from passband.inr.matching import (
    SpectrumMatch,
    WinnerScales,
    default_candidates,
    integer_knob,
    match_fresh,
    match_spectrum,
    measured_builder,
    winner_scales,
)
from passband.inr.matching._candidates import patch_of
from passband.inr.settings import SirenNetwork
from passband.inr.targets import GridTarget

MATCH_FILE = "match.json"
_WINNER_OMEGA = 30.0


@dataclass(frozen=True)
class ResolvedField:
    """Settings without a ``"match"`` left, and how the knob was found.

    Attributes:
        settings: what to build.
        knob: dotted name of the knob, or None where nothing was matched.
        value: what it was set to.
        table: what :meth:`SpectrumMatch.to_dict` gives, or None.
        winner: noise for SIREN's first matrices, where that was asked for.
        training: how it is trained, where that was chosen with the family.
        choice: what :meth:`Choice.to_dict` gives, where the family was chosen.
    """

    settings: FieldSettings
    knob: str | None = None
    value: float | None = None
    table: dict[str, Any] | None = None
    winner: WinnerScales | None = None
    training: TrainingSettings | None = None
    choice: dict[str, Any] | None = None


def resolve_field(scene: Scene, target: GridTarget | None) -> ResolvedField:
    """Match the knob of ``scene`` that asks for it to ``target``, which only that needs.

    Raises:
        InputError: the signal has no spectrum, or the method does not fit the field.
    """
    knobs = matched_knobs(scene.field)
    if not knobs or target is None:
        return ResolvedField(scene.field)
    if scene.matching.method == "winner":
        return _resolve_winner(scene.field, knobs[0], target)
    match = run_match(scene.field, knobs[0], target, scene.matching, seed=scene.training.seed)
    value = integer_knob(knobs[0], match.value)
    settings = with_knob(scene.field, knobs[0], value)
    return ResolvedField(settings, knobs[0], value, match.to_dict())


def run_match(
    field: FieldSettings,
    knob: str,
    target: GridTarget,
    matching: MatchingSettings,
    *,
    seed: int = 0,
) -> SpectrumMatch:
    """Rank the values of ``knob`` by spectral distance to ``target``.

    Raises:
        InputError: the signal has no spectrum, or the released FreSh is asked about a sound.
    """
    base = getattr(field.encoding, "base_resolution", None) or 16
    info = target.info
    candidates = matching.candidates or default_candidates(knob, info.size, base=base)
    build = measured_builder(field, knob, len(info.size), info.channels)
    if matching.method == "fresh":
        if len(info.size) == 1:
            raise InputError(
                "matching.method (=fresh) is defined for pictures and volumes. "
                "Use spectrum for a sound."
            )
        return match_fresh(
            target.signal,
            build,
            candidates,
            bins=matching.bins or 64,
            initialisations=matching.initialisations,
            seed=seed,
        )
    return match_spectrum(
        target.signal,
        build,
        candidates,
        reduction=matching.reduction,
        bins=matching.bins,
        patch=patch_of(knob, len(info.size)),
        initialisations=matching.initialisations,
        seed=seed,
    )


def _resolve_winner(field: FieldSettings, knob: str, target: GridTarget) -> ResolvedField:
    if not isinstance(field.network, SirenNetwork) or knob != "network.first_omega":
        raise InputError(
            "matching.method (=winner) sets the initial weights of SIREN. "
            'Use it with network.kind = "siren" and first_omega = "match".'
        )
    settings = with_knob(field, knob, _WINNER_OMEGA)
    return ResolvedField(settings, knob, _WINNER_OMEGA, winner=winner_scales(target.signal))


def save_resolved(folder: Path, resolved: ResolvedField) -> None:
    """Write ``resolved`` to ``match.json``, so that a resumed run does not measure again."""
    winner = resolved.winner
    plain = {
        "settings": resolved.settings.model_dump(),
        "knob": resolved.knob,
        "value": resolved.value,
        "table": resolved.table,
        "winner": None if winner is None else [winner.first, winner.second],
        "training": None if resolved.training is None else resolved.training.model_dump(),
        "choice": resolved.choice,
    }
    write_text_atomic(folder / MATCH_FILE, json.dumps(plain, indent=1) + "\n")


def load_resolved(folder: Path) -> ResolvedField | None:
    """What :func:`save_resolved` wrote, or None where it has not."""
    path = folder / MATCH_FILE
    if not path.is_file():
        return None
    plain = json.loads(path.read_text(encoding="utf-8"))
    settings = FieldSettings.model_validate(plain["settings"])
    winner = None if plain["winner"] is None else WinnerScales(*plain["winner"])
    training = plain.get("training")
    return ResolvedField(
        settings,
        plain["knob"],
        plain["value"],
        plain["table"],
        winner,
        None if training is None else TrainingSettings.model_validate(training),
        plain.get("choice"),
    )
