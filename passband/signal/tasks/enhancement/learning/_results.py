"""What a finished training leaves: measures of mixtures it never heard, and the report."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import Tensor

from passband.signal.tasks._speech_quality import intelligibility, pesq_wideband
from passband.signal.tasks.enhancement.frcrn import FRCRN
from passband.signal.tasks.enhancement.learning._held_out import (
    HeldOut,
    Measure,
    Scores,
    mean,
    score,
    si_snr,
)
from passband.signal.tasks.enhancement.learning._recipe import EnhancerRecipe
from passband.signal.tasks.enhancement.learning._report import write_report
from passband.signal.tasks.enhancement.learning._wiener import wiener_filter
from passband.training import LoopResult, read_events

_SHOWN = 4  # mixtures in the report
_OPTIONAL: dict[str, tuple[str, Measure]] = {
    "pesq": ("pesq", pesq_wideband),
    "stoi": ("pystoi", intelligibility),
}


def write_results(
    folder: Path, recipe: EnhancerRecipe, model: FRCRN, held_out: HeldOut, result: LoopResult
) -> dict[str, Any]:
    """Measure noisy, filtered and enhanced mixtures, and write the report.

    Returns:
        The metrics.

    Raises:
        OutputError: the folder cannot be written.
    """
    measures = available_measures()
    device = next(model.parameters()).device
    makers: dict[str, Callable[[Tensor], Tensor]] = {
        "noisy": lambda x: x,
        "wiener": lambda x: wiener_filter(
            x, held_out.sample_rate, noise_seconds=recipe.data.lead_seconds
        ),
        "enhanced": lambda x: model(x.to(device)),
    }
    scores = {name: score(make, held_out, measures) for name, make in makers.items()}
    means = {name: each.means for name, each in scores.items()}
    metrics: dict[str, Any] = {
        "kind": recipe.kind,
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "steps": recipe.training.steps,
        "seconds": result.seconds,
        "loss": result.loss,
        "si_snr_gain": (means["enhanced"]["si_snr"] or 0.0) - (means["noisy"]["si_snr"] or 0.0),
        **means,
        "by_snr": by_snr(held_out, scores),
        "mixtures": [
            {"name": name, "snr_db": snr, **{who: each.rows[k] for who, each in scores.items()}}
            for k, (name, snr) in enumerate(zip(held_out.names, held_out.snrs, strict=True))
        ],
        "history": result.history,
    }
    write_report(folder, metrics, read_events(folder), held_out, scores, count=_SHOWN)
    return metrics


def available_measures() -> dict[str, Measure]:
    """SI-SNR, and PESQ and STOI where their packages are installed.

    Example:
        >>> list(available_measures())[0]
        'si_snr'
    """
    measures: dict[str, Measure] = {"si_snr": si_snr}
    return measures | {name: f for name, (package, f) in _OPTIONAL.items() if find_spec(package)}


def by_snr(held_out: HeldOut, scores: Mapping[str, Scores]) -> list[dict[str, Any]]:
    """Means over the mixtures of each ratio of speech to noise, in rising order.

    Example:
        >>> held_out = HeldOut(["a", "b"], [5.0, 5.0], [], 8000)
        >>> by_snr(held_out, {"noisy": Scores([], [{"pesq": 1.0}, {"pesq": 2.0}])})
        [{'snr_db': 5.0, 'mixtures': 2, 'noisy': {'pesq': 1.5}}]
    """
    rows = []
    for snr in sorted(set(held_out.snrs)):
        here = [k for k, value in enumerate(held_out.snrs) if value == snr]
        row: dict[str, Any] = {"snr_db": snr, "mixtures": len(here)}
        for who, each in scores.items():
            names = each.rows[0]
            row[who] = {name: mean([each.rows[k][name] for k in here]) for name in names}
        rows.append(row)
    return rows
