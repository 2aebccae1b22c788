"""Parity of wavelets and synchrosqueezing with ssqueezepy."""

import math
import warnings

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from passband.frequency import (
    GeneralisedMorse,
    Morlet,
    Wavelet,
    cwt,
    synchrosqueezed_cwt,
    synchrosqueezed_stft,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own dependencies, at import
    ssqueezepy = pytest.importorskip("ssqueezepy")

pytestmark = pytest.mark.filterwarnings("ignore")

GMW = GeneralisedMorse()
Array = NDArray[np.float64]


def signal(kind: str, time: int) -> Array:
    t = np.arange(time)
    if kind == "noise":
        return np.random.default_rng(0).standard_normal(time)
    if kind == "click":
        return (t == time // 3) * 1.0
    return np.cos(2 * np.pi * (0.02 * t + 0.18 / time * t**2)) + 0.3 * np.cos(2 * np.pi * 0.03 * t)


def scales_of(wavelet: Wavelet, octaves: int, voices: int, *, cut: bool = False) -> Array:
    """Scales up from where the wavelet is whole, or from where half the rate cuts it in two."""
    least = (wavelet.centre if cut else wavelet.main_band[1]) / math.pi * 1.001
    return least * 2 ** (np.arange(octaves * voices) / voices)


def theirs_of(x: Array, name: str, settings: dict[str, float], scales: Array, l1: bool) -> Array:
    wavelet = ssqueezepy.Wavelet((name, {**settings, "dtype": "float64"}))
    if name == "gmw" and not l1:
        wavelet = ssqueezepy.Wavelet((name, {**settings, "dtype": "float64", "norm": "energy"}))
    found: Array = ssqueezepy.cwt(x, wavelet, scales=scales, l1_norm=l1)[0]
    return found


@pytest.mark.parametrize("kind", ["noise", "click", "chirp"])
@pytest.mark.parametrize("time", [1000, 1023])
@pytest.mark.parametrize(
    ("wavelet", "name", "settings", "l1"),
    [
        (GMW, "gmw", {}, True),
        (GMW, "gmw", {}, False),
        (GeneralisedMorse(3.0, 20.0), "gmw", {"gamma": 3, "beta": 20}, True),
        (Morlet(13.4), "morlet", {"mu": 13.4}, False),
        (Morlet(6.0), "morlet", {"mu": 6.0}, False),
    ],
)
def test_cwt(wavelet: Wavelet, name: str, settings, l1: bool, time: int, kind: str) -> None:
    x = signal(kind, time)
    for cut, tolerance in ((False, 2e-5), (True, 1e-7)):
        scales = scales_of(wavelet, 5, 6, cut=cut)
        theirs = theirs_of(x, name, settings, scales, l1)
        for dtype, rounding in ((torch.float64, 0.0), (torch.float32, 5e-6)):
            ours = cwt(
                torch.from_numpy(x).to(dtype), scales.tolist(), wavelet=wavelet,
                norm="l1" if l1 else "l2",
            )  # fmt: skip
            error = np.abs(ours.numpy() - theirs).max(-1) / np.abs(theirs).max(-1)
            assert error.max() < tolerance + rounding  # in every row, by its own largest value


def test_morlet_in_their_l1_peaks_lower() -> None:
    """Ours is 2, so that a tone has its amplitude; theirs is that of the l2 wavelet."""
    x, wavelet = signal("chirp", 1000), Morlet(13.4)
    scales = scales_of(wavelet, 4, 4)
    theirs = theirs_of(x, "morlet", {"mu": 13.4}, scales, True)
    ours = cwt(torch.from_numpy(x), scales.tolist(), wavelet=wavelet).numpy()
    ratio = 2 / (math.sqrt(2) * math.pi**0.25)
    np.testing.assert_allclose(ours, theirs * ratio, rtol=0, atol=1e-7)


def test_one_integral_inverse_is_as_good_or_better() -> None:
    from passband.frequency import covered_bands, icwt

    scales = scales_of(GMW, 5, 16)
    ((low, high),) = covered_bands(scales.tolist())
    spectrum = np.fft.rfft(signal("noise", 8192))
    frequency = np.fft.rfftfreq(8192)
    x = np.fft.irfft(spectrum * ((frequency > 1.3 * low) & (frequency < 0.8 * high)))
    theirs = ssqueezepy.icwt(theirs_of(x, "gmw", {}, scales, True), "gmw", scales)
    ours = icwt(cwt(torch.from_numpy(x), scales.tolist()), scales.tolist()).numpy()
    inside = slice(2500, -2500)

    def lost(y: Array) -> float:
        return float(np.linalg.norm((y - x)[inside]) / np.linalg.norm(x[inside]))

    assert lost(ours) < 1e-3
    assert lost(ours) < 0.1 * lost(theirs)


def test_synchrosqueezed_cwt() -> None:
    x = signal("chirp", 2048)
    scales = scales_of(GMW, 5, 32)
    rows = (GMW.centre / (2 * np.pi * scales))[::-1].copy()
    wavelet = ("gmw", {"dtype": "float64"})
    theirs, _, frequencies, *_ = ssqueezepy.ssq_cwt(
        x, wavelet, scales=scales, ssq_freqs=rows, fs=1.0
    )
    assert frequencies[0] > frequencies[-1]  # from the top down, where ours ascend
    theirs = theirs[::-1] * 2 / GMW.admissibility
    ours = synchrosqueezed_cwt(torch.from_numpy(x), scales.tolist(), frequencies=rows.tolist())
    # What lies beyond the rows goes into the first and the last of theirs.
    error = np.abs(ours.numpy() - theirs)[1:-1]
    assert error.max() < 0.02
    assert (error > 1e-6).mean() < 1e-3
    np.testing.assert_allclose(ours.numpy().sum(0), theirs.sum(0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_fft", [64, 256])
def test_synchrosqueezed_stft(n_fft: int) -> None:
    x = signal("chirp", 2048)
    theirs, *_ = ssqueezepy.ssq_stft(x, "hann", n_fft=n_fft, fs=1.0, dtype="float64")
    ours = synchrosqueezed_stft(torch.from_numpy(x), n_fft=n_fft)[:, :2048].numpy()
    # Theirs counts zero and half the rate twice, and turns frequencies below zero round.
    error = np.abs(ours - 2 * theirs)[1:-1]
    assert error.max() < 0.02
    assert np.linalg.norm(error) < 1e-3 * np.linalg.norm(ours)
