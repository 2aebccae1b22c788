"""Gammatone filters: the impulse responses of the ear's filters, and their power responses."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._erb import erb_to_hz, hz_to_erb
from passband.frequency._validate import require_between, require_positive


def gammatone_frequencies(
    n_filters: int, f_min: float, f_max: float
) -> Float[Tensor, " {n_filters}"]:
    """Centres from ``f_min`` to ``f_max``, evenly spaced on the scale of auditory filters.

    Args:
        n_filters: number of filters, at least 1; one alone stands at ``f_min``.
        f_min: lowest, in Hz, above 0.
        f_max: highest, in Hz, above ``f_min``.

    Returns:
        The centres in Hz, in float64.

    Raises:
        ValueError: for a count below 1, or frequencies that are not in order.

    Example:
        >>> gammatone_frequencies(3, 100.0, 4000.0).round(decimals=1)
        tensor([ 100.0000,  950.4000, 4000.0000], dtype=torch.float64)

    Agrees with `hz_to_erb` of the result being evenly spaced, to 1e-12.
    Reference: Glasberg & Moore, Hearing Research 47, 1990, eq. 4.
    """
    require_positive("n_filters", n_filters, "Pass e.g. 64.")
    if not 0 < f_min < f_max < math.inf:
        raise ValueError(
            f"`f_min` (={f_min:g} Hz) must be above 0 Hz and below `f_max` (={f_max:g} Hz). "
            "Pass e.g. 50."
        )
    low, high = hz_to_erb(f_min), hz_to_erb(f_max)
    centres = erb_to_hz(torch.linspace(low, high, n_filters, dtype=torch.float64))
    return centres.clamp(f_min, f_max)


def gammatone_filterbank(
    frequencies: Float[Tensor, " filters"],
    sample_rate: float,
    *,
    order: int = 4,
    numtaps: int | None = None,
) -> Float[Tensor, "filters taps"]:
    """Impulse responses ``t^(n - 1) exp(-2 pi b t) cos(2 pi f t)``, scaled to gain 1 at ``f``.

    ``b`` is 1.019 times the width ``24.7 + f / 9.26449`` Hz of the auditory filter at ``f``.

    Args:
        frequencies: centres, in Hz, above 0 and below half the sampling rate.
        sample_rate: in Hz.
        order: n, 1 to 24.
        numtaps: taps of each filter; 15 ms of them, and at least 15, if not given. Low filters ring
            longer than that.

    Returns:
        One filter per row, in float64.

    Raises:
        ValueError: for centres, an order or a number of taps out of range.

    Example:
        >>> gammatone_filterbank(torch.tensor([1000.0]), 16000).shape
        torch.Size([1, 240])

    Agrees with ``scipy.signal.gammatone(ftype="fir")`` to 1e-12.
    Reference: Patterson et al., An efficient auditory filterbank based on the gammatone function,
    APU report 2341, 1987; Slaney, Apple Computer technical report 35, 1993.
    """
    _require_centres(frequencies, sample_rate)
    _require_order(order)
    if numtaps is None:
        numtaps = max(int(sample_rate * 0.015), 15)
    require_positive("numtaps", numtaps, "Pass e.g. 15 ms of taps.")
    centres = frequencies.detach().double()[:, None]
    decay = 2 * math.pi * _bandwidth(centres)
    t = torch.arange(numtaps, dtype=torch.float64, device=centres.device) / sample_rate
    scale = 2 * decay**order / math.factorial(order - 1) / sample_rate
    wave = torch.cos(2 * math.pi * centres * t)
    return scale * t ** (order - 1) * torch.exp(-decay * t) * wave


def gammatone_fbanks(
    n_fft: int, frequencies: Float[Tensor, " filters"], sample_rate: float, order: int = 4
) -> Float[Tensor, "{n_fft//2+1} filters"]:
    """Power responses ``|(1 + i (f - f_c) / b)^-n + (1 + i (f + f_c) / b)^-n|^2`` at bins ``f``.

    This is the continuous transform of the impulse response, whatever its length.

    Args:
        n_fft: points of the transform whose bins are weighted.
        frequencies: centres ``f_c``, in Hz, above 0 and below half the sampling rate.
        sample_rate: in Hz.
        order: n, 1 to 24.

    Returns:
        One filter per column, in float64.

    Raises:
        ValueError: for centres or an order out of range.

    Example:
        >>> bank = gammatone_fbanks(1024, torch.tensor([1000.0]), 16000)
        >>> round(float(bank[64, 0]), 3)
        1.0

    Agrees with the spectrum of `gammatone_filterbank`, given enough taps, to 1e-3.
    Reference: Patterson et al., APU report 2341, 1987, appendix A.
    """
    require_positive("n_fft", n_fft, "Pass e.g. 2048.")
    _require_centres(frequencies, sample_rate)
    _require_order(order)
    centres = frequencies.detach().double()
    width = _bandwidth(centres)
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64, device=centres.device)
    hertz = (bins * (sample_rate / n_fft))[:, None]
    poles = [(hertz + sign * centres) / width for sign in (-1, 1)]
    response = sum((torch.complex(torch.ones_like(p), p) ** -order for p in poles), torch.zeros(()))
    return response.abs().square()


def _bandwidth(frequency: Tensor) -> Tensor:
    """Slaney's width of the gammatone at a frequency, in Hz."""
    return 1.019 * (24.7 + frequency / 9.26449)


def _require_centres(frequencies: Tensor, sample_rate: float) -> None:
    if not 0 < sample_rate < math.inf:
        raise ValueError(
            f"`sample_rate` (={sample_rate:g} Hz) must be above 0. Pass the signal's own rate."
        )
    if frequencies.ndim != 1 or len(frequencies) == 0:
        raise ValueError(
            f"`frequencies` (shape {tuple(frequencies.shape)}) must be a list of at least one "
            "value. Pass the centres in Hz."
        )
    low, high = float(frequencies.min()), float(frequencies.max())
    if not (low > 0 and high < sample_rate / 2):
        raise ValueError(
            f"`frequencies` (={low:g} to {high:g} Hz) must be above 0 and below the Nyquist "
            f"frequency {sample_rate / 2:g} Hz of `sample_rate` (={sample_rate:g} Hz). Leave the "
            "others out."
        )


def _require_order(order: int) -> None:
    require_positive("order", order, "Pass 4, the ear's.")
    require_between("order", order, 1, 24, "Pass 4, the ear's.")
