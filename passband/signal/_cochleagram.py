"""Cochleagram as a module."""

from jaxtyping import Float
from torch import Tensor

from passband.frequency import cochleagram, envelope_filter, erb_frequencies
from passband.frequency._cochleagram import require_cochleagram
from passband.signal._transform import Transform, full_precision, require_finite


class Cochleagram(Transform):
    """Cochleagram: Hilbert envelopes of auditory filters, slowed down and compressed.

    Made of the whole signal at once, as `passband.frequency.cochleagram` describes.

    Args:
        sample_rate: in Hz; a multiple of ``envelope_rate``.
        n_filters: filters it takes to span the range at an overlap of a half.
        f_min: lower end of the range, in Hz, at least 0.
        f_max: its upper end, in Hz, at most half the sampling rate.
        sample_factor: how many times more filters there are than that. With ``n_filters`` of 50 and
            4 there are 211 channels.
        envelope_rate: frames per second.
        numtaps: taps of the low-pass filter for the envelopes, odd.
        beta: of its Kaiser window, at least 0.
        power: exponent of the compression, above 0.
        offset: added to the envelopes, at least 0.
        clip: the largest slope of the compression that gradients see, above 0.
        pad_factor: length to which the signal is filled with zeros, in its own lengths.
        center: frame k is centred on sample ``k sample_rate / envelope_rate``; else frames begin at
            the first sample, and are whole ones only.

    Attributes:
        frequencies: centres of the channels, in Hz, float64.

    Raises:
        ValueError: for settings out of range.

    Example:
        >>> import torch
        >>> Cochleagram()(torch.randn(2, 4000)).shape
        torch.Size([2, 211, 40])

    Agrees with a loop over chcochleagram's recipe to 1e-10 in float64.
    Reference: McDermott & Simoncelli, Sound texture perception via statistics of the auditory
    periphery, Neuron 71(5), 2011, methods; Feather et al., Nature Neuroscience 26, 2023, methods.
    """

    frequencies: Tensor
    envelope_taps: Tensor

    def __init__(
        self,
        sample_rate: int = 20000,
        n_filters: int = 50,
        f_min: float = 50.0,
        f_max: float = 10000.0,
        sample_factor: int = 4,
        envelope_rate: int = 200,
        numtaps: int = 1001,
        beta: float = 5.0,
        power: float = 0.3,
        offset: float = 1e-8,
        clip: float = 5.0,
        pad_factor: float = 1.0,
        center: bool = True,
    ) -> None:
        super().__init__()
        require_cochleagram(sample_rate, f_max, envelope_rate, power, offset, clip, pad_factor)
        self.sample_rate, self.envelope_rate = sample_rate, envelope_rate
        self.n_filters, self.sample_factor = n_filters, sample_factor
        self.f_min, self.f_max = f_min, f_max
        self.power, self.offset, self.clip = power, offset, clip
        self.pad_factor, self.center = pad_factor, center
        taps = envelope_filter(sample_rate // envelope_rate, numtaps, beta)
        self._constant("envelope_taps", taps)
        centres = erb_frequencies(n_filters, f_min, f_max, sample_factor)
        self._constant("frequencies", centres)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch channels frames"]:
        """Cochleagram of ``waveform``; `ValueError` for NaN or no samples."""
        require_finite("waveform", waveform)
        return cochleagram(
            waveform,
            sample_rate=self.sample_rate,
            n_filters=self.n_filters,
            f_min=self.f_min,
            f_max=self.f_max,
            sample_factor=self.sample_factor,
            envelope_rate=self.envelope_rate,
            power=self.power,
            offset=self.offset,
            clip=self.clip,
            pad_factor=self.pad_factor,
            center=self.center,
            envelope_taps=self.envelope_taps,
        )
