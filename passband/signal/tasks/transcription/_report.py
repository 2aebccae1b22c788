"""The report of a training: one HTML page that needs nothing beside it."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from passband.atomic import write_text_atomic
from passband.signal.tasks.transcription._evaluation import Scores
from passband.signal.tasks.transcription._figures import (
    history_figure,
    loss_figure,
    probability_figure,
    roll_figure,
)
from passband.signal.tasks.transcription._pieces import Piece
from passband.signal.tasks.transcription._transcriber import Transcriber
from passband.training import html_figure, html_page, html_row

_MEASURES = {
    "note_f1": "note F1 (onset)",
    "note_precision": "precision",
    "note_recall": "recall",
    "offset_f1": "note F1 (onset, offset)",
    "average_precision": "frame AP",
    "frame_accuracy": "frame accuracy",
    "e_tot": "E_tot",
    "e_sub": "E_sub",
    "e_miss": "E_miss",
    "e_fa": "E_fa",
}
_SHOWN = 4
_CAPTION = "Notes: black as played, blue missed, orange found in excess"


def write_report(
    folder: Path,
    metrics: Mapping[str, Any],
    events: Sequence[Mapping[str, float]],
    pieces: Sequence[Piece],
    scores: Scores,
    transcriber: Transcriber,
) -> None:
    """Write ``report.html``: scores, curves, and notes and probabilities of held-out pieces.

    Raises:
        OutputError: it cannot be written.
    """
    name = html.escape(folder.resolve().name)
    parts = [
        f"<h1>{name}</h1>",
        f'<p class="lead">{metrics["parameters"]:,} parameters, {metrics["steps"]:,} steps in '
        f"{metrics['seconds']:.0f} s. {len(pieces)} pieces were held out; nothing was learned from "
        "them.</p>",
        _table(metrics),
        "<h2>Training</h2>",
        html_row(
            html_figure(loss_figure(events), "Losses"),
            html_figure(history_figure(metrics["history"]), "Scores on the held-out pieces"),
        ),
    ]
    hop = transcriber.hop_seconds
    shown = list(zip(pieces, scores.notes, scores.frames, strict=True))[:_SHOWN]
    for piece, notes, frames in shown:
        parts.append(f"<h2>{html.escape(piece.name)}, first 20 s</h2>")
        parts.append(html_figure(roll_figure(piece.notes, notes, hop), _CAPTION))
        picture = probability_figure(frames, hop)
        parts.append(html_figure(picture, "Probability that a key sounds"))
    write_text_atomic(folder / "report.html", html_page(f"Passband: {name}", parts))


def _table(metrics: Mapping[str, Any]) -> str:
    head = "".join(f"<th>{words}</th>" for words in _MEASURES.values())
    rows = [("mean", metrics), *((row["name"], row) for row in metrics["pieces"])]
    body = "".join(
        f"<tr><th>{html.escape(name)}</th>"
        + "".join(f"<td>{row[key]:.3f}</td>" for key in _MEASURES)
        + "</tr>"
        for name, row in rows
    )
    return f"<table><tr><th></th>{head}</tr>{body}</table>"
