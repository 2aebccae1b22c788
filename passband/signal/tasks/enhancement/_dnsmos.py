"""What listeners would say of speech without a clean recording beside it."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError, MissingDependencyError
from passband.frequency import hz_to_mel, mel_to_hz, resample, spectrogram

_RATE = 16000
_WINDOW = 144_160  # samples heard at once, 9.01 s; windows begin a second apart
_N_FFT, _HOP, _MELS = 321, 160, 120
_MODELS = ("sig_bak_ovr.onnx", "model_v8.onnx")
# From the network's raw marks to those of listeners: highest power first.
_SPEECH = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND = (-0.13166888, 1.60915514, -0.39604546)
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)


class OpinionScores(NamedTuple):
    """Marks from 1 to 5: of the voice, of what lies behind it, of both (ITU-T P.835), and of the
    whole by ITU-T P.808."""

    speech: float
    background: float
    overall: float
    p808: float


def dnsmos(audio: Float[Tensor, " time"], sample_rate: int, folder: Path) -> OpinionScores:
    """Marks that DNSMOS predicts, means over windows of 9.01 s; shorter sounds are repeated.

    Args:
        audio: speech, one channel, on [-1, 1].
        sample_rate: in Hz; other rates than 16 kHz are resampled.
        folder: with ``sig_bak_ovr.onnx`` and ``model_v8.onnx`` of the authors.

    Returns:
        The marks, NaN for a sound without samples.

    Raises:
        InputError: a model is not there or cannot be read.
        MissingDependencyError: without onnxruntime.

    Example:
        >>> dnsmos(torch.zeros(8000), 16000, Path("nowhere"))
        Traceback (most recent call last):
        passband.errors.InputError: nowhere holds no sig_bak_ovr.onnx. Pass the folder of DNSMOS.

    Agrees with its authors' script to 1e-3.
    Reference: Reddy, Gopal & Cutler, DNSMOS P.835: a non-intrusive perceptual objective speech
    quality metric to evaluate noise suppressors, ICASSP, 2022; the P.808 mark: the same, DNSMOS,
    ICASSP, 2021.
    """
    marks, p808 = (_session(folder / name) for name in _MODELS)
    if len(audio) == 0:
        return OpinionScores(*(math.nan,) * 4)
    windows = _windows(resample(audio.detach().cpu().float(), sample_rate, _RATE))
    rows = []
    for window in windows:
        (raw,) = marks.run(None, {"input_1": window[None].numpy()})
        (whole,) = p808.run(None, {"input_1": log_mels(window)[None].numpy()})
        voice, behind, both = (float(value) for value in raw[0])
        rows.append(
            (_curve(_SPEECH, voice), _curve(_BACKGROUND, behind), _curve(_OVERALL, both),
             float(whole[0, 0]))
        )  # fmt: skip
    return OpinionScores(*(sum(column) / len(rows) for column in zip(*rows, strict=True)))


def log_mels(window: Float[Tensor, " time"]) -> Float[Tensor, "frames 120"]:
    """Levels of 120 mels in units of 40 dB, 1 at the largest and -1 at 80 dB below it.

    Example:
        >>> log_mels(torch.randn(144160)).shape
        torch.Size([900, 120])

    Agrees with ``librosa.feature.melspectrogram`` and ``power_to_db`` to 1e-4.
    """
    power = spectrogram(
        window[:-_HOP],
        n_fft=_N_FFT,
        hop_length=_HOP,
        window=torch.hann_window(_N_FFT, dtype=torch.float64),
        power=2.0,
        pad_mode="constant",
    )
    level = 10 * (_mel_filters().to(power) @ power).clamp_min(1e-10).log10()
    return ((level - level.max()).clamp_min(-80) / 40 + 1).mT.contiguous()


def _mel_filters() -> Tensor:
    """Triangles of area 1 over Hz, ``(120, 161)``; an odd transform has no bin at 8 kHz."""
    highest = float(hz_to_mel(_RATE / 2, mel_scale="slaney"))
    edges = mel_to_hz(
        torch.linspace(0, highest, _MELS + 2, dtype=torch.float64), mel_scale="slaney"
    )
    bins = torch.arange(_N_FFT // 2 + 1, dtype=torch.float64) * (_RATE / _N_FFT)
    below, centre, above = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - below) / (centre - below), (above - bins) / (above - centre)
    return torch.minimum(rising, falling).clamp_min(0) * 2 / (above - below)


def _windows(audio: Tensor) -> list[Tensor]:
    while len(audio) < _WINDOW:
        audio = audio.repeat(2)
    count = max(1, len(audio) // _RATE - 9)
    return [audio[k * _RATE : k * _RATE + _WINDOW] for k in range(count)]


def _curve(coefficients: tuple[float, float, float], x: float) -> float:
    square, slope, offset = coefficients
    return (square * x + slope) * x + offset


def _session(path: Path) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415  optional
    except ImportError as error:
        raise MissingDependencyError(
            "DNSMOS needs the onnxruntime package: pip install onnxruntime."
        ) from error
    if not path.is_file():
        raise InputError(f"{path.parent} holds no {path.name}. Pass the folder of DNSMOS.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of a base it does not export
        raise InputError(
            f"{path} cannot be read as a network ({type(error).__name__}). Copy it again."
        ) from error
