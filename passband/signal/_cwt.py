"""The continuous wavelet transform and its inverse as modules."""

import warnings
from itertools import pairwise
from typing import Any

from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._cwt import cwt, icwt
from passband.signal._transform import full_precision, require_finite
from passband.signal._wavelet_transform import WaveletTransform


class CWT(WaveletTransform):
    """Continuous wavelet transform ``W[f, n]`` of a signal: complex, a row for each frequency.

    With ``norm="l1"`` a tone of amplitude A has magnitude A in the row of its frequency.

    Args:
        sample_rate: samples per second, above 0.
        wavelet: gmw, morlet, mexican_hat, paul, or a `passband.frequency.Wavelet` such as
            ``Morlet(omega0=8)``.
        f_min: lowest frequency, in Hz; a thousandth of ``sample_rate`` if not given.
        f_max: highest frequency, in Hz, at most half of ``sample_rate``; if not given, the highest
            whose wavelet has fallen to a thousandth there.
        voices: frequencies to the octave, counted down from ``f_max``.
        n_scales: in place of ``voices``: frequencies from ``f_min`` to ``f_max``, both included.
        frequencies: in place of the four above: the frequencies in Hz, ascending.
        scales: in place of the five above: the scales in samples, descending.
        norm: ``l1``, or ``l2``: every wavelet has energy 1.
        pad_mode: what stands beyond the ends: ``reflect``, ``constant`` (zeros) or ``circular``.

    Attributes:
        frequencies: of the rows, in Hz, ascending.
        scales: of the rows, in samples.

    Raises:
        ValueError: for frequencies that do not ascend or are above half of ``sample_rate``.

    Example:
        >>> import torch
        >>> transform = CWT(sample_rate=8000, f_min=100, voices=16)
        >>> coefficients = transform(torch.randn(2, 4000))
        >>> coefficients.shape, transform.frequencies.shape
        (torch.Size([2, 80, 4000]), torch.Size([80]))

    Agrees with ``ssqueezepy.cwt`` to 1e-5 of the largest magnitude, at the same scales.
    Reference: Torrence & Compo, A practical guide to wavelet analysis, Bull. Amer. Meteor. Soc.
    79(1), 1998, eq. 4.
    """

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Complex[Tensor, "*batch n_scales time"]:
        """Coefficients ``(*batch, n_scales, time)``; `ValueError` for NaN."""
        require_finite("waveform", waveform)
        return cwt(
            waveform, self._scales, wavelet=self.wavelet, norm=self.norm, pad_mode=self.pad_mode
        )


class InverseCWT(WaveletTransform):
    """Inverse of `CWT` on the band its scales cover.

    The settings are those of `CWT`. `covered` says the band in Hz; the mean, and what lies outside
    of the band, comes back as zero.

    Args:
        settings: as given to `CWT`.

    Raises:
        ValueError: as `CWT`.

    Warns:
        UserWarning: where the frequencies are so far apart that the wavelets leave gaps.

    Example:
        >>> import torch
        >>> transform, inverse = CWT(8000, f_min=100), InverseCWT(8000, f_min=100)
        >>> tone = torch.cos(2 * torch.pi * 0.1 * torch.arange(8000))
        >>> torch.allclose(inverse(transform(tone))[3000:5000], tone[3000:5000], atol=1e-3)
        True

    Agrees with the signal to 60 dB in the covered band, away from the ends by the reach of the
    longest wavelet.
    Reference: Daubechies, Lu & Wu, Synchrosqueezed wavelet transforms, Appl. Comput. Harmon.
    Anal. 30(2), 2011, eq. 2.6.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        warn_of_gaps(self)

    @full_precision
    def forward(
        self, coefficients: Complex[Tensor, "*batch n_scales time"]
    ) -> Float[Tensor, "*batch time"]:
        """Signal ``(*batch, time)``; `ValueError` for NaN or another number of rows."""
        require_finite("coefficients", coefficients)
        return icwt(
            coefficients,
            self._scales,
            wavelet=self.wavelet,
            norm=self.norm,
            pad_mode=self.pad_mode,
        )


def warn_of_gaps(transform: WaveletTransform) -> None:
    """Say what the inverse cannot give back between its frequencies."""
    bands = transform.covered
    if len(bands) > 1:
        gaps = ", ".join(f"{a[1]:.4g} to {b[0]:.4g}" for a, b in pairwise(bands))
        warnings.warn(
            f"The frequencies are too far apart for an inverse: {gaps} Hz are lost. "
            "Raise `voices`, or pass more frequencies.",
            stacklevel=3,
        )
