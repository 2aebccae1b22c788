"""Pictures of a training, as PNG bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import stft
from passband.training import figure_png, new_figure

_BLUE, _ORANGE = "#2563a8", "#d1651c"
_SMOOTHING = 20
_FLOOR_DB = 70.0
_SIZE = (5.6, 3.2)


def curve_figure(events: Sequence[Mapping[str, float]]) -> bytes:
    """SI-SNR of the crops that are learned from, and the error of their masks, running means.

    Example:
        >>> curve_figure([{"step": 0, "loss": 2.0, "si_snr": 1.0, "mask_error": 0.5}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, _SIZE, right=0.75)
    steps = [event["step"] for event in events]
    axis.plot(steps, _smooth([event["si_snr"] for event in events]), color=_BLUE, lw=1.3)
    axis.set(xlabel="step")
    axis.set_ylabel("SI-SNR of the crops (dB)", color=_BLUE)
    right = axis.twinx()
    right.plot(steps, _smooth([event["mask_error"] for event in events]), color=_ORANGE, lw=1.3)
    right.set_ylabel("mask error", color=_ORANGE)
    return figure_png(figure)


def history_figure(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Gain on the held-out mixtures over steps.

    Example:
        >>> history_figure([{"step": 1, "si_snr_gain": 0.9}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, _SIZE)
    steps = [entry["step"] for entry in history]
    axis.plot(steps, [entry["si_snr_gain"] for entry in history], color=_BLUE, marker=".")
    axis.set(xlabel="step", ylabel="SI-SNR gain, held out (dB)")
    return figure_png(figure)


def spectrogram_figure(sound: Float[Tensor, " time"], sample_rate: int, top_db: float) -> bytes:
    """Levels of the short-time spectrum, 70 dB of them below ``top_db``.

    Example:
        >>> spectrogram_figure(torch.randn(4000), 8000, 40.0)[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, _SIZE)
    levels = levels_db(sound)
    axis.imshow(
        levels.numpy(),
        origin="lower",
        aspect="auto",
        extent=(0, len(sound) / sample_rate, 0, sample_rate / 2000),
        vmin=top_db - _FLOOR_DB,
        vmax=top_db,
        cmap="magma",
    )
    axis.set(xlabel="time (s)", ylabel="frequency (kHz)")
    return figure_png(figure)


def levels_db(sound: Float[Tensor, " time"]) -> Float[Tensor, "freq frames"]:
    """Levels of the short-time spectrum that is shown, in dB.

    Example:
        >>> levels_db(torch.zeros(600)).max() < -100
        tensor(True)
    """
    n_fft = min(512, 1 << max(len(sound).bit_length() - 3, 4))
    return 20 * torch.log10(stft(sound, n_fft=n_fft, pad_mode="constant").abs() + 1e-7)


def _smooth(values: Sequence[float]) -> np.ndarray:
    width = max(1, min(_SMOOTHING, len(values) // _SMOOTHING))
    total = np.concatenate((np.zeros(1), np.cumsum(values)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    smooth: np.ndarray = (total[ends] - total[starts]) / (ends - starts)
    return smooth
