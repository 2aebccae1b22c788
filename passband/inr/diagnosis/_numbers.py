"""The numbers of a diagnosis, as ``diagnosis.json`` holds them."""

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from passband.inr.diagnosis._kernel import KernelSpectrum, first_reaching
from passband.inr.diagnosis._measure import Diagnosis

_HALF = -3.0  # dB: half of a band's energy is there
_MOST = 0.9


def diagnosis_numbers(diagnosis: Diagnosis, metrics: dict[str, Any]) -> dict[str, Any]:
    """All that was measured, without the single pairs.

    Args:
        diagnosis: of the field.
        metrics: of its run, for the history of its bands.
    """
    confusion = {
        part: {
            "parameters": found.parameters,
            **{kind: _spread(values) for kind, values in found.cosines.items()},
        }
        for part, found in diagnosis.confusion.items()
    }
    patterns = diagnosis.patterns
    return {
        "seed": diagnosis.seed,
        "bands": band_history(metrics),
        "gradient_confusion": confusion,
        "activation": {
            "units": patterns.units,
            "hamming": {kind: _spread(d, signed=False) for kind, d in patterns.hamming.items()},
            "regions": patterns.regions,
            "region_points": patterns.region_points,
            "boundary_distance": patterns.distance,
        },
        "kernel": _kernel_numbers(diagnosis.spectrum),
    }


def band_history(metrics: dict[str, Any]) -> dict[str, Any] | None:
    """Error of every band at every evaluation of a run, and when half of the band was learned.

    Returns:
        Edges in cycles per side, steps, ``error_db`` as bands x steps, and ``half_learned_at``: the
        first of the steps at which no more than -3 dB of the band's energy is missing. None for a
        run that recorded none.

    Example:
        >>> history = [{"step": 1, "band_error_db": [0.0]}, {"step": 9, "band_error_db": [-5.0]}]
        >>> band_history({"band_edges": [1.0, 2.0], "history": history})["half_learned_at"]
        [9]
    """
    history = [entry for entry in metrics.get("history", ()) if entry.get("band_error_db")]
    if not history:
        return None
    rows = list(zip(*(entry["band_error_db"] for entry in history), strict=True))
    steps = [entry["step"] for entry in history]
    return {
        "edges": metrics["band_edges"],
        "steps": steps,
        "error_db": [list(row) for row in rows],
        "half_learned_at": [_first_below(row, steps) for row in rows],
    }


def _first_below(errors: Sequence[float | None], steps: Sequence[int]) -> int | None:
    found = (
        step
        for error, step in zip(errors, steps, strict=True)
        if error is not None and error <= _HALF
    )
    return next(found, None)


def _spread(values: Tensor, *, signed: bool = True) -> dict[str, float | int]:
    wide = values.double()
    spread: dict[str, float | int] = {
        "pairs": len(wide),
        "mean": float(wide.mean()),
        "std": float(wide.std(correction=0)),
        "min": float(wide.min()),
        "max": float(wide.max()),
    }
    if signed:
        spread["negative"] = float((wide < 0).double().mean())
    return spread


def _kernel_numbers(spectrum: KernelSpectrum) -> dict[str, Any]:
    values = spectrum.eigenvalues
    total = float(values.sum())
    numbers: dict[str, Any] = {
        "points": len(values),
        "effective_rank": spectrum.effective_rank,
        "largest_share": float(values[0]) / total if total > 0 else None,
        "eigenvalues": [value if math.isfinite(value) else None for value in values.tolist()],
    }
    for name, energy in (("target", spectrum.target), ("residual", spectrum.residual)):
        shares = None if energy is None else energy.tolist()
        numbers[f"{name}_energy"] = shares
        numbers[f"{name}_in"] = None if shares is None else first_reaching(shares, _MOST)
    return numbers
