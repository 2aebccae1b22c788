"""The report of a training: one HTML page that needs nothing beside it."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from passband.atomic import write_text_atomic
from passband.training import html_figure, html_page, html_player, html_row
from passband.vocoder.learning._evaluation import HeldOut, Scores
from passband.vocoder.learning._figures import curve_figure, history_figure, spectrogram_figure

_NAMES = {"recorded": "Recorded", "vocoder": "Vocoder", "griffin_lim": "Griffin-Lim, 32 steps"}
_MEASURES = {
    "mel": "mel distance (nepers)",
    "pesq": "PESQ-wb",
    "stoi": "STOI",
    "periodicity": "periodicity error",
    "voicing_f1": "V/UV F1",
    "pitch_cents": "pitch error (cents)",
}


def write_report(
    folder: Path,
    metrics: Mapping[str, Any],
    events: Sequence[Mapping[str, float]],
    held_out: HeldOut,
    scores: Mapping[str, Scores],
    *,
    count: int,
) -> None:
    """Write ``report.html``: scores, loss curves, spectrograms and sounds of held-out clips.

    Args:
        folder: the run's folder.
        metrics: what ``metrics.json`` holds.
        events: lines of the record.
        held_out: the clips.
        scores: of the vocoder and of the baseline, by name.
        count: clips to show.

    Raises:
        OutputError: it cannot be written.
    """
    parts = [
        f"<h1>{html.escape(folder.resolve().name)}</h1>",
        f'<p class="lead">{metrics["parameters"]:,} parameters, {metrics["steps"]:,} steps in '
        f"{metrics['seconds']:.0f} s. Scores are means over {len(held_out.clips)} clips that "
        "nothing was learned from.</p>",
        _table(scores),
        "<h2>Training</h2>",
        html_row(
            html_figure(curve_figure(events), "Losses, running means"),
            html_figure(history_figure(metrics["history"]), "Scores on the held-out clips"),
        ),
    ]
    for k in range(min(count, len(held_out.clips))):
        sounds = {"recorded": held_out.clips[k]}
        sounds |= {name: each.sounds[k] for name, each in scores.items()}
        parts.append(f"<h2>{html.escape(held_out.names[k])}</h2>")
        parts.append(html_row(*(_sound(n, x, held_out.sample_rate) for n, x in sounds.items())))
    page = html_page(f"Passband: {folder.resolve().name}", parts)
    write_text_atomic(folder / "report.html", page)


def _table(scores: Mapping[str, Scores]) -> str:
    means = {name: each.means for name, each in scores.items()}
    shown = [name for name in _MEASURES if name in means["vocoder"]]
    head = "".join(f"<th>{_MEASURES[name]}</th>" for name in shown)
    rows = "".join(
        f"<tr><th>{_NAMES[who]}</th>{''.join(f'<td>{_number(row[n])}</td>' for n in shown)}</tr>"
        for who, row in means.items()
    )
    return f"<table><tr><th></th>{head}</tr>{rows}</table>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _sound(name: str, sound: Tensor, sample_rate: int) -> str:
    figure = html_figure(spectrogram_figure(sound, sample_rate), _NAMES[name])
    return f"<div>{figure}{html_player(sound, sample_rate)}</div>"
