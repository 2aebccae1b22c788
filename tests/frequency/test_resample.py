import math

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from passband.frequency import resample, resample_filter

RATES = [
    (44100, 48000),
    (48000, 44100),
    (22050, 16000),
    (16000, 8000),
    (8000, 16000),
    (1, 50),
    (50, 1),
    (97, 101),
]


def response(taps: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, as parts of the filter's Nyquist frequency, and the gain at each in dB."""
    size = 2 ** math.ceil(math.log2(32 * len(taps)))
    gain = np.abs(np.fft.rfft(taps.numpy(), size))
    return np.linspace(0, 1, len(gain)), 20 * np.log10(np.maximum(gain, 1e-15))


@pytest.mark.parametrize(("up", "down"), [(160, 147), (147, 160), (1, 2), (3, 1), (2, 3)])
def test_default_filter_stops_96_db(up: int, down: int) -> None:
    frequency, gain = response(resample_filter(up, down))
    edge = 1 / max(up, down)
    assert gain[frequency >= edge].max() <= -96
    assert np.abs(gain[frequency <= 0.9 * edge]).max() < 2e-4


@pytest.mark.parametrize("stopband_db", [40, 50, 60, 80, 96, 110, 120])
@pytest.mark.parametrize("transition", [0.02, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("factor", [2, 3, 7])
def test_filter_stops_what_it_says(stopband_db: float, transition: float, factor: int) -> None:
    taps = resample_filter(1, factor, stopband_db=stopband_db, transition=transition)
    frequency, gain = response(taps)
    assert gain[frequency >= 1 / factor].max() <= -stopband_db
    assert len(taps) % 2 == 1
    assert torch.allclose(taps, taps.flip(0), rtol=0, atol=1e-15)
    assert taps.sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("orig", "new"), RATES)
@pytest.mark.parametrize("time", [1, 500, 997])
def test_same_as_scipy_with_the_same_filter(orig: int, new: int, time: int) -> None:
    x = torch.randn(2, time, dtype=torch.float64)
    common = math.gcd(orig, new)
    up, down = new // common, orig // common
    expected = scipy.signal.resample_poly(
        x.numpy(), up, down, axis=-1, window=resample_filter(up, down).numpy()
    )
    ours = resample(x, orig, new)
    assert ours.shape[-1] == math.ceil(time * new / orig)
    torch.testing.assert_close(ours, torch.from_numpy(expected), rtol=0, atol=1e-12)
    single = resample(x.float(), orig, new)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), ours, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("orig", "new"), [(44100, 48000), (48000, 16000), (8000, 44100)])
@pytest.mark.parametrize("part", [0.05, 0.4, 0.88])
def test_a_sine_in_band_stays_in_phase(orig: int, new: int, part: float) -> None:
    frequency = part * min(orig, new) / 2
    x = torch.sin(2 * torch.pi * frequency * torch.arange(4000, dtype=torch.float64) / orig)
    y = resample(x, orig, new)
    ideal = torch.sin(2 * torch.pi * frequency * torch.arange(len(y), dtype=torch.float64) / new)
    inside = slice(len(y) // 4, -len(y) // 4)
    torch.testing.assert_close(y[inside], ideal[inside], rtol=0, atol=5e-5)


def test_what_would_alias_is_silent() -> None:
    x = torch.sin(2 * torch.pi * 9000 * torch.arange(8000, dtype=torch.float64) / 44100)
    assert resample(x, 44100, 16000)[500:-500].abs().max() < 10 ** (-96 / 20)


def test_equal_rates_return_the_signal() -> None:
    x = torch.randn(10)
    assert resample(x, 44100, 44100.0) is x


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 80))
def test_linear_batched_and_long_enough(orig: int, new: int, time: int) -> None:
    x = torch.randn(2, 3, time, dtype=torch.float64)
    y = resample(x, orig, new)
    assert y.shape == (2, 3, -(-time * new // orig))
    one = resample(x[1, 2], orig, new)
    torch.testing.assert_close(y[1, 2], one, rtol=0, atol=1e-12)
    mixed = resample(2 * x[0] - 3 * x[1], orig, new)
    torch.testing.assert_close(mixed, 2 * y[0] - 3 * y[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("orig", "new"), [(3, 2), (2, 3), (4, 1)])
def test_gradients(orig: int, new: int) -> None:
    x = torch.randn(2, 12, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: resample(x, orig, new, stopband_db=40, transition=0.5), x)


@pytest.mark.parametrize("rate", [0, -8000, 44100.5, math.inf, math.nan])
def test_rates_are_positive_whole_numbers(rate: float) -> None:
    with pytest.raises(ValueError, match=r"`orig_freq` \(=.* Hz\) must be a positive whole number"):
        resample(torch.zeros(10), rate, 8000)
    with pytest.raises(ValueError, match=r"`new_freq` \(=.* Hz\) must be a positive whole number"):
        resample(torch.zeros(10), 8000, rate)


def test_filter_errors() -> None:
    with pytest.raises(ValueError, match=r"`stopband_db` \(=30\) must be 40 to 120 dB"):
        resample_filter(1, 2, stopband_db=30)
    for transition in (0, 0.6):
        with pytest.raises(ValueError, match=rf"`transition` \(={transition}\) must be above 0"):
            resample_filter(1, 2, transition=transition)
    with pytest.raises(ValueError, match=r"`up` \(=0\) must be a positive integer"):
        resample_filter(0, 2)
    with pytest.raises(ValueError, match=r"`down` \(=0\) must be a positive integer"):
        resample_filter(1, 0)
    with pytest.raises(ValueError, match=r"`up`/`down` \(=1000003/999983\) must need at most"):
        resample(torch.zeros(10), 999983, 1000003)


@pytest.mark.usefixtures("unchecked")
def test_signal_errors() -> None:
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int16\) must be float32 or float64"):
        resample(torch.zeros(10, dtype=torch.int16), 2, 1)
    with pytest.raises(ValueError, match=r"`x` \(shape \(2, 0\)\) must have a last axis"):
        resample(torch.zeros(2, 0), 2, 1)
