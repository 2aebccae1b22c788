"""Constant-Q analysis with perfect reconstruction."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import GaborPlan, gabor_inverse, gabor_plan, gabor_transform
from passband.signal._constant_q import C1_HZ
from passband.signal._transform import Transform, full_precision, require_finite


class GaborCQT(Transform):
    """Constant-Q bands that hold the whole signal, by a tight nonstationary Gabor frame.

    Beside `CQT`, which samples every band at one hop, each octave here has as many frames as it
    needs, and a low and a high band hold the rest of the spectrum: `InverseGaborCQT` gives the
    signal back to rounding, whatever it is, and squares are kept (Parseval). About twice to three
    times as many numbers as samples.

    Args:
        sample_rate: in Hz.
        f_min: lowest centre frequency in Hz.
        n_bins: number of bands; the last must lie below the Nyquist frequency.
        bins_per_octave: bands from a frequency to its double.

    Attributes:
        frequencies: centre frequencies in Hz.

    Shape:
        ``(*batch, time)`` to a list: real ``(*batch, 1, samples)``, the band below ``f_min``;
        complex ``(*batch, bands, frames)`` for each octave, lowest first (the first may have fewer
        bands); real ``(*batch, 1, samples)``, the band above.

    Raises:
        ValueError: for values out of range, and signals that are empty, not finite or not floating
            point.

    Example:
        >>> tone = torch.sin(2 * torch.pi * 440 * torch.arange(22050) / 22050)
        >>> bands = GaborCQT(sample_rate=22050, f_min=55.0, n_bins=48)(tone)
        >>> [tuple(band.shape) for band in bands]
        [(1, 110), (12, 12), (12, 24), (12, 48), (12, 96), (1, 20412)]
        >>> int(bands[4].abs().sum(-1).argmax())  # 440 Hz starts the fourth octave from 55 Hz
        0

    Agrees with its definition, a filter bank of shifted inner products, to 1e-12 in float64.
    Reference: Velasco, Holighaus, Dörfler & Grill, Constructing an invertible constant-Q transform
    with nonstationary Gabor frames, DAFx 2011.
    """

    def __init__(
        self,
        sample_rate: float = 22050,
        f_min: float = C1_HZ,
        n_bins: int = 84,
        bins_per_octave: int = 12,
    ) -> None:
        super().__init__()
        self.plans = _Plans(sample_rate, f_min, n_bins, bins_per_octave)
        self._constant("frequencies", self.plans.frequencies)

    @full_precision
    def forward(self, waveform: Float[Tensor, "*batch time"]) -> list[Tensor]:
        """Bands of ``waveform``."""
        require_finite("waveform", waveform)
        if waveform.ndim == 0 or waveform.shape[-1] == 0:
            raise ValueError(
                f"`waveform` (shape {tuple(waveform.shape)}) must have a last axis of at least one "
                "sample. Leave empty signals out."
            )
        return gabor_transform(waveform, self.plans.of(waveform.shape[-1], waveform))


class InverseGaborCQT(Transform):
    """The signal from the bands of `GaborCQT`, to rounding: 128 dB in float32, 300 in float64.

    Args:
        sample_rate: as given to `GaborCQT`, and so for all.
        f_min: lowest centre frequency in Hz.
        n_bins: number of bands.
        bins_per_octave: bands from a frequency to its double.

    Shape:
        the list of `GaborCQT` to ``(*batch, length)``.

    Raises:
        ValueError: for bands that a signal of ``length`` samples does not have.

    Example:
        >>> settings = dict(sample_rate=22050, f_min=55.0, n_bins=48)
        >>> noise = torch.randn(2, 10000)
        >>> back = InverseGaborCQT(**settings)(GaborCQT(**settings)(noise), length=10000)
        >>> bool((back - noise).abs().max() < 1e-5)
        True

    Reference: as for `GaborCQT`.
    """

    def __init__(
        self,
        sample_rate: float = 22050,
        f_min: float = C1_HZ,
        n_bins: int = 84,
        bins_per_octave: int = 12,
    ) -> None:
        super().__init__()
        self.plans = _Plans(sample_rate, f_min, n_bins, bins_per_octave)

    def forward(self, bands: Sequence[Tensor], length: int) -> Float[Tensor, "*batch time"]:
        """Signal of ``length`` samples, the length of the signal analysed."""
        for band in bands:
            require_finite("bands", band)
        return gabor_inverse(bands, self.plans.of(length, bands[0]))


class _Plans:
    """The plan for the length at hand, kept from one call to the next."""

    def __init__(self, sample_rate: float, f_min: float, n_bins: int, bins_per_octave: int) -> None:
        self._settings = (sample_rate, f_min, n_bins, bins_per_octave)
        self._last: GaborPlan | None = None
        gabor_plan(
            1024,
            sample_rate=sample_rate,
            f_min=f_min,
            n_bins=n_bins,
            bins_per_octave=bins_per_octave,
        )  # refuses bad settings now
        steps = torch.arange(n_bins, dtype=torch.float64)
        self.frequencies = f_min * torch.exp2(steps / bins_per_octave)

    def of(self, length: int, like: Tensor) -> GaborPlan:
        """The plan for ``length`` samples in the type and on the device of ``like``."""
        last = self._last
        if last is None or last.differs(length, like):
            sample_rate, f_min, n_bins, bins_per_octave = self._settings
            plan = gabor_plan(
                length,
                sample_rate=sample_rate,
                f_min=f_min,
                n_bins=n_bins,
                bins_per_octave=bins_per_octave,
            )
            last = self._last = plan.to(like.device, like.dtype)
        return last
