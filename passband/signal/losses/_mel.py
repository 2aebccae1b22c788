"""Logarithmic mel spectrograms, at one resolution or at many."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from passband.frequency import filtered_spectrogram, melscale_fbanks
from passband.frequency import window as named_window
from passband.frequency._block_spectrum import filter_ranges
from passband.frequency._mel import MelVariant
from passband.frequency._spectral_distance import log_magnitude_distance
from passband.frequency._validate import require_positive
from passband.signal._transform import Transform
from passband.signal.losses._signal_loss import LossReduction, SignalLoss

_LN_10 = 2.302585092994046


class LogMelLoss(SignalLoss):
    """Mean ``|ln max(P, eps) - ln max(T, eps)|`` of mel spectrograms P and T of the magnitude.

    Args:
        sample_rate: in Hz.
        n_fft: frame length, in samples.
        hop_length: samples from one frame to the next.
        n_mels: number of mel bands.
        f_min: lowest frequency, in Hz.
        f_max: highest frequency, in Hz; half the sampling rate if not given.
        norm: ``slaney`` scales each band to an area of 1; None leaves its peak at 1.
        mel_scale: ``htk`` or ``slaney``.
        eps: smallest value told apart, above 0.
        reduction: ``mean`` over all items, or ``none``.

    Raises:
        ValueError: for frequencies out of range, bands without a bin or counts below 1.

    Example:
        >>> LogMelLoss()(torch.randn(2, 9600), torch.randn(2, 9600)).shape
        torch.Size([])

    Agrees with the L1 distance of Vocos' features to 1e-5 in float32.
    Reference: Siuzdak, Vocos: closing the gap between time-domain and Fourier-based neural
    vocoders, ICLR, 2024, section 3.3; Kong, Kim & Bae, HiFi-GAN, NeurIPS, 2020, eq. 3.
    """

    def __init__(
        self,
        sample_rate: float = 24000,
        n_fft: int = 1024,
        hop_length: int = 256,
        n_mels: int = 100,
        f_min: float = 0.0,
        f_max: float | None = None,
        norm: Literal["slaney"] | None = None,
        mel_scale: MelVariant = "htk",
        *,
        eps: float = 1e-7,
        reduction: LossReduction = "mean",
    ) -> None:
        super().__init__(reduction)
        _require_eps(eps)
        self.eps = eps
        self.mel = _Mel(
            sample_rate, n_fft, hop_length, n_mels, f_min, f_max, norm, mel_scale, empty=False
        )

    def per_item(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Mean over bands and frames, in natural logarithms."""
        return log_magnitude_distance(self.mel(prediction), self.mel(target), eps=self.eps)


class MultiScaleMelLoss(SignalLoss):
    """Sum over window lengths of the mean ``|log10 max(P, eps) - log10 max(T, eps)|`` of mels.

    A window's hop is a quarter of it. Bands narrower than a bin of a short window are all zeros in
    both signals and count as equal, as they do where the loss comes from.

    Args:
        sample_rate: in Hz.
        window_lengths: frame lengths, in samples, at least 4.
        n_mels: number of mel bands of every window.
        f_min: lowest frequency, in Hz.
        f_max: highest frequency, in Hz; half the sampling rate if not given.
        norm: ``slaney`` scales each band to an area of 1; None leaves its peak at 1.
        mel_scale: ``htk`` or ``slaney``.
        eps: smallest value told apart, above 0.
        reduction: ``mean`` over all items, or ``none``.

    Raises:
        ValueError: for lists of different lengths, frequencies out of range or counts below 1; in
            a call, for signals of up to half the longest window.

    Example:
        >>> loss = MultiScaleMelLoss(sample_rate=44100, reduction="none")
        >>> loss(torch.randn(2, 8000), torch.randn(2, 8000)).shape
        torch.Size([2])

    Agrees with the mel loss of the Descript Audio Codec to 1e-5 in float32, and with the formula
    over ``torch.stft`` and ``librosa.filters.mel`` to 1e-10 in float64.
    Reference: Kumar, Seetharaman, Luebs, Kumar & Kumar, High-fidelity audio compression with
    improved RVQGAN, NeurIPS, 2023, section 3.4.
    """

    def __init__(
        self,
        sample_rate: float = 44100,
        window_lengths: Sequence[int] = (32, 64, 128, 256, 512, 1024, 2048),
        n_mels: Sequence[int] = (5, 10, 20, 40, 80, 160, 320),
        f_min: float = 0.0,
        f_max: float | None = None,
        norm: Literal["slaney"] | None = "slaney",
        mel_scale: MelVariant = "slaney",
        *,
        eps: float = 1e-5,
        reduction: LossReduction = "mean",
    ) -> None:
        super().__init__(reduction)
        if len(window_lengths) != len(n_mels) or not n_mels:
            raise ValueError(
                f"`window_lengths` ({len(window_lengths)}) and `n_mels` ({len(n_mels)}) must be as "
                "many, at least one. Give one of each per scale."
            )
        _require_eps(eps)
        self.eps = eps
        self.scales = torch.nn.ModuleList(
            _Mel(sample_rate, length, length // 4, count, f_min, f_max, norm, mel_scale, empty=True)
            for length, count in zip(window_lengths, n_mels, strict=True)
        )

    def per_item(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Sum over the scales, in decades."""
        total = prediction.new_zeros(())
        for mel in self.scales:
            total = total + log_magnitude_distance(mel(prediction), mel(target), eps=self.eps)
        return total / _LN_10


class _Mel(Transform):
    """Mel spectrogram of the magnitude, centred, with a Hann window."""

    filters: Tensor
    window: Tensor

    def __init__(
        self,
        sample_rate: float,
        n_fft: int,
        hop_length: int,
        n_mels: int,
        f_min: float,
        f_max: float | None,
        norm: Literal["slaney"] | None,
        mel_scale: MelVariant,
        *,
        empty: bool,
    ) -> None:
        super().__init__()
        require_positive("n_fft", n_fft, "Pass the samples of a frame, e.g. 1024.")
        require_positive("hop_length", hop_length, "Pass e.g. n_fft // 4.")
        high = sample_rate / 2 if f_max is None else f_max
        filters = melscale_fbanks(
            n_fft // 2 + 1, f_min, high, n_mels, sample_rate, norm, mel_scale, allow_empty=empty
        )
        self.n_fft, self.hop_length = n_fft, hop_length
        self.ranges = filter_ranges(filters)
        self._constant("filters", filters)
        self._constant("window", named_window("hann", n_fft, dtype=torch.float64))

    def forward(self, waveform: Tensor) -> Tensor:
        return filtered_spectrogram(
            waveform,
            self.filters,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=self.window,
            power=1.0,
            ranges=self.ranges,
        )


def _require_eps(eps: float) -> None:
    if not eps > 0:
        raise ValueError(f"`eps` (={eps}) must be above 0. Pass e.g. 1e-5.")
