"""Parity of the analytic signal with scipy."""

import numpy as np
import pytest
import scipy.signal
import torch

from passband.frequency import analytic_signal, envelope, instantaneous_frequency
from passband.signal import HilbertEnvelope

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("time", [1, 2, 3, 500, 501])
def test_hilbert(time: int, dtype: torch.dtype) -> None:
    x = np.random.default_rng(0).standard_normal((2, time))
    expected = scipy.signal.hilbert(x)
    given = torch.from_numpy(x).to(dtype)
    complex_dtype = torch.complex128
    torch.testing.assert_close(
        analytic_signal(given).to(complex_dtype),
        torch.from_numpy(expected),
        rtol=0,
        atol=TOLERANCE[dtype],
    )
    for ours in (envelope(given), HilbertEnvelope()(given)):
        torch.testing.assert_close(
            ours.double(), torch.from_numpy(np.abs(expected)), rtol=0, atol=TOLERANCE[dtype]
        )


def test_instantaneous_frequency() -> None:
    t = np.arange(4000) / 8000
    x = scipy.signal.chirp(t, 200, t[-1], 3000)
    phase = np.unwrap(np.angle(scipy.signal.hilbert(x)))
    expected = torch.from_numpy(np.diff(phase) * 8000 / (2 * np.pi))
    ours = instantaneous_frequency(torch.from_numpy(x), 8000)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-8)
