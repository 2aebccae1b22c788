"""Pictures of records taken apart, as PNG bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from passband.signal.tasks.denoising._mixing import Mixture
from passband.signal.tasks.denoising._splitter import Splitter
from passband.training import figure_png, new_figure

_BLUE, _ORANGE, _GREEN, _GREY = "#2563a8", "#d1651c", "#2f8f5b", "#6e7781"
_RANGE_DB = 60.0


def curve_figure(events: Sequence[Mapping[str, float]]) -> bytes:
    """Cross-entropy of the masks and error of the waveform over steps.

    Example:
        >>> curve_figure([{"step": 0, "loss": 1.0, "mask": 0.6, "waveform": -3.0}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2), right=0.75)
    steps = [event["step"] for event in events]
    axis.plot(steps, [event["mask"] for event in events], color=_BLUE, lw=1)
    axis.set(xlabel="step", title="losses")
    axis.set_ylabel("cross-entropy of the masks", color=_BLUE)
    right = axis.twinx()
    right.plot(steps, [event["waveform"] for event in events], color=_ORANGE, lw=1)
    right.set_ylabel("waveform error (dB)", color=_ORANGE)
    return figure_png(figure)


def history_figure(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Median gain and correlation of the evaluations over steps.

    Example:
        >>> history_figure([{"step": 1, "snr_gain": 5.0, "correlation": 0.9}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2), right=0.75)
    steps = [entry["step"] for entry in history]
    axis.plot(steps, [entry["snr_gain"] for entry in history], color=_BLUE, marker=".")
    axis.set(xlabel="step", title="held-out mixtures, medians")
    axis.set_ylabel("SNR gain (dB)", color=_BLUE)
    right = axis.twinx()
    right.plot(steps, [entry["correlation"] for entry in history], color=_ORANGE, marker=".")
    right.set_ylabel("correlation with the clean trace", color=_ORANGE)
    return figure_png(figure)


def gain_figure(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """Median gain of each method in every range of the ratio before.

    Example:
        >>> gain_figure({"network": [{"snr_db": [-5, 0], "snr_gain": 9.0}]})[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (5.6, 3.2), right=0.75)
    width = 0.8 / max(1, len(rows))
    colours = (_BLUE, _ORANGE, _GREY)
    for number, (name, ranges) in enumerate(rows.items()):
        places = np.arange(len(ranges)) + (number - (len(rows) - 1) / 2) * width
        gains = [row["snr_gain"] for row in ranges]
        label = name.replace("_", "-")
        axis.bar(places, gains, width * 0.92, color=colours[number % 3], label=label)
    ranges = next(iter(rows.values()))
    axis.set_xticks(range(len(ranges)))
    axis.set_xticklabels([f"{row['snr_db'][0]:g} to {row['snr_db'][1]:g}" for row in ranges])
    axis.axhline(0, color="#1b1f24", lw=0.8)
    axis.set(xlabel="SNR of the mixture (dB)", ylabel="median SNR gain (dB)")
    axis.legend(frameon=False, fontsize=8)
    return figure_png(figure)


@torch.no_grad()
def mixture_figure(splitter: Splitter, mixture: Mixture) -> bytes:
    """A mixture ``(time,)`` taken apart: traces above, short-time spectra below, and the masks.

    Example:
        >>> from passband.signal.tasks.denoising import SplitterSettings, UNetSettings
        >>> splitter = Splitter(SplitterSettings(network=UNetSettings(depth=2, root=2))).eval()
        >>> mixture_figure(splitter, Mixture(torch.randn(500), torch.randn(500)))[1:4]
        b'PNG'
    """
    mixed = mixture.signal + mixture.noise
    device = next(splitter.parameters()).device
    parts = splitter(mixed.to(device))
    signal, noise = parts.signal.cpu(), parts.noise.cpu()
    masks = parts.masks.cpu()
    known = [("noisy", mixed), ("clean", mixture.signal), ("denoised", signal)]
    return _figure(splitter, known, noise, masks)


@torch.no_grad()
def record_figure(splitter: Splitter, record: Float[Tensor, " time"]) -> bytes:
    """A window ``(time,)`` at the network's rate taken apart, of which no clean trace is known.

    Example:
        >>> from passband.signal.tasks.denoising import SplitterSettings, UNetSettings
        >>> splitter = Splitter(SplitterSettings(network=UNetSettings(depth=2, root=2))).eval()
        >>> record_figure(splitter, torch.randn(500))[1:4]
        b'PNG'
    """
    device = next(splitter.parameters()).device
    parts = splitter(record.to(device))
    shown = [("record", record - record.mean()), ("signal", parts.signal.cpu())]
    return _figure(splitter, shown, parts.noise.cpu(), parts.masks.cpu())


def _figure(
    splitter: Splitter, known: Sequence[tuple[str, Tensor]], noise: Tensor, masks: Tensor
) -> bytes:
    columns = [*known, ("noise taken out", noise - noise.mean())]
    figure, axes = new_figure(2, len(columns) + 1, (3.0 * (len(columns) + 1), 4.6), left=0.65)
    figure.subplots_adjust(hspace=0.32)
    rate, count = splitter.settings.sample_rate, len(columns)
    seconds = np.arange(len(noise)) / rate
    limit = float(columns[0][1].abs().max()) * 1.05 or 1.0
    levels = [_levels(splitter, trace) for _, trace in columns]
    top = max(float(level.max()) for level in levels)
    extent = (0, len(noise) / rate, 0, rate / 2)
    for k, (name, trace) in enumerate(columns):
        colour = {"clean": _GREEN, "denoised": _BLUE, "signal": _BLUE}.get(name, _GREY)
        axes[k].plot(seconds, trace.numpy(), color=colour, lw=0.6)
        axes[k].set(title=name, ylim=(-limit, limit), xlim=(0, len(noise) / rate))
        axes[count + 1 + k].imshow(
            levels[k].numpy(), origin="lower", aspect="auto", extent=extent,
            vmin=top - _RANGE_DB, vmax=top, cmap="magma",
        )  # fmt: skip
        axes[count + 1 + k].set(xlabel="time (s)")
    for axis, mask, name in zip(
        (axes[count], axes[-1]), masks, ("signal's mask", "noise's mask"), strict=True
    ):
        axis.imshow(
            mask.numpy(), origin="lower", aspect="auto", extent=extent, vmin=0, vmax=1,
            cmap="viridis",
        )  # fmt: skip
        axis.set_title(name)
    for k, axis in enumerate(axes):
        # The same axes beside and below each other: labels once, as each costs its time.
        first = k in (0, count + 1)
        axis.tick_params(labelleft=first, labelbottom=k > count)
    axes[-1].set_xlabel("time (s)")
    axes[count + 1].set_ylabel("frequency (Hz)")
    return figure_png(figure)


def _levels(splitter: Splitter, trace: Tensor) -> Tensor:
    return 20 * torch.log10(splitter.spectrum(trace.float()).abs() + 1e-12)
