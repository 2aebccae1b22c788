"""What a fit leaves in its folder besides the field: rendering, metrics, report."""

from pathlib import Path
from typing import Any

from torch import Tensor

from passband import __version__
from passband.atomic import write_json_atomic
from passband.inr._field import Field
from passband.inr._knob import ResolvedField
from passband.inr._quality import psnr, relative_band_error, snr, ssim
from passband.inr._report import write_report
from passband.inr._run import FittedField
from passband.inr.targets import GridTarget, evaluate_on_grid
from passband.media import write_audio, write_image
from passband.training import LoopResult

METRICS_FILE = "metrics.json"


def _render(field: Field, target: GridTarget) -> Tensor:
    """The field on the target's grid, in trained units, as a file would hold it."""
    device = next(field.parameters()).device
    values = evaluate_on_grid(field, target.info.size, device=device).cpu().float()
    return values.clamp(-1.0, 1.0) if target.info.bounded else values


def evaluate(field: Field, target: GridTarget) -> dict[str, Any]:
    """PSNR and error per band of the whole signal as ``field`` renders it now."""
    rendering = _render(field, target)
    _, decibels = relative_band_error(target.signal, rendering)
    return {"psnr": psnr(target.signal, rendering), "band_error_db": decibels}


def write_results(
    folder: Path,
    resolved: ResolvedField,
    fitted: FittedField,
    target: GridTarget,
    result: LoopResult,
    *,
    steps: int,
) -> dict[str, Any]:
    """Write the rendering, ``metrics.json`` and ``report.html``; return the metrics."""
    rendering = _render(fitted.field, target)
    metrics = _metrics(resolved, fitted, target, rendering, result, steps)
    write_rendering(folder, fitted, rendering * target.info.scale + target.info.center)
    write_json_atomic(folder / METRICS_FILE, metrics)
    write_report(folder / "report.html", metrics, target, rendering)
    return metrics


def write_rendering(folder: Path, fitted: FittedField, values: Tensor) -> Path:
    """Write physical ``values`` as ``rendering.png``, ``.exr`` or ``.wav`` and return the path."""
    info = fitted.info
    depth = 16 if (info.bit_depth or 8) > 8 else 8
    if info.sample_rate is not None:
        path = folder / "rendering.wav"
        write_audio(path, values, info.sample_rate)
    elif info.bounded:
        path = folder / "rendering.png"
        write_image(path, values, bit_depth=depth)
    else:
        path = folder / "rendering.exr"
        write_image(path, values, bit_depth=32)
    return path


def _metrics(
    resolved: ResolvedField,
    fitted: FittedField,
    target: GridTarget,
    rendering: Tensor,
    result: LoopResult,
    steps: int,
) -> dict[str, Any]:
    info = target.info
    edges, decibels = relative_band_error(target.signal, rendering)
    return {
        **run_metrics(resolved, fitted, result, steps),
        "psnr": psnr(target.signal, rendering),
        "snr": snr(target.signal, rendering),
        "ssim": ssim(target.signal, rendering) if info.kind == "image" else None,
        "bits_per_sample": 32.0 * fitted.field.parameter_count / info.count,
        "band_edges": edges,
        "band_error_db": decibels,
    }


def run_metrics(
    resolved: ResolvedField, fitted: FittedField, result: LoopResult, steps: int
) -> dict[str, Any]:
    """What ``metrics.json`` says of every run, whatever kind of signal it was fitted to."""
    info, winner = fitted.info, resolved.winner
    return {
        "passband": __version__,
        "kind": info.kind,
        "source": info.source,
        "size": list(info.size),
        "channels": info.channels,
        "seconds": result.seconds,
        "steps": steps,
        "loss": result.loss,
        "parameters": fitted.field.parameter_count,
        "device": str(next(fitted.field.parameters()).device),
        "field": resolved.settings.model_dump(),
        "knob": resolved.knob,
        "knob_value": resolved.value,
        "matching": resolved.table,
        "choice": resolved.choice,
        "winner": None if winner is None else [winner.first, winner.second],
        "history": result.history,
    }
