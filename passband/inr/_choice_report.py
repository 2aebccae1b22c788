"""The part of a report that says why a family was chosen."""

import html
from typing import Any


def choice_section(metrics: dict[str, Any]) -> str:
    """HTML of the table of candidates, the chosen one first; nothing where none was chosen.

    Example:
        >>> choice_section({"choice": None})
        ''
    """
    choice = metrics["choice"]
    if choice is None:
        return ""
    rows = choice["rows"]
    trials = len(rows[0]["scores"])
    heads = "".join(f"<th>trial {k + 1} (dB)</th>" for k in range(trials))
    body = "".join(_row(row, trials, chosen=row is rows[0]) for row in rows)
    return (
        f"<h2>How the family was chosen</h2><p>{html.escape(choice['reason'])}. Where there are "
        "several, all are fitted for an eighth of the run that the budget allows them, the best "
        "for a third, and two that are close for two thirds "
        f"({choice['seconds']:.0f} s).</p><table><tr><th>family</th>"
        f"<th>knob</th><th>parameters</th><th>steps of the whole run</th>{heads}</tr>{body}</table>"
    )


def _row(row: dict[str, Any], trials: int, *, chosen: bool) -> str:
    knob = "" if row["knob"] is None else f"{row['knob'].rpartition('.')[2]} {row['value']:g}"
    scores = [f"{score:.2f}" for score in row["scores"]] + [""] * (trials - len(row["scores"]))
    cells = [row["family"], knob, f"{row['parameters']:,}", f"{row['steps']:,}", *scores]
    inner = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    return f"<tr{' class=chosen' if chosen else ''}>{inner}</tr>"
