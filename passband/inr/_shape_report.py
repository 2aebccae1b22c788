"""The report of a fitted shape: one HTML page that needs nothing beside it."""

import html
from pathlib import Path
from typing import Any

from passband.atomic import write_text_atomic
from passband.inr._choice_report import choice_section
from passband.inr._figures import band_figure
from passband.inr._report import matching_section
from passband.inr._shape_figures import history_figure, shape_figures
from passband.inr._shape_quality import F_SCORE_THRESHOLD
from passband.inr.targets import ShapeTarget
from passband.media import Mesh
from passband.training import html_figure, html_page, html_row


def write_shape_report(
    path: Path, metrics: dict[str, Any], target: ShapeTarget, mesh: Mesh | None
) -> None:
    """Write the page: figures of merit, target and fit, error on the surface, matching table.

    Args:
        path: where to.
        metrics: what ``metrics.json`` holds.
        target: the true shape.
        mesh: the fitted one in the field's coordinates, or None where it has no surface.

    Raises:
        OutputError: it cannot be written.
    """
    parts = [_heading(metrics)]
    if mesh is None:
        parts.append("<p>The field has no surface yet: fit it for longer.</p>")
    else:
        parts.append(
            html_row(*(html_figure(png, text) for png, text in shape_figures(target, mesh)))
        )
    if metrics["history"]:
        text = "What is missing of the volume, and the relative error of distances, against steps"
        parts.append("<h2>In the course of the fit</h2>")
        curves = [html_figure(history_figure(metrics["history"]), text)]
        if "band_edges" in metrics:
            picture = band_figure(metrics["band_edges"], metrics["history"])
            text = "Error energy of the distances near the surface over the shape's, by octave"
            curves.append(html_figure(picture, text))
        parts.append(html_row(*curves))
    parts += [choice_section(metrics), matching_section(metrics)]
    write_text_atomic(path, html_page(f"Passband: {Path(metrics['source']).name}", parts))


def _heading(metrics: dict[str, Any]) -> str:
    field = metrics["field"]
    found = metrics["chamfer"] is not None
    figures = [
        (f"{metrics['iou']:.4f}", "IoU"),
        *([(f"{metrics['chamfer']:.2e}", "chamfer, unit cube")] if found else []),
        *([(f"{metrics['f_score']:.4f}", f"F-score at {F_SCORE_THRESHOLD:.1%}")] if found else []),
        *([(f"{metrics['normal_consistency']:.4f}", "normal consistency")] if found else []),
        (f"{metrics['mape']:.3f}", "relative error of distances"),
        (f"{metrics['seconds']:.1f} s", f"{metrics['steps']} steps on {metrics['device']}"),
        (f"{metrics['parameters']:,}", "parameters"),
        (f"{metrics['faces']:,}", "faces"),
    ]
    cells = "".join(f"<div><b>{value}</b>{label}</div>" for value, label in figures)
    what = f"{field['encoding']['kind']} encoding, {field['network']['kind']} network"
    return (
        f"<h1>{html.escape(Path(metrics['source']).name)}</h1>"
        f'<p class="lead">A shape of {metrics["target_faces"]:,} faces, {what}. '
        f'{html.escape(metrics["source"])}</p><div class="figures">{cells}</div>'
    )
