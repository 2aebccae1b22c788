"""The page of a diagnosis: figures, each with how to read it."""

import html
from pathlib import Path
from typing import Any

from passband.atomic import write_text_atomic
from passband.inr._figures import band_figure
from passband.inr.diagnosis._figures import (
    confusion_figure,
    hamming_figure,
    heat_figure,
    kernel_figure,
)
from passband.inr.diagnosis._measure import Diagnosis, Patterns
from passband.training import html_figure, html_page, html_row

_BANDS = (
    "Rows are octaves of frequency, columns evaluations during training: bright is nothing learned "
    "yet, dark is learned. A bright upper part at the right is spectral bias that training did "
    "not overcome."
)
_CONFUSION = (
    "Each pair of samples has a gradient each; this is the cosine of the angle between them. Mass "
    "at the left of zero means that what helps one sample harms the other, and training goes back "
    "and forth; a narrow peak at zero means that samples are learned independently."
)
_HAMMING = (
    "Hidden units that rise at one point of a pair and not at the other. Neighbours that share "
    "nearly all of them are bound to one slope: detail between them comes late, if at all."
)
_KERNEL = (
    "Left: the field learns along an eigenvector at the rate of its eigenvalue; a steep fall means "
    "a few fast patterns and many slow ones. Right: the share of the signal that lies in the "
    "fastest eigenvectors. The nearer the curve is to the upper left, the faster training goes; "
    "what is still to learn lies in the slow ones."
)


def write_diagnosis_page(path: Path, diagnosis: Diagnosis, numbers: dict[str, Any]) -> None:
    """Write the page that shows ``diagnosis``, with its ``numbers`` on top.

    Raises:
        OutputError: it cannot be written.
    """
    name = Path(numbers["source"]).name
    parts = [_heading(html.escape(name), numbers)]
    if (bands := numbers["bands"]) is not None:
        parts.append(_section("Error per band", _BANDS, _band_figures(bands)))
    named = ", ".join(f"{part} ({c.parameters:,})" for part, c in diagnosis.confusion.items())
    caption = f"Gradients by the parameters of: {named}"
    cosines = {part: found.cosines for part, found in diagnosis.confusion.items()}
    parts += [
        _section("Gradient confusion", _CONFUSION, html_figure(confusion_figure(cosines), caption)),
        _pattern_section(diagnosis.patterns),
        _section("Neural tangent kernel", _KERNEL,
                 html_figure(kernel_figure(diagnosis.spectrum), "Of the field as trained")),
    ]  # fmt: skip
    write_text_atomic(path, html_page(f"Passband: diagnosis of {name}", parts))


def _heading(name: str, numbers: dict[str, Any]) -> str:
    field, kernel = numbers["field"], numbers["kernel"]
    hidden = numbers["gradient_confusion"]["hidden"]
    activation = numbers["activation"]
    figures = [
        (f"{hidden['local']['negative']:.0%}", "of neighbours confused"),
        (f"{activation['hamming']['local']['mean']:.1f}", f"of {activation['units']} units differ"),
        (f"{activation['regions']:,}", f"patterns on {activation['region_points']:,} points"),
        (f"{kernel['effective_rank']:.1f}", f"effective rank of {kernel['points']}"),
    ]
    cells = "".join(f"<div><b>{value}</b>{label}</div>" for value, label in figures)
    what = f"{field['encoding']['kind']} encoding, {field['network']['kind']} network"
    return (
        f"<h1>Diagnosis of {name}</h1>"
        f'<p class="lead">{what}, {numbers["parameters"]:,} parameters, {numbers["steps"]} steps. '
        f'{html.escape(numbers["source"])}</p><div class="figures">{cells}</div>'
    )


def _band_figures(bands: dict[str, Any]) -> str:
    columns = zip(*bands["error_db"], strict=True)
    history = [
        {"step": step, "band_error_db": column}
        for step, column in zip(bands["steps"], columns, strict=True)
    ]
    return html_row(
        html_figure(heat_figure(bands), "Error energy over the target's"),
        html_figure(band_figure(bands["edges"], history), "The same as curves"),
    )


def _pattern_section(patterns: Patterns) -> str:
    if patterns.units == 0:
        return "<h2>Activation patterns</h2><p>The network has no hidden layer.</p>"
    facts = (
        f"{patterns.regions:,} distinct patterns on a grid of {patterns.region_points:,} points."
    )
    if patterns.distance is not None:
        facts += (
            f" Mean distance to the nearest boundary: {patterns.distance:.3g}, in the input space "
            "of the layer that it belongs to."
        )
    figure = html_figure(hamming_figure(patterns.hamming, patterns.units), facts)
    return _section("Activation patterns", _HAMMING, html_row(figure))


def _section(title: str, reading: str, content: str) -> str:
    return f"<h2>{title}</h2><p>{reading}</p>{content}"
