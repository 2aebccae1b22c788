"""Resampled sines beside those of soxr, as librosa calls it."""

import numpy as np
import pytest
import torch

from passband.frequency import resample

librosa = pytest.importorskip("librosa")
pytest.importorskip("soxr")

# Towards the end of its pass band soxr is up to this far from the ideal sine.
SOXR_DROOP = 5e-4


@pytest.mark.parametrize(
    ("orig", "new"), [(44100, 48000), (44100, 22050), (22050, 16000), (16000, 24000)]
)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.85])
def test_sines_are_soxrs(orig: int, new: int, part: float) -> None:
    frequency = part * min(orig, new) / 2
    x = np.sin(2 * np.pi * frequency * np.arange(orig // 4) / orig)
    theirs = librosa.resample(x, orig_sr=orig, target_sr=new, res_type="soxr_vhq")
    ours = resample(torch.from_numpy(x), orig, new).numpy()
    inside = slice(1000, len(ours) - 1000)  # the ends depend on each filter's length
    np.testing.assert_allclose(ours[inside], theirs[inside], rtol=0, atol=SOXR_DROOP)
    ideal = np.sin(2 * np.pi * frequency * np.arange(len(ours)) / new)
    np.testing.assert_allclose(ours[inside], ideal[inside], rtol=0, atol=2e-5)


def test_noise_in_band_is_soxrs() -> None:
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(22050))
    spectrum[int(0.85 * 8000) :] = 0  # bins are Hz: one second
    x = np.fft.irfft(spectrum)
    theirs = librosa.resample(x, orig_sr=22050, target_sr=16000, res_type="soxr_vhq")
    ours = resample(torch.from_numpy(x), 22050, 16000).numpy()
    inside = slice(1000, -1000)
    np.testing.assert_allclose(ours[inside], theirs[inside], rtol=0, atol=SOXR_DROOP)
