"""How each picture of the gallery is drawn: of which recording, and what becomes of the values."""

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from recordings import GROUND_RATE, RATE
from torch import Tensor

from passband.frequency import mel_to_hz, welch_spectrum
from passband.signal import Spectrogram, spectrogram_figure
from passband.signal._ticks import pitch_classes

Variables = dict[str, Any]
Draw = Callable[[Figure, Variables], None]

_INK, _BLUE, _ORANGE, _GRAY = "#1b1f24", "#2563a8", "#d1651c", "#8b949e"


def decibels(values: Tensor, exponent: float) -> Tensor:
    """Decibels of an amplitude to the power of ``exponent``."""
    floored = values.abs().clamp_min(1e-20 if exponent > 1 else 1e-10)
    return (20 / exponent) * floored.log10()


def one(
    figure: Figure,
    found: Variables,
    *,
    exponent: float | None,
    hop: float,
    scale: str = "linear",
    frequencies: Tensor | None = None,
    rate: int = RATE,
    limit: tuple[float, float] | None = None,
    **extra: Any,
) -> None:
    """One spectrogram, of ``values``."""
    values = found["values"]
    levels = values if exponent is None else decibels(values, exponent)
    if frequencies is None and "names" not in extra:
        frequencies = getattr(found.get("transform"), "frequencies", None)
    axes = figure.subplots()
    panel(axes, levels, hop, scale=scale, frequencies=frequencies, rate=rate, **extra)
    if limit is not None:
        axes.set_ylim(*limit)


def panel(
    axes: Axes,
    levels: Tensor,
    hop: float,
    *,
    scale: str = "linear",
    frequencies: Tensor | None = None,
    rate: int = RATE,
    **extra: Any,
) -> None:
    times = torch.arange(levels.shape[-1]) * hop / rate
    spectrogram_figure(
        levels, times=times, frequencies=frequencies, scale=scale, axes=axes, **extra
    )


