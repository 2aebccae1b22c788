"""The report of a fit: one HTML page that needs nothing beside it."""

import base64
import html
import io
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

_LONGEST_SOUND = 30.0  # seconds that are embedded to listen to

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
 body {{ font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; margin: 2rem auto;
   max-width: 1180px; padding: 0 1rem; }}
 h1 {{ font-size: 1.35rem; margin: 0; }} h2 {{ font-size: 1.05rem; margin: 2rem 0 .5rem; }}
 .lead {{ color: #57606a; margin: .2rem 0 1.2rem; overflow-wrap: anywhere; }}
 .figures {{ display: flex; flex-wrap: wrap; gap: 1.6rem; margin: 0 0 1.4rem; }}
 .figures div b {{ display: block; font-size: 1.5rem; font-weight: 600; }}
 .figures div {{ color: #57606a; }} .figures b {{ color: #1b1f24; }}
 .row {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 12px; }}
 figure {{ margin: 0; }} figcaption {{ color: #57606a; font-size: .85rem; }}
 img {{ width: 100%; height: auto; display: block; }}
 table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }}
 th, td {{ text-align: right; padding: .15rem .9rem; border-bottom: 1px solid #d8dee4; }}
 tr.chosen {{ background: #fff1e5; font-weight: 600; }} audio {{ width: 100%; }}
</style></head><body>
{body}
</body></html>
"""


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
    analysis = _row(
        _figure(spectra_figure(target.signal, rendering, info), "How much of each frequency"),
        _figure(
            band_figure(metrics["band_edges"], metrics["history"]),
            "Error energy over the target's, octave by octave: 0 dB is nothing learned yet",
        ),
    )
    parts = [
        _heading(metrics),
        signals,
        f"<h2>In the frequencies it is made of</h2>{analysis}",
        choice_section(metrics),
        _matching_section(metrics),
    ]
    title = html.escape(f"Passband: {Path(info.source).name}")
    write_text_atomic(path, _PAGE.format(title=title, body="\n".join(parts)))


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
    return _row(
        _figure(picture(target, bounded=info.bounded), "Target"),
        _figure(picture(rendering, bounded=info.bounded), "Rendering"),
        _figure(error_picture(target, rendering), f"Absolute error × {ERROR_GAIN}"),
    )


def _sound_section(target: Tensor, rendering: Tensor, info: SignalInfo) -> str:
    section = _figure(sound_figure(target, rendering, info), "Spectrograms of the first channel")
    rate = info.sample_rate or 1
    players = [
        f"<figure><figcaption>{name}</figcaption>"
        f'<audio controls src="{_wav(values[:, : round(_LONGEST_SOUND * rate)], rate)}"></audio>'
        "</figure>"
        for name, values in (("Target", target), ("Rendering", rendering))
    ]
    return section + _row(*players)


def _matching_section(metrics: dict[str, Any]) -> str:
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
        f"{_figure(matching_figure(table, knob), 'Lower is nearer')}"
        f"<table><tr><th>{knob}</th><th>distance (bins)</th><th>standard error</th></tr>"
        f"{rows}</table>"
    )


def _row(*figures: str) -> str:
    return f'<div class="row">{"".join(figures)}</div>'


def _figure(png: bytes, caption: str) -> str:
    data = base64.b64encode(png).decode()
    return (
        f'<figure><img alt="{html.escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _wav(samples: Tensor, sample_rate: int) -> str:
    import soundfile  # noqa: PLC0415  only sounds need it

    buffer = io.BytesIO()
    soundfile.write(buffer, samples.clamp(-1, 1).T.numpy(), sample_rate, "PCM_16", format="WAV")
    return f"data:audio/wav;base64,{base64.b64encode(buffer.getvalue()).decode()}"
