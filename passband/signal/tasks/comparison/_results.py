"""What a comparison leaves: table, values, figure and page."""

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from passband.atomic import write_bytes_atomic, write_json_atomic, write_text_atomic
from passband.signal.tasks.comparison._figure import comparison_figure
from passband.signal.tasks.comparison._kinds import Kind
from passband.signal.tasks.comparison._recipe import ComparisonRecipe
from passband.signal.tasks.comparison._statistics import paired_difference, summarise
from passband.training import html_figure, html_page


@dataclass(frozen=True)
class Cell:
    """What one run gave.

    Attributes:
        name: of the representation.
        seed: of the run.
        values: by unit; none if it failed.
        seconds: of training.
        fault: why it failed, or None.
    """

    name: str
    seed: int
    values: dict[str, float]
    seconds: float
    fault: str | None


def write_comparison(
    folder: Path,
    recipe: ComparisonRecipe,
    kind: Kind,
    measure: str,
    cells: Sequence[Cell],
    *,
    cells_in_all: int,
) -> dict[str, Any]:
    """Write ``table.txt``, ``values.csv``, ``metrics.json``, ``figure.png`` and ``report.html``.

    Returns:
        The metrics.

    Raises:
        OutputError: the folder cannot be written.
    """
    metrics = measured(recipe, kind, measure, cells)
    metrics |= {
        "cells": cells_in_all,
        "cells_done": sum(cell.fault is None for cell in cells),
        "failed": {f"{c.name}, seed {c.seed}": c.fault for c in cells if c.fault is not None},
    }
    write_json_atomic(folder / "metrics.json", metrics)
    write_text_atomic(folder / "values.csv", values_csv(measure, kind.unit, cells))
    if metrics["representations"]:
        figure = comparison_figure(metrics)
        write_text_atomic(folder / "table.txt", text_table(metrics))
        write_bytes_atomic(folder / "figure.png", figure)
        write_text_atomic(folder / "report.html", _page(folder, metrics, figure))
    return metrics


def measured(
    recipe: ComparisonRecipe, kind: Kind, measure: str, cells: Sequence[Cell]
) -> dict[str, Any]:
    """Means, deviations and paired differences of ``cells``, as in ``metrics.json``."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    seconds: dict[str, float] = {}
    for cell in cells:
        if cell.fault is None:
            found.setdefault(cell.name, {})[cell.seed] = cell.values
            seconds[cell.name] = seconds.get(cell.name, 0.0) + cell.seconds
    reference = found.get(recipe.compared_with())
    rows = {}
    for name in (name for name in recipe.names() if name in found):
        row: dict[str, Any] = asdict(summarise(found[name]))
        shared = reference is not None and bool(set(found[name]) & set(reference))
        if shared and reference is not None and name != recipe.compared_with():
            overlap = kind.overlap(len(next(iter(reference.values()))))
            difference = paired_difference(found[name], reference, overlap=overlap)
            row["difference"] = asdict(difference)
        row["values"] = {str(seed): values for seed, values in found[name].items()}
        row["seconds"] = seconds[name]
        rows[name] = row
    return {
        "kind": "comparison",
        "task": recipe.task["kind"],
        "measure": measure,
        "unit": kind.unit,
        "reference": recipe.compared_with(),
        "seeds": list(recipe.seeds),
        "representations": rows,
    }


def text_table(metrics: dict[str, Any]) -> str:
    """Rows for a person, the best mean first."""
    rows = metrics["representations"]
    width = max(map(len, rows))
    reference = metrics["reference"]
    lines = [
        f"{metrics['measure']} by representation; deviations over {metrics['unit']}s and over "
        f"seeds {metrics['seeds']}",
        f"{'':{width}}      mean  over {metrics['unit']}s  over seeds   less {reference} (95 %)"
        "      better in",
    ]
    for name in sorted(rows, key=lambda name: -rows[name]["mean"]):
        row = rows[name]
        line = (
            f"{name:{width}}  {row['mean']:8.4f}  {_number(row['deviation']):>{11}}"
            f"  {_number(row['seed_deviation']):>10}"
        )
        difference = row.get("difference")
        if difference is not None:
            half = _number(difference["half_width"])
            line += f"   {difference['mean']:+8.4f} ± {half:6}"
            line += f"      {difference['better']} of {difference['units']}"
        lines.append(line)
    lines += [f"failed: {name}: {why}" for name, why in metrics.get("failed", {}).items()]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def values_csv(measure: str, unit: str, cells: Sequence[Cell]) -> str:
    """Every value, a line each.

    Example:
        >>> values_csv("accuracy", "fold", [Cell("mel", 0, {"fold 1": 0.5}, 1.0, None)])
        'representation,seed,fold,accuracy\\nmel,0,fold 1,0.5\\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["representation", "seed", unit, measure])
    for cell in cells:
        writer.writerows([cell.name, cell.seed, name, value] for name, value in cell.values.items())
    return text.getvalue()


def _page(folder: Path, metrics: dict[str, Any], figure: bytes) -> str:
    name = html.escape(folder.resolve().name)
    unit = metrics["unit"]
    rows = metrics["representations"]
    body = []
    for row_name in sorted(rows, key=lambda name: -rows[name]["mean"]):
        row = rows[row_name]
        difference = row.get("difference")
        apart = "<td></td><td></td>"
        if difference is not None:
            apart = (
                f"<td>{difference['mean']:+.4f} ± {_number(difference['half_width'])}</td>"
                f"<td>{difference['better']} of {difference['units']}</td>"
            )
        body.append(
            f"<tr><th>{html.escape(row_name)}</th><td>{row['mean']:.4f}</td>"
            f"<td>{_number(row['deviation'])}</td><td>{_number(row['seed_deviation'])}</td>{apart}"
            f"<td>{row['seconds']:.0f}</td></tr>"
        )
    failed = "".join(
        f"<p>failed: {html.escape(who)}: {html.escape(why)}</p>"
        for who, why in metrics["failed"].items()
    )
    parts = [
        f"<h1>{name}</h1>",
        f'<p class="lead">{html.escape(metrics["measure"])} of a {metrics["task"]}, seeds '
        f"{', '.join(map(str, metrics['seeds']))}; {metrics['cells_done']} of {metrics['cells']} "
        f"cells. Deviations have n - 1; differences are pairs of {unit}s, with 95 % intervals.</p>",
        f"<table><tr><th></th><th>mean</th><th>over {unit}s</th><th>over seeds</th>"
        f"<th>less {html.escape(metrics['reference'])}</th><th>better in</th>"
        f"<th>training (s)</th></tr>{''.join(body)}</table>",
        failed,
        html_figure(
            figure,
            f"Points: every {unit} and seed. Bars, left: deviation over {unit}s; right: 95 % "
            "interval of the mean of paired differences",
        ),
    ]
    return html_page(f"Passband: {name}", parts)
