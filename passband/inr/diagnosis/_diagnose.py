"""From a run folder to numbers and a page that say how its field learns."""

import json
from pathlib import Path
from typing import Any

import torch

from passband import __version__
from passband.atomic import write_text_atomic
from passband.errors import InputError, OutputError
from passband.inr import FittedField, load_field, load_scene, load_target
from passband.inr.diagnosis._measure import SAMPLES, Progress, measure, silent
from passband.inr.diagnosis._numbers import diagnosis_numbers
from passband.inr.diagnosis._report import write_diagnosis_page
from passband.inr.diagnosis._samples import GridSamples, SignalSamples
from passband.training import choose_device

DIAGNOSIS_FILE = "diagnosis.json"
DIAGNOSIS_PAGE = "diagnosis.html"
_LEAST_SAMPLES, _MOST_SAMPLES = 2, 4096


def diagnose(
    run: Path,
    out: Path | None = None,
    *,
    samples: int = SAMPLES,
    device: str = "auto",
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Diagnose the field of a finished run; write ``diagnosis.json`` and ``diagnosis.html``.

    The signal is read again from where the run's scene says, for the gradients of its loss. The
    same seed gives the same numbers on the CPU.

    Args:
        run: folder of a finished fit.
        out: folder to write to, made if needed; the run's own by default.
        samples: points of the tangent kernel, 2 to 4096.
        device: where gradients and patterns are computed; the kernel is always on the CPU.
        seed: of the points that are looked at.
        progress: told the stage, and how much of it is done.

    Returns:
        The numbers, as in ``diagnosis.json``.

    Raises:
        InputError: no finished run there, or its signal is gone or another one.
        OutputError: the folder cannot be written.
    """
    if not _LEAST_SAMPLES <= samples <= _MOST_SAMPLES:
        raise InputError(
            f"`samples` (={samples}) must be between {_LEAST_SAMPLES} and {_MOST_SAMPLES}: the "
            "tangent kernel is a matrix of that side."
        )
    place = choose_device(device)
    metrics, fitted, found = load_run(run, place)
    folder = run if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made: {error.strerror}. Choose another -o."
        ) from error
    diagnosis = measure(fitted.field, found, count=samples, seed=seed, progress=progress)
    numbers = {
        "passband": __version__,
        "source": fitted.info.source,
        "field": metrics["field"],
        "parameters": fitted.field.parameter_count,
        "steps": metrics["steps"],
        "device": str(place),
        **diagnosis_numbers(diagnosis, metrics),
    }
    write_text_atomic(folder / DIAGNOSIS_FILE, json.dumps(numbers, indent=1) + "\n")
    write_diagnosis_page(folder / DIAGNOSIS_PAGE, diagnosis, numbers)
    return numbers


def load_run(
    run: Path, device: torch.device | str = "cpu"
) -> tuple[dict[str, Any], FittedField, SignalSamples]:
    """Metrics, field and signal of the finished run in the folder ``run``.

    Raises:
        InputError: no finished run there, or its signal is gone or another one.
    """
    if not run.is_dir():
        raise InputError(f"{run} is no run folder. Pass one that passband fit has made.")
    fitted = load_field(run, device=device)
    try:
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{run} holds no metrics.json that can be read: its fit has not ended. "
            "Finish it with passband fit --resume."
        ) from error
    scene = load_scene(run / "scene.toml")
    try:
        target = load_target(scene)
    except InputError as error:
        raise InputError(
            f"the signal that {run} was fitted to is needed for its gradients: {error}"
        ) from error
    if (target.info.size, target.info.channels) != (fitted.info.size, fitted.info.channels):
        raise InputError(
            f"{scene.target.path} is not what {run} was fitted to: it has other sizes "
            f"({target.info.size}, not {fitted.info.size}) or channels. Put the signal back."
        )
    return metrics, fitted, GridSamples(target)
