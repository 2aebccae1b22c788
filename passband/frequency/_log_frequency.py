"""Spectrograms on bins that lie where music has its notes, not where the FFT has its points."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_choice, require_positive

FreqScale = Literal["linear", "log", "log2"]


def bin_frequencies(
    sample_rate: float, f_min: float, f_max: float, n_bins: int, freq_scale: FreqScale = "log"
) -> Float[Tensor, " {n_bins}"]:
    """Frequencies ``f_min + (f_max - f_min) b / n`` or ``f_min (f_max / f_min) ** (b / n)``.

    The last of the n bins lies one step below ``f_max``.

    Args:
        sample_rate: in Hz.
        f_min: first bin, in Hz: at least 0 if linear, else above 0.
        f_max: end of the range, in Hz, above ``f_min`` and at most half the sampling rate.
        n_bins: number of bins, at least 1.
        freq_scale: ``linear``, or ``log`` (``log2`` gives the same bins).

    Returns:
        The frequencies in Hz, in float64.

    Raises:
        ValueError: for a range that is empty or beyond half the sampling rate, or no bins.

    Example:
        >>> bin_frequencies(22050, 55.0, 880.0, 4)
        tensor([ 55., 110., 220., 440.], dtype=torch.float64)

    Agrees with the bins of ``nnAudio.features.STFT`` to 1e-9 Hz.
    Reference: Cheuk, Agres & Herremans, The impact of audio input representations on neural network
    based music transcription, IJCNN 2020, section III.
    """
    require_choice("freq_scale", freq_scale, ("linear", "log", "log2"))
    require_positive("n_bins", n_bins, "Pass the number of bins, e.g. 512.")
    if not 0 < sample_rate < float("inf"):
        raise ValueError(
            f"`sample_rate` (={sample_rate:g} Hz) must be above 0. Pass the signal's own rate."
        )
    if not f_max <= sample_rate / 2:
        raise ValueError(
            f"`f_max` (={f_max:g} Hz) must be at most the Nyquist frequency {sample_rate / 2:g} Hz "
            f"of `sample_rate` (={sample_rate:g} Hz). Lower `f_max`, or resample the signal to at "
            f"least {2 * f_max:g} Hz."
        )
    linear = freq_scale == "linear"
    if not (f_min >= 0 if linear else f_min > 0) or not f_min < f_max:
        least = "at least" if linear else "above"
        raise ValueError(
            f"`f_min` (={f_min:g} Hz) must be {least} 0 Hz and below `f_max` (={f_max:g} Hz) for "
            f"freq_scale={freq_scale!r}. Pass e.g. 50."
        )
    steps = torch.arange(n_bins, dtype=torch.float64) / n_bins
    if linear:
        return f_min + (f_max - f_min) * steps
    return f_min * torch.pow(torch.tensor(f_max / f_min, dtype=torch.float64), steps)
