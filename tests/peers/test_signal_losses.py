"""The mel losses over librosa's filters."""

import numpy as np
import pytest
import torch

from passband.signal import LogMelLoss, MultiScaleMelLoss

librosa = pytest.importorskip("librosa")


def log_mel(x: np.ndarray, n_fft: int, hop: int, eps: float, **bank) -> np.ndarray:
    spectrum = abs(librosa.stft(x, n_fft=n_fft, hop_length=hop, pad_mode="reflect"))
    filters = librosa.filters.mel(n_fft=n_fft, dtype=np.float64, **bank)
    return np.log(np.maximum(filters @ spectrum, eps))


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("rate", [16000, 44100])
def test_multi_scale_is_the_codecs(rate: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 6000)) * 0.1
    y[2000:4000] = 0
    expected = 0.0
    for length, count in ((32 << i, 5 << i) for i in range(7)):
        p, t = (log_mel(z, length, length // 4, 1e-5, sr=rate, n_mels=count) for z in (x, y))
        expected += abs(p - t).mean() / np.log(10)
    ours = MultiScaleMelLoss(rate)(torch.from_numpy(x), torch.from_numpy(y))
    assert abs(float(ours) - expected) < 1e-10


def test_log_mel_is_vocos() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 6000)) * 0.1
    bank = {"sr": 24000, "n_mels": 100, "htk": True, "norm": None}
    p, t = (log_mel(z, 1024, 256, 1e-7, **bank) for z in (x, y))
    ours = LogMelLoss()(torch.from_numpy(x), torch.from_numpy(y))
    assert abs(float(ours) - abs(p - t).mean()) < 1e-10
