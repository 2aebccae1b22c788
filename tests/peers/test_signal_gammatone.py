"""Parity of the gammatone filters with scipy."""

import numpy as np
import pytest
import scipy.signal
import torch

from passband.frequency import gammatone_fbanks, gammatone_filterbank
from passband.signal import Gammatonegram

CENTRES = [150.0, 440.0, 1000.0, 3500.0, 7000.0]


@pytest.mark.parametrize("order", [1, 4, 9])
@pytest.mark.parametrize("numtaps", [None, 100])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_impulse_responses(order: int, numtaps: int | None, rate: int) -> None:
    centres = torch.tensor(CENTRES, dtype=torch.float64)
    ours = gammatone_filterbank(centres, rate, order=order, numtaps=numtaps)
    for taps, hertz in zip(ours, CENTRES, strict=True):
        expected, _ = scipy.signal.gammatone(hertz, "fir", order=order, numtaps=numtaps, fs=rate)
        torch.testing.assert_close(taps, torch.from_numpy(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("hertz", [440.0, 1000.0, 3500.0])
def test_recursive_filter_has_the_power_response(hertz: float) -> None:
    b, a = scipy.signal.gammatone(hertz, "iir", fs=44100)
    _, response = scipy.signal.freqz(b, a, worN=2 * np.pi * np.arange(4097) / 8192)
    ours = gammatone_fbanks(8192, torch.tensor([hertz], dtype=torch.float64), 44100)[:, 0]
    expected = torch.from_numpy(np.abs(response) ** 2)
    torch.testing.assert_close(ours, expected, rtol=0, atol=2e-2)


def test_energy_of_filtered_noise() -> None:
    rate = 16000
    transform = Gammatonegram(rate, 2048, hop_length=512, n_filters=10, f_min=300.0, f_max=4000.0)
    x = torch.randn(20 * rate, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ours = transform(x).mean(-1)
    for k, hertz in enumerate(transform.frequencies.tolist()):
        taps, _ = scipy.signal.gammatone(hertz, "fir", numtaps=2000, fs=rate)
        power = np.mean(scipy.signal.fftconvolve(x.numpy(), taps) ** 2)
        assert abs(float(ours[k]) / power - 1) < 0.03
