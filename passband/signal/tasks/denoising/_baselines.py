"""What is done without a network: a band-pass, and Wiener's filter on short-time spectra."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import istft, stft

_TINY = 1e-20


def band_pass(
    x: Float[Tensor, "*batch time"], sample_rate: float, low: float = 1.0, high: float = 20.0
) -> Float[Tensor, "*batch time"]:
    """``x`` through a Butterworth band-pass of order 4, forward and backward.

    Args:
        x: traces of at least 28 samples.
        sample_rate: in Hz, more than twice ``high``.
        low: corner in Hz, above 0.
        high: corner in Hz, above ``low``.

    Example:
        >>> t = torch.arange(3000) / 100
        >>> slow, quick = torch.sin(2 * torch.pi * 0.1 * t), torch.sin(2 * torch.pi * 5 * t)
        >>> error = band_pass(slow + quick, 100)[500:2500] - quick[500:2500]
        >>> bool(error.abs().max() < 0.01)
        True

    Reference: Butterworth, Experimental Wireless 7, 1930; filtering in both directions leaves no
    delay.
    """
    from scipy import signal  # noqa: PLC0415  0.3 s that only an evaluation should pay

    sections = signal.butter(4, [low, high], "bandpass", fs=sample_rate, output="sos")
    found = signal.sosfiltfilt(sections, x.detach().cpu().double().numpy(), axis=-1)
    return torch.from_numpy(np.ascontiguousarray(found)).to(x)


def wiener(x: Float[Tensor, "*batch time"], n_fft: int = 256) -> Float[Tensor, "*batch time"]:
    """``x`` with each bin of its spectrum times ``max(0, 1 - N / |X|^2)``, N the noise's power.

    N of a frequency is the median of ``|X|^2`` over all frames, divided by ln 2, which makes the
    median of noise its mean.

    Args:
        x: traces, at least ``n_fft`` samples long.
        n_fft: length of the Hann window, in samples; the hop is a quarter.

    Example:
        >>> wiener(torch.randn(2, 3000)).shape
        torch.Size([2, 3000])

    Reference: Boll, Suppression of acoustic noise in speech using spectral subtraction, IEEE
    Transactions on Acoustics, Speech and Signal Processing 27(2), 1979; the median is ours.
    """
    spectrum = stft(x, n_fft=n_fft, pad_mode="constant")
    power = spectrum.abs().square()
    noise = power.median(dim=-1, keepdim=True).values / math.log(2)
    gain = (1 - noise / power.clamp_min(_TINY)).clamp_min(0)
    return istft(spectrum * gain, n_fft=n_fft, length=x.shape[-1])
