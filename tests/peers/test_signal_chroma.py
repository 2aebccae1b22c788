"""Parity of the chromagram with librosa."""

import numpy as np
import pytest
import torch

from passband.frequency import chroma_fbanks
from passband.media import read_audio
from passband.signal import Chroma

librosa = pytest.importorskip("librosa")


@pytest.mark.parametrize("n_fft", [512, 2048, 1001])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tuning": 0.3},
        {"tuning": -0.5, "n_chroma": 24},
        {"n_chroma": 7},
        {"octwidth": None, "norm": np.inf},
        {"norm": None, "base_c": False, "ctroct": 4.0, "octwidth": 1.0},
    ],
)
def test_filters(n_fft: int, settings: dict[str, float]) -> None:
    expected = librosa.filters.chroma(sr=22050, n_fft=n_fft, dtype=np.float64, **settings)
    ours = chroma_fbanks(22050, n_fft, **settings)
    torch.testing.assert_close(ours, torch.from_numpy(expected.T.copy()), rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm", [np.inf, 2.0, 1.0, None])
@pytest.mark.parametrize(
    "settings", [{}, {"n_fft": 1024, "hop_length": 300, "win_length": 800, "center": False}]
)
def test_chromagram(norm: float | None, settings: dict[str, object]) -> None:
    y = np.random.default_rng(0).standard_normal((2, 9000))
    expected = librosa.feature.chroma_stft(
        y=y, sr=22050, tuning=0.2, norm=norm, dtype=np.float64, **settings
    )
    ours = Chroma(22050, tuning=0.2, norm=norm, **settings)(torch.from_numpy(y))
    error = (ours - torch.from_numpy(expected)).abs().max() / expected.max()
    assert error < 1e-10


def test_a_trumpet(data) -> None:
    audio = read_audio(data / "audio" / "notes" / "mutetpt" / "A4.mp3")
    y, rate = audio.samples.mean(0)[: 5 * audio.sample_rate], audio.sample_rate
    expected = librosa.feature.chroma_stft(y=y.numpy(), sr=rate, tuning=0.0)
    ours = Chroma(rate)(y)
    torch.testing.assert_close(ours, torch.from_numpy(expected), rtol=0, atol=1e-3)
