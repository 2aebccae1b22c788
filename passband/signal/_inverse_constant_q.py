"""Inverses of the constant-Q and variable-Q transforms."""

import warnings
from collections.abc import Sequence

from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency import (
    ConstantQResponse,
    constant_q_inverse,
    constant_q_response,
)
from passband.signal._constant_q import C1_HZ, VQT, bin_frequencies
from passband.signal._transform import Transform, full_precision, require_finite


class InverseVQT(Transform):
    """The signal, on the band the filters cover, whose `VQT` is nearest to the coefficients.

    Where no hop is too long and nothing was changed, that is the signal itself: 100 dB on its
    covered band away from its ends, in float32 as in float64. The hop may be as long as
    ``largest_hop``, 1 / 2.7 of the shortest filter for Hann; beyond, filters are sampled too thinly
    and a warning says from which frequency on the result is only the least-squares one.

    Args:
        sample_rate: as given to `VQT`, and so for all but the last argument.
        hop_length: samples from one frame to the next.
        f_min: lowest centre frequency in Hz.
        n_bins: number of frequencies.
        bins_per_octave: bins from a frequency to its double.
        gamma: bandwidth added to every filter in Hz; that of the ear (ERB) if None.
        frequencies: centre frequencies in Hz instead of the three above.
        tuning: offset of all frequencies in bins.
        filter_scale: factor on the lengths of the filters.
        norm: order of the norm the windows are divided by.
        window: name, or name and parameter.
        scale: multiply by the root of the filter's length rather than by the length.
        n_iter: steps of conjugate gradients; 0 divides the adjoint by its response, 40 to 70 dB.

    Attributes:
        largest_hop: the longest hop, in samples, at which these filters can be inverted.
        covered: bands that are given back, pairs of frequencies in Hz; what lies outside is lost.

    Shape:
        complex ``(*batch, n_bins, frames)`` to ``(*batch, length)``.

    Raises:
        ValueError: as `VQT` does, and for a length that does not belong to the number of frames.

    Example:
        >>> import torch
        >>> from passband.signal import VQT
        >>> settings = dict(sample_rate=8000, hop_length=8, f_min=200.0, n_bins=36)
        >>> sound = torch.sin(2 * torch.pi * 700 * torch.arange(8000) / 8000)
        >>> back = InverseVQT(**settings)(VQT(**settings)(sound), length=8000)
        >>> bool((back - sound)[1000:7000].abs().max() < 1e-3)
        True

    Reference: Velasco, Holighaus, Dörfler & Grill, Constructing an invertible constant-Q transform
    with nonstationary Gabor frames, DAFx 2011; Gröchenig, Acceleration of the frame algorithm, IEEE
    Trans. Signal Processing 41(12), 1993.
    """

    power: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        hop_length: int = 512,
        f_min: float = C1_HZ,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        *,
        gamma: float | None = None,
        frequencies: Sequence[float] | Tensor | None = None,
        tuning: float = 0.0,
        filter_scale: float = 1.0,
        norm: float | None = 1.0,
        window: str | tuple[str, float] = "hann",
        scale: bool = True,
        n_iter: int = 16,
    ) -> None:
        super().__init__()
        if not isinstance(n_iter, int) or n_iter < 0:
            raise ValueError(f"`n_iter` (={n_iter!r}) must be an integer of at least 0. Pass 16.")
        self.transform = VQT(
            sample_rate,
            hop_length,
            f_min,
            n_bins,
            bins_per_octave,
            gamma=gamma,
            frequencies=frequencies,
            tuning=tuning,
            filter_scale=filter_scale,
            norm=norm,
            window=window,
            scale=scale,
        )
        centres = bin_frequencies(f_min, n_bins, bins_per_octave, frequencies, tuning)
        response = constant_q_response(
            centres.tolist(),
            sample_rate=sample_rate,
            hop_length=hop_length,
            bins_per_octave=None if frequencies is not None else bins_per_octave,
            gamma=gamma,
            filter_scale=filter_scale,
            norm=norm,
            window=window,
            scale=scale,
        )
        self.hop_length, self.n_iter = hop_length, n_iter
        self.largest_hop, self.covered = response.largest_hop, response.covered
        self._constant("power", response.power)
        _warn_of_losses(response, hop_length)

    @full_precision
    def forward(
        self, spectrum: Complex[Tensor, "*batch bins frames"], length: int | None = None
    ) -> Float[Tensor, "*batch time"]:
        """Signal of ``length`` samples; ``(frames - 1) hop_length``, at least 1, if not given."""
        require_finite("spectrum", spectrum)
        bins = self.transform.n_bins
        if spectrum.ndim < 2 or spectrum.shape[-2] != bins or spectrum.shape[-1] == 0:
            raise ValueError(
                f"`spectrum` (shape {tuple(spectrum.shape)}) must be (*batch, {bins}, frames) with "
                "at least one frame. Check n_bins and the axes."
            )
        if length is None:
            length = max(1, (spectrum.shape[-1] - 1) * self.hop_length)
        return constant_q_inverse(
            spectrum, self.transform.kernels, self.power, length, n_iter=self.n_iter
        )


class InverseCQT(InverseVQT):
    """The signal, on the band the filters cover, whose `CQT` is nearest: `InverseVQT`, gamma 0.

    Arguments, attributes, shape and errors are those of `InverseVQT`, without gamma.

    Example:
        >>> import torch
        >>> from passband.signal import CQT
        >>> settings = dict(sample_rate=8000, hop_length=16, f_min=110.0, n_bins=36)
        >>> sound = torch.sin(2 * torch.pi * 440 * torch.arange(8000) / 8000)
        >>> inverse = InverseCQT(**settings)
        >>> back = inverse(CQT(**settings)(sound), length=8000)
        >>> bool((back - sound)[2000:6000].abs().max() < 1e-3), inverse.largest_hop
        (True, 61)

    Reference: Velasco et al., DAFx 2011; Gröchenig, IEEE Trans. Signal Processing 41(12), 1993.
    """

    def __init__(
        self,
        sample_rate: float = 22050,
        hop_length: int = 512,
        f_min: float = C1_HZ,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        *,
        frequencies: Sequence[float] | Tensor | None = None,
        tuning: float = 0.0,
        filter_scale: float = 1.0,
        norm: float | None = 1.0,
        window: str | tuple[str, float] = "hann",
        scale: bool = True,
        n_iter: int = 16,
    ) -> None:
        super().__init__(
            sample_rate,
            hop_length,
            f_min,
            n_bins,
            bins_per_octave,
            gamma=0.0,
            frequencies=frequencies,
            tuning=tuning,
            filter_scale=filter_scale,
            norm=norm,
            window=window,
            scale=scale,
            n_iter=n_iter,
        )


def _warn_of_losses(response: ConstantQResponse, hop_length: int) -> None:
    """Say what the inverse will not give back, once, when it is built."""
    if response.undersampled is not None:
        warnings.warn(
            f"`hop_length` (={hop_length}) is above the {response.largest_hop} samples at which "
            f"all filters can be inverted: from {response.undersampled:.1f} Hz upward the inverse "
            "is the least-squares one and loses part of the signal. Pass both a shorter hop.",
            stacklevel=4,
        )
    gaps = [
        (here[1], after[0])
        for here, after in zip(response.covered, response.covered[1:], strict=False)
    ]
    if gaps:
        lost = ", ".join(f"{low:.1f} to {high:.1f} Hz" for low, high in gaps)
        warnings.warn(
            f"`frequencies` leave gaps between their filters that cannot be given back: {lost}. "
            "Add frequencies there, or lower filter_scale.",
            stacklevel=4,
        )