def bins(n_fft: int, rate: int = RATE) -> Tensor:
    return torch.arange(n_fft // 2 + 1) * (rate / n_fft)


def mels(count: int) -> Tensor:
    top = 2595 * math.log10(1 + RATE / 1400)
    return mel_to_hz(torch.linspace(0, top, count + 2)[1:-1])


def two_powers(figure: Figure, found: Variables) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    settings = {"scale": "bins", "frequencies": mels(80)}
    power = found["power"]
    panel(left, power, 256, top_db=None, unit="power", title="power", **settings)
    panel(right, found["values"], 256, title="decibels", **settings)
    right.set_ylabel("")


def coefficients(figure: Figure, found: Variables) -> None:
    top, bottom = figure.subplots(2, 1, sharex=True)
    shown = {"top_db": None, "unit": "coefficient"}
    panel(top, found["values"], 256, title="MFCC", **shown)
    panel(bottom, found["linear"], 256, title="LFCC", **shown)
    top.set_xlabel("")


def cepstrum(figure: Figure, found: Variables) -> None:
    axes = figure.subplots()
    values = found["values"][: RATE // 80]
    panel(axes, values.clamp_min(0)[20:], 256, top_db=None, unit="cepstrum")
    image = axes.get_images()[0]
    image.set_extent((*image.get_extent()[:2], 20e3 / RATE, 1e3 / 80))
    axes.set_ylim(20e3 / RATE, 1e3 / 80)
    axes.set_yticks(range(2, 13, 2), [str(number) for number in range(2, 13, 2)])
    axes.set_ylabel("quefrency (ms)")


def filters(figure: Figure, found: Variables) -> None:
    axes = figure.subplots()
    axes.plot(bins(2048), found["values"].T, lw=1.1)
    axes.set(xlabel="frequency (Hz)", ylabel="gain", ylim=(0, 1.05), xlim=(0, RATE / 2))


def spectra(figure: Figure, found: Variables) -> None:
    axes = figure.subplots()
    frequencies = torch.linspace(0, GROUND_RATE / 2, len(found["values"]))
    lines = (
        ("single", _GRAY, "one window"), ("values", _BLUE, "Multitaper"),
        ("adaptive", _ORANGE, "AdaptiveMultitaper"),
    )  # fmt: skip
    for name, colour, label in lines:
        levels = decibels(found[name], 2)
        axes.plot(frequencies, levels, color=colour, lw=0.6 if name == "single" else 1, label=label)
    axes.set(xlabel="frequency (Hz)", ylabel="power density (dB per Hz)", xlim=(0, 50))
    axes.legend(frameon=False)


def wigner_ville(figure: Figure, found: Variables) -> None:
    rows = figure.subplots(1, 3, sharey=True)
    names = (("whole", "Wigner-Ville"), ("pseudo", "pseudo"), ("values", "smoothed pseudo"))
    for axes, (name, title) in zip(rows, names, strict=True):
        values = found[name]
        count = len(values)
        frequencies = torch.arange(count) * (RATE / (2 * count))
        levels = decibels(values.clamp_min(0), 2)
        shown = (frequencies > 4000) & (frequencies < 9500)
        panel(axes, levels[shown], 4, frequencies=frequencies[shown], top_db=40, title=title)
        if axes is not rows[0]:
            axes.set_ylabel("")
        if axes is not rows[-1]:
            figure.axes[-1].remove()


def envelope(figure: Figure, found: Variables) -> None:
    axes = figure.subplots()
    seconds = torch.arange(len(found["values"])) / GROUND_RATE
    axes.plot(seconds, found["waveform"], color=_GRAY, lw=0.6, label="motion")
    axes.plot(seconds, found["values"], color=_ORANGE, lw=1.0, label="HilbertEnvelope")
    axes.set(xlabel="time (s)", ylabel="motion (largest = 1)", xlim=(0, float(seconds[-1])))
    axes.legend(frameon=False, loc="upper left")


def two_sounds(
    figure: Figure,
    found: Variables,
    *,
    names: tuple[str, str],
    titles: tuple[str, str],
    across: bool,
    highest: float = RATE / 2,
) -> None:
    """Spectrograms of two sounds on one scale of colours."""
    shape = (1, 2) if across else (2, 1)
    rows = figure.subplots(*shape, sharex=True, sharey=True)
    transform = Spectrogram(1024, hop_length=256)
    levels = [decibels(transform(found[name]), 2) for name in names]
    top = max(float(level.max()) for level in levels)
    for axes, level, title in zip(rows, levels, titles, strict=True):
        panel(axes, level, 256, frequencies=bins(1024), title=title)
        axes.get_images()[0].set_clim(top - 80, top)
        axes.set_ylim(0, highest)
    if across:
        rows[1].set_ylabel("")
        figure.axes[2].remove()
    else:
        rows[0].set_xlabel("")


def masks(figure: Figure, found: Variables) -> None:
    rows = figure.subplots(1, 3, sharey=True)
    titles = (
        ("time", "TimeMasking"), ("frequency", "FrequencyMasking"), ("values", "SpecAugment"),
    )  # fmt: skip
    for axes, (name, title) in zip(rows, titles, strict=True):
        levels = found[name] * (10 / math.log(10))
        panel(axes, levels, 256, scale="bins", frequencies=mels(80), title=title)
        if axes is not rows[0]:
            axes.set_ylabel("")
        if axes is not rows[-1]:
            figure.axes[-1].remove()


def octaves(figure: Figure, found: Variables) -> None:
    """Bands of as many frames as each octave has, every frame as wide as the time it stands for."""
    columns = 1400
    rows = [band[:, torch.arange(columns) * band.shape[-1] // columns] for band in found["octaves"]]
    hop = len(found["waveform"]) / columns
    levels, frequencies = decibels(torch.cat(rows), 1), found["transform"].frequencies
    axes = figure.subplots()
    panel(axes, levels, hop, scale="notes", frequencies=frequencies, top_db=60)


def inverses(figure: Figure, found: Variables) -> None:
    axes = figure.subplots()
    waveform = found["waveform"].double()
    inside = slice(4096, -4096)
    frequencies = torch.arange(1, 1025) * (RATE / 2048)

    def shown(sound: Tensor) -> Tensor:
        return decibels(welch_spectrum(sound[inside][None], segment_length=2048), 1)

    axes.plot(frequencies, shown(waveform), color=_INK, lw=2, label="the music")
    for name, sound in found["back"].items():
        axes.plot(frequencies, shown(sound.double() - waveform), lw=1.1, label=name)
    axes.set(xscale="log", xlim=(30, RATE / 2), xlabel="frequency (Hz)", ylabel="level (dB)")
    axes.set_xticks([50, 100, 200, 500, 1000, 2000, 5000, 10000])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    figure.legend(frameon=False, fontsize=8, ncols=3, loc="outside upper center")


show = functools.partial

DRAWINGS: dict[str, tuple[str, Draw]] = {
    "spectrogram": ("trumpet", show(one, exponent=1, hop=256, frequencies=bins(2048))),
    "log_frequency": ("trumpet", show(one, exponent=2, hop=256, scale="log")),
    "reassigned": ("robin", show(one, exponent=2, hop=64, frequencies=bins(512), top_db=60)),
    "ssq_stft": ("robin", show(one, exponent=1, hop=64, top_db=60)),
    "multitaper_spectrogram": (
        "whale", show(one, exponent=2, hop=512, frequencies=bins(4096), limit=(0, 5500), top_db=70)
    ),
    "multitaper": ("ground", spectra),
    "mel_scale": ("speech", filters),
    "mel": ("speech", two_powers),
    "log_mel": (
        "speech", show(one, exponent=None, hop=256, scale="bins", frequencies=mels(100),
                       top_db=10,
                       unit="ln magnitude"),
    ),
    "pcen": (
        "whale", show(one, exponent=None, hop=512, scale="bins", frequencies=mels(96),
                      top_db=None, unit="normalised energy"),
    ),
    "gammatone": ("speech", show(one, exponent=2, hop=128, scale="bins", top_db=70)),
    "cochleagram": (
        "speech", show(one, exponent=None, hop=RATE / 350, scale="bins", top_db=None,
                       unit="envelope to the power of 0.3"),
    ),
    "mfcc": ("speech", coefficients),
    "cepstrum": ("speech", cepstrum),
    "cqt": ("strings", show(one, exponent=1, hop=256, scale="notes", top_db=60)),
    "vqt": ("strings", show(one, exponent=1, hop=256, scale="notes", top_db=60)),
    "gabor": ("strings", octaves),
    "chroma": (
        "strings", show(one, exponent=None, hop=512, names=pitch_classes(), top_db=None,
                        unit="energy, loudest class = 1"),
    ),
    "cwt": ("robin", show(one, exponent=1, hop=1, scale="log", top_db=60)),
    "ssq_cwt": ("robin", show(one, exponent=1, hop=1, scale="log", top_db=60)),
    "superlets": ("ground", show(one, exponent=1, hop=1, scale="log", rate=GROUND_RATE, top_db=60)),
    "wigner_ville": ("whistle", wigner_ville),
    "envelope": ("ground", envelope),
    "harmonic_percussive": (
        "dance", show(two_sounds, names=("harmonic", "percussive"), across=False, highest=5000,
                      titles=("harmonic", "percussive")),
    ),
    "masking": ("speech", masks),
    "resample": (
        "trumpet", show(two_sounds, names=("waveform", "values"), across=True,
                        titles=("22050 Hz", "by way of 8000 Hz")),
    ),
    "griffin_lim": (
        "speech", show(two_sounds, names=("waveform", "values"), across=True,
                       titles=("recording", "from its mel spectrogram")),
    ),
    "inverses": ("strings", inverses),
}  # fmt: skip
