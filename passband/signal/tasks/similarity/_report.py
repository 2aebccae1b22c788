"""The report of an embedder's training."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from passband.atomic import write_text_atomic
from passband.signal.tasks.similarity._copies import Copies
from passband.signal.tasks.similarity._embedder import Embedder
from passband.signal.tasks.similarity._search import points_of_levels
from passband.training import (
    figure_png,
    html_figure,
    html_page,
    html_row,
    new_figure,
    read_events,
)

_BLUE, _ORANGE = "#2563a8", "#d1651c"
_FILES_SHOWN = 10


def write_report(
    folder: Path, metrics: Mapping[str, Any], embedder: Embedder, copies: Copies, held: list[int]
) -> None:
    """Write ``report.html``: hits by transformation, the loss, and a map of held-out windows.

    Raises:
        OutputError: it cannot be written.
    """
    rows = "".join(
        f"<tr><th>{html.escape(term)}</th><td>{100 * part:.1f} %</td></tr>"
        for term, part in metrics["first_neighbour_of"].items()
    )
    name = html.escape(folder.resolve().name)
    parts = [
        f"<h1>{name}</h1>",
        f'<p class="lead">{metrics["parameters"]:,} parameters, {metrics["steps"]:,} steps in '
        f"{metrics['seconds']:.0f} s, learned from {metrics['files']} files. Queries are "
        f"{metrics['queries']} transformed excerpts of {len(held)} files that nothing was learned "
        f"from; searched are all {metrics['searched_files']} files.</p>",
        f"<table><tr><th></th><th>own file found first</th></tr>{rows}"
        f'<tr class="chosen"><th>all</th><td>{100 * metrics["first_neighbour"]:.1f} %</td></tr>'
        "</table>",
        html_row(
            html_figure(curves_figure(read_events(folder), metrics["history"]), "Training"),
            html_figure(
                map_figure(embedder, copies, held[:_FILES_SHOWN]),
                f"Windows of {min(len(held), _FILES_SHOWN)} held-out files and of their copies "
                "(crosses) in the plane of their greatest variance, one colour a file",
            ),
        ),
    ]
    write_text_atomic(folder / "report.html", html_page(f"Passband: {name}", parts))


def curves_figure(
    events: Sequence[Mapping[str, float]], history: Sequence[Mapping[str, Any]]
) -> bytes:
    """The loss over steps and the part found first at every evaluation.

    Example:
        >>> curves_figure([{"step": 0, "loss": 1.0}], [{"step": 1, "first_neighbour": 0.5}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.6), right=0.75)
    axis.plot([e["step"] for e in events], [e["loss"] for e in events], color=_BLUE, lw=1)
    axis.set(xlabel="step", ylim=(0, None))
    axis.set_ylabel("triplet loss", color=_BLUE)
    right = axis.twinx()
    found = [100 * entry["first_neighbour"] for entry in history]
    right.plot([entry["step"] for entry in history], found, color=_ORANGE, marker="o", ms=4)
    right.set_ylim(0, 102)
    right.set_ylabel("held-out excerpts found first (%)", color=_ORANGE)
    return figure_png(figure)


def map_figure(embedder: Embedder, copies: Copies, files: Sequence[int]) -> bytes:
    """Points of some files' windows and of their copies, on two principal axes."""
    from matplotlib import colormaps  # noqa: PLC0415  only a report draws

    terms = [term for term in ("pitch", "tempo", "equaliser") if _wanted(embedder, term)]
    groups = []
    for number in files:
        own = _points(embedder, copies(number)[0])
        changed = [_points(embedder, copies(number, term, 0)[0]) for term in terms]
        groups.append((own, torch.cat(changed) if changed else own[:0]))
    every = torch.cat([torch.cat(group) for group in groups]).double()
    centre = every.mean(0)
    axes = torch.linalg.svd(every - centre, full_matrices=False).Vh[:2].T
    figure, (axis,) = new_figure(1, 1, (5.6, 3.6))
    for k, group in enumerate(groups):
        colour = colormaps["tab10"](k % 10)
        for points, marker, size in zip(group, ("o", "x"), (22, 14), strict=True):
            x, y = np.asarray((points.double() - centre) @ axes).T
            axis.scatter(x, y, s=size, marker=marker, color=colour, lw=0.9)
    axis.set(xticks=[], yticks=[])
    return figure_png(figure)


def _wanted(embedder: Embedder, term: str) -> bool:
    return bool(getattr(embedder.recipe.transformations, term) > 0)


def _points(embedder: Embedder, levels: Tensor) -> Tensor:
    device = embedder.point.weight.device
    return points_of_levels(embedder, levels.to(device).float())[1].cpu()
