"""The report of a classifier's training: one HTML page that needs nothing beside it."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from passband.atomic import write_text_atomic
from passband.signal.tasks.classification._evaluation import Judgement
from passband.signal.tasks.classification._features import ClipFeatures
from passband.signal.tasks.classification._figures import (
    accuracy_figure,
    confusion_figure,
    loss_figure,
    picture_figure,
)
from passband.training import html_figure, html_page, html_row

_MOST_CLASSES = 60  # pictures of classes
_MISTAKES = 9  # clips shown


def write_report(
    folder: Path,
    metrics: Mapping[str, Any],
    data: ClipFeatures,
    judgement: Judgement,
    events: Mapping[str, Sequence[Mapping[str, float]]],
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    seconds: float,
) -> None:
    """Write ``report.html``: accuracy, confusions, curves, mean pictures of classes, mistakes.

    Args:
        folder: the run's folder.
        metrics: what ``metrics.json`` holds.
        data: clips with their features.
        judgement: of the clips that were held out.
        events: lines of the record of every training, by name.
        histories: its evaluations, by the same names.
        seconds: length of a window.

    Raises:
        OutputError: it cannot be written.
    """
    name = folder.resolve().name
    classes = data.clips.classes
    parts = [
        f"<h1>{html.escape(name)}</h1>",
        f'<p class="lead">{_lead(metrics, judgement)}</p>',
        html_row(
            html_figure(confusion_figure(judgement.confusion(), classes), "Confusions"),
            _table(metrics),
        ),
        "<h2>Training</h2>",
        html_row(
            html_figure(loss_figure(events), "Loss of the varied batches"),
            html_figure(accuracy_figure(histories), "Accuracy on clips that are not learned from"),
        ),
        "<h2>Mean of each class</h2>",
        html_row(*_class_pictures(data, seconds)),
    ]
    mistakes = _mistakes(data, judgement, seconds)
    if mistakes:
        parts += ["<h2>Mistaken with most certainty</h2>", html_row(*mistakes)]
    page = html_page(f"Passband: {name}", parts)
    write_text_atomic(folder / "report.html", page)


def _lead(metrics: Mapping[str, Any], judgement: Judgement) -> str:
    bins, frames = metrics["features"]
    size = (
        f"{metrics['parameters']:,} parameters on {bins} bins by {frames} frames, "
        f"{metrics['steps']:,} steps; {metrics['seconds']:.0f} s of learning."
    )
    count = f"{len(judgement.names)} clips"
    if "folds" not in metrics:
        return f"Accuracy {100 * metrics['accuracy']:.1f} % on {count} held out. {size}"
    return (
        f"Accuracy {100 * metrics['accuracy_mean']:.1f} % ± "
        f"{100 * metrics['accuracy_std']:.1f} % over {len(metrics['folds'])} folds, {count}, each "
        f"judged by the network that did not learn from it. {size}"
    )


def _table(metrics: Mapping[str, Any]) -> str:
    """Recall of every class, and accuracy of every fold."""
    rows = [("<th>class</th>", "<th>recall (%)</th>")]
    rows += [
        (f"<th>{html.escape(name)}</th>", f"<td>{_percent(value)}</td>")
        for name, value in metrics["recall"].items()
    ]
    for fold in metrics.get("folds", ()):
        rows.append((f"<th>fold {fold['fold']}</th>", f"<td>{_percent(fold['accuracy'])}</td>"))
    return f"<div><table>{''.join(f'<tr>{a}{b}</tr>' for a, b in rows)}</table></div>"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _class_pictures(data: ClipFeatures, seconds: float) -> list[str]:
    labels = torch.tensor(data.clips.labels)
    pictures = []
    for number, name in enumerate(data.clips.classes[:_MOST_CLASSES]):
        own = [data.features[k] for k in (labels == number).nonzero()[:, 0].tolist()]
        mean = torch.cat(own).mean(dim=0)
        png = picture_figure(mean, name, seconds, levels=data.levels)
        pictures.append(html_figure(png, f"{name}: mean of {len(own)} clips"))
    return pictures


def _mistakes(data: ClipFeatures, judgement: Judgement, seconds: float) -> list[str]:
    places = {data.clips.name(k): k for k in range(len(data.clips.files))}
    certain = judgement.probabilities.amax(dim=1)
    wrong: Tensor = (judgement.predicted != judgement.labels).nonzero()[:, 0]
    order = wrong[certain[wrong].argsort(descending=True)][:_MISTAKES].tolist()
    shown = []
    for k in order:
        name = judgement.names[k]
        is_, taken = (
            data.clips.classes[int(n[k])] for n in (judgement.labels, judgement.predicted)
        )
        title = f"{is_}, taken for {taken}"
        picture = data.features[places[name]][0]
        png = picture_figure(picture, title, seconds, levels=data.levels)
        shown.append(html_figure(png, f"{name}: {title} with {100 * float(certain[k]):.0f} %"))
    return shown
