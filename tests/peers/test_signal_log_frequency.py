"""Parity of the log-frequency spectrogram with nnAudio."""

import contextlib
import io

import pytest
import torch

from passband.signal import LogFrequencySpectrogram

features = pytest.importorskip("nnAudio.features")


def theirs(**settings: object) -> torch.nn.Module:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its settings
        return features.STFT(output_format="Complex", **settings)


@pytest.mark.parametrize("scale", ["linear", "log", "log2"])
@pytest.mark.parametrize(
    ("n_fft", "win", "hop", "center", "pad_mode", "window"),
    [
        (1024, None, 512, True, "reflect", "hann"),
        (1024, 700, 300, True, "constant", "hamming"),
        (512, 512, 128, False, "reflect", "blackman"),
    ],
)
def test_nnaudio(scale: str, n_fft, win, hop, center, pad_mode, window) -> None:
    x = torch.randn(2, 6000, generator=torch.Generator().manual_seed(0))
    shared = {"n_fft": n_fft, "hop_length": hop, "center": center, "pad_mode": pad_mode}
    peer = theirs(
        freq_bins=70, fmin=50, fmax=6000, sr=22050, freq_scale=scale, window=window,
        win_length=win, **shared,
    )  # fmt: skip
    ours = LogFrequencySpectrogram(
        22050, win_length=win, n_bins=70, freq_scale=scale, window_fn=window, power=None, **shared
    )
    expected = torch.view_as_complex(peer(x).contiguous())
    spectrum = ours(x)
    assert spectrum.shape == expected.shape
    error = (spectrum - expected).abs().max() / expected.abs().max()
    assert error < 1e-4  # its kernels and sums are float32
    bins = torch.tensor(peer.bins2freq, dtype=torch.float64)
    torch.testing.assert_close(ours.frequencies, bins, rtol=0, atol=1e-9)
