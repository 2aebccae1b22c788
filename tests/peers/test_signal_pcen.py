"""Parity of per-channel energy normalisation with librosa."""

import numpy as np
import pytest
import scipy.signal
import torch

from passband.frequency import exponential_smoothing, pcen
from passband.signal import PCEN

librosa = pytest.importorskip("librosa")

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


def spectrogram() -> np.ndarray:
    S = np.random.default_rng(0).random((2, 24, 300)) ** 4
    S[:, :, 100:150] = 0
    return S


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sr": 16000, "hop_length": 160, "time_constant": 0.06},
        {"gain": 0.5, "bias": 10.0, "power": 0.25, "eps": 1e-3},
        {"b": 0.3},
        {"b": 1.0},
        {"power": 0.0},
        {"max_size": 3},
        {"max_size": 4},
    ],
)
def test_librosa(settings: dict[str, float], dtype: torch.dtype) -> None:
    S = spectrogram()
    expected = torch.from_numpy(librosa.pcen(S, max_axis=-2, **settings))
    ours = pcen(torch.from_numpy(S).to(dtype), **settings)
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=TOLERANCE[dtype])
    module = PCEN(**settings)(torch.from_numpy(S).to(dtype))
    torch.testing.assert_close(module, ours, rtol=0, atol=0)


def test_librosa_without_bias() -> None:
    S = spectrogram() + 1e-3  # librosa takes the logarithm of 0
    expected = torch.from_numpy(librosa.pcen(S, bias=0))
    torch.testing.assert_close(pcen(torch.from_numpy(S), bias=0.0), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("b", [0.01, 0.5, 1.0])
@pytest.mark.parametrize("time", [1, 64, 65, 1000])
def test_scipy(b: float, time: int) -> None:
    x = np.random.default_rng(0).random((3, time))
    initial = np.array([0.0, 1.0, -2.0])
    expected, _ = scipy.signal.lfilter([b], [1, b - 1], x, zi=(1 - b) * initial[:, None])
    ours = exponential_smoothing(torch.from_numpy(x), b, initial=torch.from_numpy(initial))
    torch.testing.assert_close(ours, torch.from_numpy(expected), rtol=0, atol=1e-12)
