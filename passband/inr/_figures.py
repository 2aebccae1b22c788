"""Pictures of a fit, as PNG bytes."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor

from passband.frequency import reduced_spectrum, stft, welch_spectrum
from passband.inr.targets import SignalInfo
from passband.training import figure_png, new_figure

_LARGEST_SIDE = 768
_INK, _BLUE, _ORANGE, _GRAY = "#1b1f24", "#2563a8", "#d1651c", "#8b949e"
ERROR_GAIN = 8


def picture(values: Tensor, *, bounded: bool = True) -> bytes:
    """A ``(channels, height, width)`` picture with values in [-1, 1], at most 768 pixels a side.

    Unbounded pictures are linear light and are shown with a gamma of 2.2.

    Example:
        >>> picture(torch.zeros(3, 4, 4))[1:4]
        b'PNG'
    """
    shown = ((values.float() + 1.0) / 2.0).clamp(0.0, 1.0)
    if not bounded:
        shown = shown.pow(1 / 2.2)
    array = (255.0 * shown + 0.5).byte().movedim(0, -1).cpu().numpy()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[array.shape[-1]]
    image = Pillow.fromarray(array[..., 0] if mode == "L" else array).convert(
        "RGBA" if mode in ("LA", "RGBA") else "RGB"
    )
    if max(image.size) > _LARGEST_SIDE:
        image.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE), Pillow.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def error_picture(target: Tensor, rendering: Tensor) -> bytes:
    """Absolute error times 8, channels averaged, black where there is none.

    Example:
        >>> error_picture(torch.zeros(3, 4, 4), torch.ones(3, 4, 4))[1:4]
        b'PNG'
    """
    error = (target - rendering).abs().mean(dim=0, keepdim=True)
    return picture(ERROR_GAIN * error - 1.0)


def sound_figure(target: Tensor, rendering: Tensor, info: SignalInfo) -> bytes:
    """Log spectrograms (dB) of target, rendering and error, first channel, on one scale."""
    rate = info.sample_rate or 1
    n_fft = min(1024, 1 << max(info.count.bit_length() - 3, 4))
    figure, axes = new_figure(1, 3, (12.6, 3.4))
    rows = {"target": target, "rendering": rendering, "error": target - rendering}
    levels = {
        name: _decibels(stft(row[:1], n_fft=n_fft, pad_mode="constant")[0].abs())
        for name, row in rows.items()
    }
    top = float(levels["target"].max())
    for axis, (name, level) in zip(axes, levels.items(), strict=True):
        image = axis.imshow(
            level.cpu().numpy(),
            origin="lower",
            aspect="auto",
            extent=(0, info.count / rate, 0, rate / 2000),
            vmin=top - 90,
            vmax=top,
            cmap="magma",
        )
        axis.set(title=name, xlabel="time (s)")
    axes[0].set_ylabel("frequency (kHz)")
    figure.colorbar(image, ax=axes, label="dB", pad=0.01)
    return figure_png(figure)


def spectra_figure(target: Tensor, rendering: Tensor, info: SignalInfo) -> bytes:
    """Both magnitude spectra over frequency: cycles per side, or Hz for a sound."""
    figure, (axis,) = new_figure(1, 1, (6.2, 3.6))
    if info.sample_rate is not None:
        segment = min(4096, info.count // 2 * 2)
        frequency = torch.arange(1, segment // 2 + 1) * (info.sample_rate / segment)
        spectra = [welch_spectrum(x, segment_length=segment) for x in (target, rendering)]
        axis.set_xlabel("frequency (Hz)")
    else:
        ndim = target.ndim - 1
        bins = max(info.size) // 2
        frequency = torch.arange(1, bins + 1).float()
        spectra = [
            reduced_spectrum(x, ndim=ndim, reduction="radial", bins=bins)
            for x in (target, rendering)
        ]
        axis.set_xlabel("frequency (cycles per side)")
    axis.plot(frequency, _floor(spectra[0]), color=_GRAY, lw=2.4, label="target")
    axis.plot(frequency, _floor(spectra[1]), color=_BLUE, lw=1.1, label="rendering")
    axis.set(xscale="log", yscale="log", ylabel="magnitude", title="spectra")
    axis.legend(frameon=False)
    return figure_png(figure)


def band_figure(edges: Sequence[float], history: Sequence[dict[str, Any]]) -> bytes:
    """Relative error (dB) of every octave band against steps."""
    figure, (axis,) = new_figure(1, 1, (6.2, 3.6), right=1.2)
    steps = [entry["step"] for entry in history]
    errors = np.array([entry["band_error_db"] for entry in history], dtype=float)
    from matplotlib import colormaps  # noqa: PLC0415  loaded with the figure

    colours = colormaps["viridis"](np.linspace(0, 0.92, errors.shape[1]))
    for band in range(1, errors.shape[1]):
        label = f"{edges[band]:g}–{edges[band + 1]:g}"
        axis.plot(steps, errors[:, band], color=colours[band], lw=1.4, marker=".", label=label)
    axis.axhline(0, color=_GRAY, lw=0.8, ls=":")
    axis.set(xscale="log", xlabel="steps", ylabel="error / target (dB)", title="error per band")
    axis.legend(
        frameon=False, fontsize=6.5, title="cycles per side", title_fontsize=7,
        loc="center left", bbox_to_anchor=(1.0, 0.5),
    )  # fmt: skip
    return figure_png(figure)


def matching_figure(table: dict[str, Any], knob: str) -> bytes:
    """Distance of every candidate with its standard error, and the two spectra that met."""
    figure, (left, right) = new_figure(1, 2, (12.6, 3.4))
    rows = sorted(table["rows"], key=lambda row: float(row["value"]))
    values = [row["value"] for row in rows]
    left.errorbar(
        values,
        [row["distance"] for row in rows],
        yerr=[row["standard_error"] for row in rows],
        color=_INK, lw=1.2, marker="o", ms=3.5, capsize=2,
    )  # fmt: skip
    left.axvline(table["value"], color=_ORANGE, lw=1.4)
    left.set(xlabel=knob, ylabel="Wasserstein distance (bins)", title="candidates")
    if min(values) > 0:
        left.set_xscale("log")
    cycles = table["bin_cycles"] * np.arange(1, len(table["signal_spectrum"]) + 1)
    right.plot(cycles, table["signal_spectrum"], color=_GRAY, lw=2.4, label="target")
    right.plot(
        cycles, table["field_spectrum"], color=_ORANGE, lw=1.2,
        label=f"untrained field, {knob.split('.')[-1]} = {table['value']:g}",
    )  # fmt: skip
    right.set(xscale="log", yscale="log", xlabel="frequency (cycles per side)")
    right.set(ylabel="share of magnitude", title="matched spectra")
    right.legend(frameon=False)
    return figure_png(figure)


def _decibels(magnitude: Tensor) -> Tensor:
    return 20.0 * torch.log10(magnitude.clamp_min(1e-7))


def _floor(spectrum: Tensor) -> Tensor:
    """Keep a logarithmic axis readable where a spectrum is zero."""
    return spectrum.clamp_min(float(spectrum.max()) * 1e-7 + 1e-30).cpu()
