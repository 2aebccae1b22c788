"""Pictures of a classifier's training, as PNG bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from passband.training import figure_png, new_figure

_COLOURS = ("#2563a8", "#d1651c", "#2f8f5b", "#8b5fb0", "#a8324a", "#6b7280")
_WIDEST_NAME = 18  # letters


def confusion_figure(confusion: Int[Tensor, "classes classes"], classes: Sequence[str]) -> bytes:
    """Part of each class's clips (rows) that is taken for each class, with the counts.

    Example:
        >>> import torch
        >>> confusion_figure(torch.tensor([[3, 1], [0, 4]]), ["dog", "rain"])[1:4]
        b'PNG'
    """
    count = len(classes)
    side = min(14.0, 2.6 + 0.42 * count)
    figure, (axis,) = new_figure(1, 1, (side + 0.6, side), left=1.7)
    figure.subplots_adjust(bottom=1.5 / side)
    counts = confusion.numpy()
    parts = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axis.imshow(parts, cmap="Blues", vmin=0, vmax=1)
    names = [_short(name) for name in classes]
    axis.set_xticks(range(count), names, rotation=90)
    axis.set_yticks(range(count), names)
    axis.set(xlabel="taken for", title="clips")
    if count <= 25:
        for row, column in np.argwhere(counts):
            axis.text(
                column, row, str(counts[row, column]), ha="center", va="center", fontsize=7,
                color="white" if parts[row, column] > 0.5 else "black",
            )  # fmt: skip
    return figure_png(figure)


def loss_figure(events: Mapping[str, Sequence[Mapping[str, float]]]) -> bytes:
    """Loss over steps of every training.

    Example:
        >>> loss_figure({"fold1": [{"step": 0, "loss": 2.0}, {"step": 1, "loss": 1.0}]})[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2))
    for number, (name, lines) in enumerate(events.items()):
        steps = [line["step"] for line in lines]
        values = [line["loss"] for line in lines]
        axis.plot(steps, values, color=_COLOURS[number % len(_COLOURS)], lw=1.2, label=name)
    axis.set(xlabel="step", ylabel="cross-entropy (nats)", title="learning")
    axis.set_ylim(bottom=0)
    _legend(axis, events)
    return figure_png(figure)


def accuracy_figure(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """Accuracy on the clips held out over steps of every training.

    Example:
        >>> accuracy_figure({"": [{"step": 10, "accuracy": 0.5}]})[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2))
    for number, (name, entries) in enumerate(histories.items()):
        axis.plot(
            [entry["step"] for entry in entries],
            [100 * entry["accuracy"] for entry in entries],
            color=_COLOURS[number % len(_COLOURS)], marker=".", lw=1.2, label=name,
        )  # fmt: skip
    axis.set(xlabel="step", ylabel="accuracy (%)", title="clips held out")
    axis.set_ylim(0, 102)
    _legend(axis, histories)
    return figure_png(figure)


def picture_figure(
    picture: Float[Tensor, "bins frames"], title: str, seconds: float, *, levels: bool
) -> bytes:
    """What a network sees of a clip, or the mean of it over clips.

    Example:
        >>> import torch
        >>> picture_figure(torch.randn(20, 30), "dog", 5.0, levels=True)[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (3.6, 2.4), left=0.6)
    image = axis.imshow(
        picture.numpy(), origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
        extent=(0, seconds, 0, picture.shape[0]),
    )  # fmt: skip
    bar = figure.colorbar(image, ax=axis, pad=0.02)
    bar.ax.tick_params(labelsize=7)
    bar.ax.set_title("dB" if levels else "", fontsize=7)
    axis.set(xlabel="time (s)", ylabel="bin")
    axis.set_title(title, fontsize=9)
    return figure_png(figure)


def _short(name: str) -> str:
    return name if len(name) <= _WIDEST_NAME else f"{name[: _WIDEST_NAME - 1]}…"


def _legend(axis: Any, names: Mapping[str, object]) -> None:
    if len(names) > 1:
        axis.legend(frameon=False, fontsize=7, ncols=2)
