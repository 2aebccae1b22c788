"""The report of a training: one HTML page that needs nothing beside it."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from passband.atomic import write_text_atomic
from passband.signal.tasks.denoising._figures import (
    curve_figure,
    gain_figure,
    history_figure,
    mixture_figure,
)
from passband.signal.tasks.denoising._mixing import Mixture
from passband.signal.tasks.denoising._splitter import Splitter
from passband.training import html_figure, html_page, html_row

_SHOWN = 4  # mixtures with their spectra and masks
_NAMES = {"network": "Network", "band_pass": "Band-pass, 1 to 20 Hz", "wiener": "Wiener's filter"}
_MEASURES = {
    "snr_gain": "SNR gain (dB), median",
    "snr_gain_mean": "mean",
    "correlation": "correlation, median",
    "correlation_mean": "mean",
    "peak_error": "error of the largest amplitude, median",
}


def write_report(
    folder: Path,
    metrics: Mapping[str, Any],
    events: Sequence[Mapping[str, float]],
    splitter: Splitter,
    held_out: Mixture,
) -> None:
    """Write ``report.html``: scores, curves, and mixtures with their spectra and masks.

    Args:
        folder: the run's folder.
        metrics: what ``metrics.json`` holds.
        events: lines of the record.
        splitter: network, in evaluation mode.
        held_out: mixtures; the first few are shown.

    Raises:
        OutputError: it cannot be written.
    """
    rows = {"network": metrics["network"], **metrics["baselines"]}
    parts = [
        f"<h1>{html.escape(folder.resolve().name)}</h1>",
        f'<p class="lead">{metrics["parameters"]:,} parameters, {metrics["steps"]:,} steps in '
        f"{metrics['seconds']:.0f} s. Scores are over {len(held_out.signal)} mixtures of traces "
        f"and noises from {metrics['files']['held_out']} files that nothing was learned from.</p>",
        _table(rows),
        "<h2>Training</h2>",
        html_row(
            html_figure(curve_figure(events), "Losses"),
            html_figure(history_figure(metrics["history"]), "Held-out mixtures"),
            html_figure(
                gain_figure({name: row["by_snr"] for name, row in rows.items()}),
                "Gain by the ratio of the mixture",
            ),
        ),
        "<h2>Held-out mixtures</h2>",
    ]
    for k in range(min(_SHOWN, len(held_out.signal))):
        mixture = Mixture(held_out.signal[k], held_out.noise[k])
        power = mixture.signal.square().sum() / mixture.noise.square().sum()
        caption = f"SNR of the mixture {10 * float(power.log10()):.1f} dB"
        parts.append(html_figure(mixture_figure(splitter, mixture), caption))
    page = html_page(f"Passband: {folder.resolve().name}", parts)
    write_text_atomic(folder / "report.html", page)


def _table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    head = "".join(f"<th>{text}</th>" for text in _MEASURES.values())
    body = "".join(
        f"<tr><th>{_NAMES[who]}</th>"
        f"{''.join(f'<td>{row[name]:.3g}</td>' for name in _MEASURES)}</tr>"
        for who, row in rows.items()
    )
    return f"<table><tr><th></th>{head}</tr>{body}</table>"
