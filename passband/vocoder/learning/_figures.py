"""Pictures of a training, as PNG bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from passband.frequency import stft
from passband.training import figure_png, new_figure

_COLOURS = {
    "mel": "#2563a8",
    "discriminator": "#d1651c",
    "adversarial": "#2f8f5b",
    "matching": "#8b5fb0",
    "pesq": "#d1651c",
}
_SMOOTHING = 20
_FLOOR_DB = 80.0


def curve_figure(events: Sequence[Mapping[str, float]]) -> bytes:
    """Losses over steps, each a running mean over a twentieth of the record, at most 20 lines.

    Example:
        >>> curve_figure([{"step": 0, "loss": 2.0, "mel": 1.0}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2), right=0.75)
    steps = np.array([event["step"] for event in events], dtype=float)
    for name, colour in _COLOURS.items():
        values = np.array([event.get(name, np.nan) for event in events], dtype=float)
        if np.isfinite(values).any():
            axis.plot(steps, _smooth(values), color=colour, lw=1.3, label=name)
    axis.set(xlabel="step", yscale="log", title="losses")
    axis.legend(frameon=False, fontsize=8)
    return figure_png(figure)


def history_figure(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Mel distance and, where it was taken, PESQ of the evaluations over steps.

    Example:
        >>> history_figure([{"step": 1, "mel": 0.9, "pesq": None}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2), right=0.75)
    steps = [entry["step"] for entry in history]
    axis.plot(steps, [entry["mel"] for entry in history], color=_COLOURS["mel"], marker=".")
    axis.set(xlabel="step", title="held-out clips")
    axis.set_ylabel("mel distance (nepers)", color=_COLOURS["mel"])
    scores = [entry.get("pesq") for entry in history]
    if any(score is not None for score in scores):
        right = axis.twinx()
        values = [np.nan if score is None else score for score in scores]
        right.plot(steps, values, color=_COLOURS["pesq"], marker=".")
        right.set_ylabel("PESQ-wb", color=_COLOURS["pesq"])
    return figure_png(figure)


def spectrogram_figure(sound: Tensor, sample_rate: int) -> bytes:
    """Levels of the short-time spectrum, 80 dB of them.

    Example:
        >>> spectrogram_figure(torch.randn(4000), 8000)[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2), right=0.75)
    n_fft = min(1024, 1 << max(len(sound).bit_length() - 3, 4))
    levels = 20 * torch.log10(stft(sound, n_fft=n_fft, pad_mode="constant").abs() + 1e-7)
    top = float(levels.max())
    axis.imshow(
        levels.numpy(),
        origin="lower",
        aspect="auto",
        extent=(0, len(sound) / sample_rate, 0, sample_rate / 2000),
        vmin=top - _FLOOR_DB,
        vmax=top,
        cmap="magma",
    )
    axis.set(xlabel="time (s)", ylabel="frequency (kHz)")
    return figure_png(figure)


def _smooth(values: np.ndarray) -> np.ndarray:
    width = max(1, min(_SMOOTHING, len(values) // _SMOOTHING))
    total = np.nancumsum(values)
    before = np.concatenate((np.zeros(width), total[:-width]))
    count = np.minimum(np.arange(1, len(total) + 1), width)
    mean: np.ndarray = (total - before) / count
    return mean
