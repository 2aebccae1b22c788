"""The transforms by name, with defaults under which any ordinary recording works."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.signal._ticks import pitch_classes

Defaults = Callable[[int, int | None], dict[str, Any]]

RATE_NAMES = ("sample_rate", "sr")
"""Arguments that take the signal's rate."""

_LOWEST_NOTE = 440.0 * 2 ** (-45 / 12)  # C1


@dataclass(frozen=True)
class Choice:
    """A transform as it is offered by name.

    Args:
        classes: of `passband.signal`, each applied to what the one before it gives.
        summary: what it shows, in a few words.
        scale: of the vertical axis of its picture; ``names`` where bins are no frequencies.
        exponent: p where the values are ``|X| ** p``, for decibels; None where they are shown as
            they are. A setting named ``power`` goes before it.
        defaults: settings that go before the constructor's own, by rate in Hz and, where the
            result may follow the length of the signal, its samples.
        logarithmic: whether the values are natural logarithms of what ``exponent`` is of.
        unit: of the values, where they are shown as they are.
        names: of the bins, where they are no frequencies.
        frequencies: by number of bins and rate, where the module does not say them.
        method: of the first class, where not its call gives (bins, frames).
        fixed: settings of a class that are no one's choice, by the name of the class.
        inner: name of an argument that holds settings of another class, and that class; they are
            given as if they were the transform's own.
        per_sample: whether there is a column for every sample, of which every ``hop_length``-th is
            kept.
        full_rate: whether it is made by way of a value for every sample.
        top_db: range of the colours of its picture.
    """

    classes: tuple[str, ...]
    summary: str
    scale: Literal["linear", "log", "notes", "bins", "names"]
    exponent: float | None
    defaults: Defaults
    logarithmic: bool = False
    unit: str = ""
    names: tuple[str, ...] = ()
    frequencies: Callable[[int, int], Tensor] | None = None
    method: str = "__call__"
    fixed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inner: tuple[str, str] | None = None
    per_sample: bool = False
    full_rate: bool = False
    top_db: float = 80

    def parts(self) -> tuple[type[nn.Module], ...]:
        """The classes themselves."""
        return tuple(map(_class, self.classes))

    def inner_part(self) -> type[nn.Module]:
        """The class that ``inner`` names."""
        assert self.inner is not None
        return _class(self.inner[1])


def _class(name: str) -> type[nn.Module]:
    found: type[nn.Module] = getattr(import_module("passband.signal"), name)
    return found


def find_choice(name: str) -> Choice:
    """The transform called ``name``, or `InputError` with the names there are.

    Example:
        >>> find_choice("stft").classes
        ('Spectrogram',)
    """
    if name not in CHOICES:
        raise InputError(
            f"`--transform` (={name!r}) must be one of {', '.join(CHOICES)}. Choose one."
        )
    return CHOICES[name]


def frame_length(rate: int, time: int | None) -> int:
    """A power of two of samples, about 46 ms at the rates of sound, that the signal can fill.

    Example:
        >>> frame_length(44100, None), frame_length(16000, None), frame_length(44100, 300)
        (2048, 1024, 256)
    """
    length = 1 << max(6, round(math.log2(0.0464 * rate)))
    return length if time is None else min(length, 1 << max(1, time.bit_length() - 1))


