import math

import pytest
import torch

from passband.frequency import (
    gammatone_fbanks,
    gammatone_filterbank,
    gammatone_frequencies,
    hz_to_erb,
)


def test_centres_are_evenly_spaced_on_their_scale() -> None:
    centres = gammatone_frequencies(20, 50.0, 8000.0)
    steps = hz_to_erb(centres).diff()
    torch.testing.assert_close(steps, steps.mean().expand(19))
    torch.testing.assert_close(centres[[0, -1]], torch.tensor([50.0, 8000.0]).double())


@pytest.mark.parametrize("order", [2, 4])
def test_power_response_is_that_of_the_long_impulse_response(order: int) -> None:
    centres = torch.tensor([300.0, 1000.0, 2500.0], dtype=torch.float64)
    taps = gammatone_filterbank(centres, 32000, order=order, numtaps=8192)
    expected = torch.fft.rfft(taps, n=8192).abs().square().T
    ours = gammatone_fbanks(8192, centres, 32000, order)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-3 if order == 4 else 1e-2)


def test_gain_is_one_at_the_centre() -> None:
    centres = gammatone_frequencies(30, 100.0, 7000.0)
    bank = gammatone_fbanks(16000, centres, 16000)  # bins of one Hz
    peaks = bank[centres.round().long(), range(30)]
    torch.testing.assert_close(peaks, torch.ones(30, dtype=torch.float64), rtol=0, atol=2e-2)


def test_bandwidth_is_that_of_the_auditory_filter() -> None:
    """A rectangle of the same area and height is as wide as the ear's filter."""
    bank = gammatone_fbanks(32000, torch.tensor([1000.0, 3000.0]), 32000)
    expected = torch.tensor([24.7 + f / 9.26449 for f in (1000, 3000)], dtype=torch.float64)
    torch.testing.assert_close(bank.sum(0), expected, rtol=1e-2, atol=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: gammatone_filterbank(c, 1500), r"`frequencies` \(=1000 to 1000 Hz\) must be"),
        (
            lambda c: gammatone_filterbank(0 * c, 9000),
            r"`frequencies` \(=0 to 0 Hz\) must be above",
        ),
        (lambda c: gammatone_filterbank(c[:0], 9000), r"`frequencies` \(shape \(0,\)\) must be a"),
        (lambda c: gammatone_filterbank(c * math.nan, 9000), r"`frequencies` \(=nan to nan Hz\)"),
        (lambda c: gammatone_filterbank(c, 0), r"`sample_rate` \(=0 Hz\) must be above 0"),
        (lambda c: gammatone_filterbank(c, 9000, order=25), r"`order` \(=25\) must be 1 to 24"),
        (
            lambda c: gammatone_filterbank(c, 9000, numtaps=0),
            r"`numtaps` \(=0\) must be a positive",
        ),
        (lambda c: gammatone_fbanks(0, c, 9000), r"`n_fft` \(=0\) must be a positive integer"),
        (lambda c: gammatone_frequencies(0, 50.0, 900.0), r"`n_filters` \(=0\) must be a positive"),
        (lambda c: gammatone_frequencies(4, 0.0, 900.0), r"`f_min` \(=0 Hz\) must be above 0 Hz"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(torch.tensor([1000.0], dtype=torch.float64))
