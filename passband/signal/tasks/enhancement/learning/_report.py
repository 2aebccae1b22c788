"""The report of a training: one HTML page that needs nothing beside it."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from passband.atomic import write_text_atomic
from passband.signal.tasks.enhancement.learning._figures import (
    curve_figure,
    history_figure,
    levels_db,
    spectrogram_figure,
)
from passband.signal.tasks.enhancement.learning._held_out import HeldOut, Scores
from passband.training import html_figure, html_page, html_player, html_row

_NAMES = {
    "noisy": "Noisy",
    "wiener": "Wiener filter",
    "enhanced": "Enhanced",
    "clean": "Clean",
}
_MEASURES = {"si_snr": "SI-SNR (dB)", "pesq": "PESQ-wb", "stoi": "STOI"}


def write_report(
    folder: Path,
    metrics: Mapping[str, Any],
    events: Sequence[Mapping[str, float]],
    held_out: HeldOut,
    scores: Mapping[str, Scores],
    *,
    count: int,
) -> None:
    """Write ``report.html``: measures, curves, spectrograms and sounds of held-out mixtures.

    Args:
        folder: the run's folder.
        metrics: what ``metrics.json`` holds.
        events: lines of the record.
        held_out: the mixtures.
        scores: of the noisy, filtered and enhanced signals, by name.
        count: mixtures to show.

    Raises:
        OutputError: it cannot be written.
    """
    title = html.escape(folder.resolve().name)
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="lead">{metrics["parameters"]:,} parameters, {metrics["steps"]:,} steps in '
        f"{metrics['seconds']:.0f} s. Measures are means over {len(held_out.pairs)} mixtures of "
        "speech and noise that nothing was learned from. The Wiener filter takes the noise from "
        "their beginning, where nobody speaks yet.</p>",
        _table(metrics["by_snr"], {name: each.means for name, each in scores.items()}),
        "<h2>Training</h2>",
        html_row(
            html_figure(curve_figure(events), "Crops that are learned from, running means"),
            html_figure(history_figure(metrics["history"]), "Held-out mixtures"),
        ),
    ]
    for k in range(min(count, len(held_out.pairs))):
        pair = held_out.pairs[k]
        parts.append(f"<h2>{html.escape(held_out.names[k])}, {held_out.snrs[k]:g} dB</h2>")
        sounds = {name: each.sounds[k] for name, each in scores.items()} | {"clean": pair.clean}
        top = float(levels_db(pair.noisy).max())
        parts.append(
            html_row(*(_sound(n, x, held_out.sample_rate, top) for n, x in sounds.items()))
        )
    page = html_page(f"Passband: {folder.resolve().name}", parts)
    write_text_atomic(folder / "report.html", page)


def _table(by_snr: Sequence[Mapping[str, Any]], means: Mapping[str, Mapping[str, Any]]) -> str:
    shown = [name for name in _MEASURES if name in means["noisy"]]
    head = "".join(f"<th>{_MEASURES[name]}: {_NAMES[who]}</th>" for name in shown for who in means)
    rows = [(f"{row['snr_db']:g} dB", row) for row in by_snr] + [("all", means)]
    body = "".join(
        f"<tr><th>{label}</th>"
        + "".join(f"<td>{_number(row[who][name])}</td>" for name in shown for who in means)
        + "</tr>"
        for label, row in rows
    )
    return f"<table><tr><th>mixed at</th>{head}</tr>{body}</table>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _sound(name: str, sound: Tensor, sample_rate: int, top_db: float) -> str:
    picture = html_figure(spectrogram_figure(sound, sample_rate, top_db), _NAMES[name])
    return f"<div>{picture}{html_player(sound, sample_rate)}</div>"