def _frames(rate: int, time: int | None) -> dict[str, Any]:
    length = frame_length(rate, time)
    return {"n_fft": length, "hop_length": max(1, length // 4)}


def _complex(rate: int, time: int | None) -> dict[str, Any]:
    return {**_frames(rate, time), "power": None}


def _bands(rate: int, time: int | None) -> dict[str, Any]:
    """Mel bands no narrower than half a bin of the frame's spectrum, at most 128."""
    frames = _frames(rate, time)
    top = 1127.0 * math.log1p(rate / 1400.0)
    wide_enough = top * (700.0 / 1127.0) * 2 * frames["n_fft"] / rate
    return {**frames, "n_mels": max(1, min(128, int(wide_enough) - 2))}


def _cepstrum(rate: int, time: int | None) -> dict[str, Any]:
    bands = _bands(rate, time)
    return {**bands, "n_mfcc": min(20, bands["n_mels"])}


def _linear_cepstrum(rate: int, time: int | None) -> dict[str, Any]:
    frames = _frames(rate, time)
    bands = max(1, min(64, frames["n_fft"] // 8))
    return {**frames, "n_filter": bands, "n_lfcc": min(20, bands)}


def _log_bins(rate: int, time: int | None) -> dict[str, Any]:
    """24 bins an octave over eight octaves, from frames long enough to tell the low ones apart."""
    length = frame_length(rate, time)
    high = 0.45 * rate
    return {
        "n_fft": 2 * length if time is None or 2 * length <= time else length,
        "hop_length": max(1, length // 4),
        "f_min": high / 2**8,
        "f_max": high,
        "n_bins": 8 * 24,
    }


def _pitch_classes(rate: int, time: int | None) -> dict[str, Any]:
    length = frame_length(rate, time)
    return {"n_fft": 2 * length, "hop_length": max(1, length // 4)}


def _wavelets(rate: int, time: int | None) -> dict[str, Any]:
    return {"voices": 16, "hop_length": max(1, frame_length(rate, None) // 32)}


def _superlets(rate: int, time: int | None) -> dict[str, Any]:
    hop = max(1, frame_length(rate, None) // 32)
    low = {"f_min": rate / 400, "n_bins": 96}
    # More cycles at low frequencies than neuroscience takes: tones are longer than brain waves.
    return {**low, "order_min": 6.0, "order_max": 12.0, "hop_length": hop}


def _squeezed_frames(rate: int, time: int | None) -> dict[str, Any]:
    length = frame_length(rate, time)
    return {"n_fft": length, "hop_length": max(1, length // 8)}


def _ear(rate: int, time: int | None) -> dict[str, Any]:
    """The range of the ear, sampled at the divisor of the rate that is next below 200 Hz."""
    most = max(divisor for divisor in range(1, min(200, rate) + 1) if rate % divisor == 0)
    high = min(16000.0, 0.45 * rate)
    return {"sample_factor": 2, "envelope_rate": most, "f_min": min(50.0, high / 64), "f_max": high}


def _gammatones(rate: int, time: int | None) -> dict[str, Any]:
    return {**_frames(rate, time), "f_min": min(50.0, rate / 128), "n_filters": 96}


def _notes(rate: int, time: int | None) -> dict[str, Any]:
    """Twelve bins an octave from C1, to C9 or half an octave below what the rate holds."""
    low = min(_LOWEST_NOTE, rate / 128)
    count = math.floor(12 * math.log2(rate / 2 / low)) - 6
    hop = max(1, frame_length(rate, None) // 4)
    return {"f_min": low, "n_bins": min(count, 96), "hop_length": hop}


def _half_steps(count: int, rate: int) -> Tensor:
    """Frequencies of a Wigner-Ville distribution, half as far apart as those of a spectrum."""
    return torch.arange(count, dtype=torch.float64) * (rate / (2 * count))


CHOICES: Mapping[str, Choice] = {
    "stft": Choice(("Spectrogram",), "short-time Fourier transform", "linear", 1, _complex),
    "mel": Choice(("MelSpectrogram",), "mel spectrogram", "bins", 2, _bands),
    "logmel": Choice(
        ("LogMelSpectrogram",), "log-mel spectrogram", "bins", 2, _bands, logarithmic=True
    ),
    "pcen": Choice(
        ("MelSpectrogram", "PCEN"), "per-channel energy normalisation", "bins", None, _bands,
        unit="normalised energy", fixed={"MelSpectrogram": {"power": 1.0}},
    ),
    "mfcc": Choice(
        ("MFCC",), "mel-frequency cepstral coefficients", "names", None, _cepstrum,
        unit="coefficient", inner=("melkwargs", "MelSpectrogram"),
    ),
    "lfcc": Choice(
        ("LFCC",), "linear-frequency cepstral coefficients", "names", None, _linear_cepstrum,
        unit="coefficient", inner=("speckwargs", "Spectrogram"),
    ),
    "logfrequency": Choice(
        ("LogFrequencySpectrogram",), "log-frequency spectrogram", "log", 2, _log_bins
    ),
    "chroma": Choice(
        ("Chroma",), "chromagram", "names", None, _pitch_classes,
        unit="energy, loudest class = 1", names=pitch_classes(),
    ),
    "cepstrum": Choice(
        ("Cepstrum",), "cepstrum", "names", None, _frames, unit="log magnitude"
    ),
    "cqt": Choice(("CQT",), "constant-Q transform", "notes", 1, _notes),
    "vqt": Choice(("VQT",), "variable-Q transform", "notes", 1, _notes),
    "cwt": Choice(("CWT",), "continuous wavelet transform", "log", 1, _wavelets, per_sample=True),
    "ssq-cwt": Choice(
        ("SynchrosqueezedCWT",), "synchrosqueezed wavelet transform", "log", 1, _wavelets,
        per_sample=True, fixed={"SynchrosqueezedCWT": {"norm": "l1"}}, top_db=60,
    ),
    "ssq-stft": Choice(
        ("SynchrosqueezedSTFT",), "synchrosqueezed STFT", "linear", 1, _squeezed_frames, top_db=60
    ),
    "superlets": Choice(
        ("Superlets",), "superlets", "log", 1, _superlets, per_sample=True, top_db=60
    ),
    "cochleagram": Choice(
        ("Cochleagram",), "cochleagram", "bins", 0.3, _ear, full_rate=True, top_db=60
    ),
    "gammatone": Choice(("Gammatonegram",), "power in gammatone bands", "bins", 2, _gammatones),
    "reassigned": Choice(
        ("ReassignedSpectrogram",), "reassigned energy", "linear", 2, _frames, method="energy"
    ),
    "multitaper": Choice(
        ("MultitaperSpectrogram",), "multitaper power density", "linear", 2, _frames
    ),
    "wvd": Choice(
        ("SmoothedPseudoWignerVille",), "smoothed pseudo Wigner-Ville", "linear", 2, _frames,
        frequencies=_half_steps, top_db=50,
    ),
    "pseudo-wvd": Choice(
        ("PseudoWignerVille",), "pseudo Wigner-Ville", "linear", 2, _frames,
        frequencies=_half_steps, top_db=50,
    ),
}  # fmt: skip
