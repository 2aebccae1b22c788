"""The report of a fit: one HTML page that needs nothing beside it."""

import html
from pathlib import Path
from typing import Any

from torch import Tensor

from passband.atomic import write_text_atomic
from passband.inr._choice_report import choice_section
from passband.inr._figures import (
    ERROR_GAIN,
    band_figure,
    error_picture,
    matching_figure,
    picture,
    sound_figure,
    spectra_figure,
)
from passband.inr.targets import GridTarget, SignalInfo
from passband.training import html_figure, html_page, html_player, html_row

_LONGEST_SOUND = 30.0  # seconds that are embedded to listen to


def write_report(
    path: Path, metrics: dict[str, Any], target: GridTarget, rendering: Tensor
) -> None:
    """Write the page: target, rendering and error, spectra, error per band, matching table.

    Args:
        path: where to.
        metrics: what ``metrics.json`` holds.
        target: the signal.
        rendering: the field on the signal's grid, in trained units.

    Raises:
        OutputError: it cannot be written.
    """
    info = target.info
    signals = (
        _sound_section(target.signal, rendering, info)
        if info.kind == "audio"
        else _picture_section(target.signal, rendering, info)
    )
    analysis = html_row(
        html_figure(spectra_figure(target.signal, rendering, info), "How much of each frequency"),
        html_figure(
            band_figure(metrics["band_edges"], metrics["history"]),
            "Error energy over the target's, octave by octave: 0 dB is nothing learned yet",
        ),
    )
    parts = [
        _heading(metrics),
        signals,
        f"<h2>In the frequencies it is made of</h2>{analysis}",
        choice_section(metrics),
        matching_section(metrics),
    ]
    write_text_atomic(path, html_page(f"Passband: {Path(info.source).name}", parts))


def _heading(metrics: dict[str, Any]) -> str:
    size = "×".join(str(count) for count in reversed(metrics["size"]))
    field = metrics["field"]
    figures = [
        (f"{metrics['psnr']:.2f} dB", "PSNR"),
        *([(f"{metrics['ssim']:.4f}", "SSIM")] if metrics["ssim"] is not None else []),
        *([(f"{metrics['snr']:.2f} dB", "SNR")] if metrics["kind"] == "audio" else []),
        (f"{metrics['seconds']:.1f} s", f"{metrics['steps']} steps on {metrics['device']}"),
        (f"{metrics['parameters']:,}", "parameters"),
        (f"{metrics['bits_per_sample']:.2f}", "bits per sample"),
    ]
    cells = "".join(f"<div><b>{value}</b>{label}</div>" for value, label in figures)
    what = f"{field['encoding']['kind']} encoding, {field['network']['kind']} network"
    return (
        f"<h1>{html.escape(Path(metrics['source']).name)}</h1>"
        f'<p class="lead">{size} × {metrics["channels"]} channels, {what}. '
        f'{html.escape(metrics["source"])}</p><div class="figures">{cells}</div>'
    )


def _picture_section(target: Tensor, rendering: Tensor, info: SignalInfo) -> str:
    return html_row(
        html_figure(picture(target, bounded=info.bounded), "Target"),
        html_figure(picture(rendering, bounded=info.bounded), "Rendering"),
        html_figure(error_picture(target, rendering), f"Absolute error × {ERROR_GAIN}"),
    )


def _sound_section(target: Tensor, rendering: Tensor, info: SignalInfo) -> str:
    section = html_figure(
        sound_figure(target, rendering, info), "Spectrograms of the first channel"
    )
    rate = info.sample_rate or 1
    players = [
        f"<figure><figcaption>{name}</figcaption>"
        f"{html_player(values[:, : round(_LONGEST_SOUND * rate)], rate)}</figure>"
        for name, values in (("Target", target), ("Rendering", rendering))
    ]
    return section + html_row(*players)


def matching_section(metrics: dict[str, Any]) -> str:
    """HTML of how the knob was chosen; nothing where it was given."""
    table, knob = metrics["matching"], metrics["knob"]
    if metrics["winner"] is not None:
        first, second = metrics["winner"]
        return (
            "<h2>How the knob was chosen</h2><p>By WINNER's closed form, from the signal's "
            f"spectral centroid: noise of {first:.4g} / omega on the first weight matrix and "
            f"{second:.4g} / omega on the second.</p>"
        )
    if table is None:
        return ""
    rows = "".join(
        f"<tr{' class=chosen' if row['value'] == table['value'] else ''}>"
        f"<td>{row['value']:g}</td><td>{row['distance']:.3f}</td>"
        f"<td>{row['standard_error']:.3f}</td></tr>"
        for row in table["rows"]
    )
    lead = (
        f"{knob} = {table['value']:g}: of {len(table['rows'])} candidates, its untrained fields "
        f"have the spectrum nearest to the target's ({table['reduction']} reduction, "
        f"{table['seconds']:.1f} s)."
    )
    return (
        f"<h2>How the knob was chosen</h2><p>{lead}</p>"
        f"{html_figure(matching_figure(table, knob), 'Lower is nearer')}"
        f"<table><tr><th>{knob}</th><th>distance (bins)</th><th>standard error</th></tr>"
        f"{rows}</table>"
    )
