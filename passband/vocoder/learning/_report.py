"""The report of a training: one HTML page that needs nothing beside it."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import soundfile
from torch import Tensor

from passband.atomic import write_text_atomic
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

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
 body {{ font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; margin: 2rem auto;
   max-width: 1180px; padding: 0 1rem; }}
 h1 {{ font-size: 1.35rem; margin: 0; }} h2 {{ font-size: 1.05rem; margin: 2rem 0 .5rem; }}
 .lead {{ color: #57606a; margin: .2rem 0 1.2rem; overflow-wrap: anywhere; }}
 .row {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 12px; }}
 figure {{ margin: 0; }} figcaption {{ color: #57606a; font-size: .85rem; }}
 img {{ width: 100%; height: auto; display: block; }} audio {{ width: 100%; }}
 table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
 th, td {{ text-align: right; padding: .2rem .9rem; border-bottom: 1px solid #d8dee4; }}
</style></head><body>
{body}
</body></html>
"""


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
        _row(
            _figure(curve_figure(events), "Losses, running means"),
            _figure(history_figure(metrics["history"]), "Scores on the held-out clips"),
        ),
    ]
    for k in range(min(count, len(held_out.clips))):
        sounds = {"recorded": held_out.clips[k]}
        sounds |= {name: each.sounds[k] for name, each in scores.items()}
        parts.append(f"<h2>{html.escape(held_out.names[k])}</h2>")
        parts.append(_row(*(_sound(n, x, held_out.sample_rate) for n, x in sounds.items())))
    page = _PAGE.format(title=f"Passband: {html.escape(folder.name)}", body="\n".join(parts))
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
    buffer = io.BytesIO()
    samples = sound.clamp(-1, 1).numpy()
    soundfile.write(buffer, samples, sample_rate, "PCM_16", format="WAV")
    data = base64.b64encode(buffer.getvalue()).decode()
    player = f'<audio controls src="data:audio/wav;base64,{data}"></audio>'
    return f"<div>{_figure(spectrogram_figure(sound, sample_rate), _NAMES[name])}{player}</div>"


def _row(*parts: str) -> str:
    return f'<div class="row">{"".join(parts)}</div>'


def _figure(png: bytes, caption: str) -> str:
    data = base64.b64encode(png).decode()
    return (
        f'<figure><img alt="{html.escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
