"""Parity of the STFT with torch, librosa and scipy."""

import warnings

import numpy as np
import pytest
import scipy.signal
import torch

from passband.frequency import istft, stft, window

librosa = pytest.importorskip("librosa")

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
SIZES = [(64, 16, 64), (64, 17, 50), (63, 15, 63), (512, 128, 512), (256, 100, 200)]


def noise(time: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(3, time, dtype=dtype, generator=torch.Generator().manual_seed(0)) * 0.1


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("n_fft", "hop", "win"), SIZES)
@pytest.mark.parametrize("time", [300, 1000])
@pytest.mark.parametrize("normalized", [False, True])
def test_torch(dtype, n_fft: int, hop: int, win: int, time: int, normalized: bool) -> None:
    x = noise(time, dtype)
    theirs = torch.stft(
        x,
        n_fft,
        hop,
        win,
        window=torch.hann_window(win, dtype=dtype),
        normalized=normalized,
        return_complex=True,
    )
    sizes = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "normalized": normalized}
    ours = stft(x, **sizes)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE[dtype])

    length = (theirs.shape[-1] - 1) * hop  # within this, torch accepts every window of the list
    back = torch.istft(
        theirs,
        n_fft,
        hop,
        win,
        window=torch.hann_window(win, dtype=dtype),
        normalized=normalized,
        length=length,
    )
    ours = istft(theirs, length=length, **sizes)
    torch.testing.assert_close(ours, back, rtol=0, atol=TOLERANCE[dtype])


def test_torchs_natural_length() -> None:
    x = noise(1000)
    for n_fft in (64, 63):
        spectrum = stft(x, n_fft=n_fft, hop_length=16)
        theirs = torch.istft(spectrum, n_fft, 16, window=torch.hann_window(n_fft).double())
        ours = istft(spectrum, n_fft=n_fft, hop_length=16)
        assert ours.shape == theirs.shape
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns that it pads with zeros
            longer = torch.istft(
                spectrum, n_fft, 16, window=window("hann", n_fft, dtype=torch.float64), length=1100
            )
        ours = istft(spectrum, n_fft=n_fft, hop_length=16, length=1100)
        torch.testing.assert_close(ours, longer, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("n_fft", "hop", "win"), SIZES)
@pytest.mark.parametrize("pad_mode", ["constant", "reflect"])
@pytest.mark.parametrize("name", ["hann", "blackman", ("kaiser", 8.0)])
def test_librosa(n_fft: int, hop: int, win: int, pad_mode: str, name) -> None:
    x = noise(1000)
    theirs = librosa.stft(
        x.numpy(), n_fft=n_fft, hop_length=hop, win_length=win, window=name, pad_mode=pad_mode
    )
    ours = stft(x, n_fft=n_fft, hop_length=hop, win_length=win, window=name, pad_mode=pad_mode)
    torch.testing.assert_close(ours, torch.from_numpy(theirs), rtol=0, atol=1e-12)
    back = librosa.istft(theirs, n_fft=n_fft, hop_length=hop, win_length=win, window=name)
    ours = istft(ours, n_fft=n_fft, hop_length=hop, win_length=win, window=name)
    inside = slice(n_fft, back.shape[-1] - n_fft)
    np.testing.assert_allclose(ours.numpy()[:, inside], back[:, inside], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n_fft", "hop"), [(64, 16), (64, 17), (63, 15)])
def test_scipy(n_fft: int, hop: int) -> None:
    x = noise(1000)
    _, _, theirs = scipy.signal.stft(
        x.numpy(), nperseg=n_fft, noverlap=n_fft - hop, boundary=None, padded=False
    )
    gain = window("hann", n_fft, dtype=torch.float64).sum()  # scipy divides by it
    ours = stft(x, n_fft=n_fft, hop_length=hop, padding="valid")
    torch.testing.assert_close(ours, torch.from_numpy(theirs) * gain, rtol=0, atol=1e-12)
