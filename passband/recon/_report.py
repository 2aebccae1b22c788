"""The report of a reconstruction: one HTML page that needs nothing beside it."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from passband.atomic import write_text_atomic
from passband.inr._figures import picture
from passband.recon._curves import progress_figure
from passband.recon._views import View
from passband.recon.data import Photographs
from passband.recon.evaluation import PictureScores
from passband.training import html_figure, html_page, html_row

_SHOWN = 4
_ERROR_GAIN = 4


def write_report(
    path: Path,
    metrics: dict[str, Any],
    test: Photographs,
    views: Sequence[View],
    scores: Sequence[PictureScores],
) -> None:
    """Write the page: figures of merit, pictures held out beside their renderings, progress.

    Args:
        path: where to.
        metrics: what ``metrics.json`` holds.
        test: the pictures held out.
        views: their renderings.
        scores: of these.

    Raises:
        OutputError: it cannot be written.
    """
    name = Path(metrics["source"]).name
    chosen = torch.linspace(0, len(views) - 1, min(_SHOWN, len(views))).round().long().tolist()
    parts = [_heading(name, metrics), "<h2>Pictures that nothing was learned from</h2>"]
    parts += [_view_row(test, views[k], scores[k], k) for k in chosen]
    parts += [
        "<h2>In the course of training</h2>",
        html_figure(progress_figure(metrics["history"]), "PSNR of two of the pictures held out"),
        *(f"<p>{html.escape(note)}</p>" for note in metrics["notes"]),
    ]
    write_text_atomic(path, html_page(f"Passband: {name}", parts))


def _heading(name: str, metrics: dict[str, Any]) -> str:
    figures = [
        (_number(metrics["psnr"], "{:.2f} dB"), "PSNR, whole picture"),
        (_number(metrics["psnr_inside"], "{:.2f} dB"), "PSNR inside the masks"),
        (_number(metrics["psnr_eroded"], "{:.2f} dB"), "PSNR inside, rim left out"),
        (_number(metrics["mask_iou"], "{:.4f}"), "silhouettes' IoU"),
        (f"{metrics['components']}", "parts"),
        (f"{metrics['seconds']:.0f} s", f"{metrics['steps']:,} steps on {metrics['device']}"),
        (f"{metrics['rays_per_second']:,.0f}", "rays per second"),
        (f"{metrics['parameters']:,}", "parameters"),
    ]
    cells = "".join(f"<div><b>{value}</b>{label}</div>" for value, label in figures)
    surface, opacity = (metrics["scene"][part]["kind"] for part in ("surface", "opacity"))
    return (
        f'<h1>{html.escape(name)}</h1><p class="lead">{metrics["train_views"]} photographs, '
        f"{surface} surface, {opacity} opacity. {html.escape(metrics['source'])}</p>"
        f'<div class="figures">{cells}</div>'
    )


def _view_row(test: Photographs, view: View, scores: PictureScores, number: int) -> str:
    wanted = test.images[number] / 255
    error = (_ERROR_GAIN * (wanted - view.color).abs().mean(-1, keepdim=True)).expand(-1, -1, 3)
    return html_row(
        html_figure(_png(wanted), test.names[number]),
        html_figure(_png(view.color), f"Rendering, {scores.psnr:.2f} dB"),
        html_figure(_png(shown_normal(view)), "Normals, x, y, z as red, green, blue"),
        html_figure(_png(error), f"Absolute error × {_ERROR_GAIN}"),
    )


def shown_normal(view: View) -> Tensor:
    """Normals as colours (height, width, 3), x, y, z from -1 to 1; white where nothing is."""
    opacity = view.opacity[..., None]
    return (0.5 * view.normal + 0.5 * opacity + (1 - opacity)).clamp(0, 1)


def _png(values: Tensor) -> bytes:
    return picture(2 * values.movedim(-1, 0) - 1)


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
