"""Parity of the reassigned spectrogram with librosa."""

import warnings

import numpy as np
import pytest
import torch

from passband.signal import ReassignedSpectrogram

librosa = pytest.importorskip("librosa")


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("ref_power", [0.0, 1e-6, 3.0])
@pytest.mark.parametrize(
    ("n_fft", "hop", "win"), [(256, 64, 256), (255, 50, 200), (512, None, 400)]
)
def test_librosa(n_fft: int, hop: int | None, win: int, ref_power: float, center: bool) -> None:
    x = np.random.default_rng(0).standard_normal((2, 4000))
    x[1, 1000:2000] = 0
    settings = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "center": center}
    for fill_nan in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # divisions by zero, at silence
            frequencies, times, magnitudes = librosa.reassigned_spectrogram(
                x, sr=8000, ref_power=ref_power, fill_nan=fill_nan, **settings
            )
        transform = ReassignedSpectrogram(8000, ref_power=ref_power, fill_nan=fill_nan, **settings)
        ours = [part.numpy() for part in transform(torch.from_numpy(x))]
        # At silence rounding decides whether a power of 1e-30 is above 0, and what its ratio is.
        firm = magnitudes > 1e-9
        for ours_part, theirs, atol in zip(
            ours, (times, frequencies, magnitudes), (1e-9, 1e-6, 1e-12), strict=True
        ):
            np.testing.assert_allclose(ours_part[firm], theirs[firm], rtol=0, atol=atol)
        assert fill_nan or np.array_equal(np.isnan(ours[0])[firm], np.isnan(times)[firm])


def test_a_real_clip(data) -> None:
    import soundfile

    path = sorted(data.rglob("*trumpet*"))
    if not path:
        pytest.skip("no trumpet among the real sounds")
    sound, rate = soundfile.read(path[0], frames=40000, dtype="float64", always_2d=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frequencies, times, _ = librosa.reassigned_spectrogram(sound[:, 0], sr=rate, fill_nan=True)
    ours = ReassignedSpectrogram(rate)(torch.from_numpy(sound[:, 0].copy()))
    np.testing.assert_allclose(ours.times.numpy(), times, rtol=0, atol=1e-7)
    np.testing.assert_allclose(ours.frequencies.numpy(), frequencies, rtol=0, atol=1e-4)
