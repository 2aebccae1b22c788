"""Multitaper spectra as modules."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._multitaper import (
    TaperWeighting,
    adaptive_multitaper_spectrum,
    dpss,
    multitaper_spectrogram,
    multitaper_spectrum,
    taper_weights,
)
from passband.frequency._sample_rate import require_sample_rate
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_between, require_choice, require_positive
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import Transform, full_precision, require_finite


class Multitaper(Transform):
    """Multitaper power density of whole signals of one length: `multitaper_spectrum`.

    Args:
        length: samples of the signals, at least 2.
        sample_rate: samples per second, above 0.
        bandwidth: time half bandwidth NW of the tapers: the spectrum is smoothed over
            ``+- bandwidth sample_rate / length`` Hz.
        n_tapers: how many tapers; ``2 bandwidth - 1`` if not given.
        weighting: weights of the tapers, ``unity`` or ``eigenvalues`` (their concentrations).
        n_fft: transform length, at least ``length``; ``length`` if not given.

    Raises:
        ValueError: for settings out of range.

    Example:
        >>> Multitaper(1000, sample_rate=200)(torch.randn(3, 1000)).shape
        torch.Size([3, 501])

    Agrees with the mean of ``scipy.signal.periodogram`` over the tapers to 1e-12 in float64.
    Reference: Thomson, Spectrum estimation and harmonic analysis, Proc. IEEE 70(9), 1982.
    """

    tapers: Tensor
    weights: Tensor

    def __init__(
        self,
        length: int,
        sample_rate: float = 1.0,
        bandwidth: float = 4.0,
        n_tapers: int | None = None,
        weighting: TaperWeighting = "unity",
        n_fft: int | None = None,
    ) -> None:
        super().__init__()
        _require(sample_rate, length, n_fft)
        self.sample_rate, self.n_fft = sample_rate, n_fft
        tapers, concentrations = dpss(length, bandwidth, n_tapers)
        self._constant("tapers", tapers)
        self._constant("weights", taper_weights(concentrations, weighting))

    @full_precision
    def forward(self, waveform: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch freq"]:
        """Density in squared units per Hz; `ValueError` for NaN or another length."""
        require_finite("waveform", waveform)
        return multitaper_spectrum(
            waveform,
            sample_rate=self.sample_rate,
            tapers=self.tapers,
            weights=self.weights,
            n_fft=self.n_fft,
        )


class AdaptiveMultitaper(Transform):
    """Multitaper power density with Thomson's weights: `adaptive_multitaper_spectrum`.

    Args:
        length: samples of the signals, at least 2.
        sample_rate: samples per second, above 0.
        bandwidth: time half bandwidth NW of the tapers.
        n_tapers: how many tapers; ``2 bandwidth - 1`` if not given.
        n_fft: transform length, at least ``length``; ``length`` if not given.
        n_iter: repetitions, at least 1.

    Raises:
        ValueError: for settings out of range.

    Example:
        >>> AdaptiveMultitaper(1000, sample_rate=200)(torch.randn(3, 1000)).shape
        torch.Size([3, 501])

    Agrees with a plain loop over the frequencies to 1e-12 in float64.
    Reference: Thomson 1982, section V.
    """

    tapers: Tensor
    concentrations: Tensor

    def __init__(
        self,
        length: int,
        sample_rate: float = 1.0,
        bandwidth: float = 4.0,
        n_tapers: int | None = None,
        n_fft: int | None = None,
        n_iter: int = 16,
    ) -> None:
        super().__init__()
        _require(sample_rate, length, n_fft)
        require_between("n_iter", n_iter, 1, torch.inf, "Pass e.g. 16.")
        self.sample_rate, self.n_fft, self.n_iter = sample_rate, n_fft, n_iter
        tapers, concentrations = dpss(length, bandwidth, n_tapers)
        self._constant("tapers", tapers)
        self._constant("concentrations", concentrations)

    @full_precision
    def forward(self, waveform: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch freq"]:
        """Density in squared units per Hz; `ValueError` for NaN or another length."""
        require_finite("waveform", waveform)
        return adaptive_multitaper_spectrum(
            waveform,
            sample_rate=self.sample_rate,
            tapers=self.tapers,
            concentrations=self.concentrations,
            n_fft=self.n_fft,
            n_iter=self.n_iter,
        )


class MultitaperSpectrogram(FrameTransform):
    """Multitaper power density of every frame: `multitaper_spectrogram`.

    Args:
        sample_rate: samples per second, above 0.
        n_fft: transform length, in samples.
        hop_length: samples from one frame to the next; ``win_length // 4`` if not given.
        win_length: samples of a frame, at most ``n_fft``; ``n_fft`` if not given.
        bandwidth: time half bandwidth NW of the tapers: every frame's spectrum is smoothed over
            ``+- bandwidth sample_rate / win_length`` Hz.
        n_tapers: how many tapers; ``2 bandwidth - 1`` if not given.
        weighting: weights of the tapers, ``unity`` or ``eigenvalues``.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``.
        trainable: make the tapers a parameter.

    Raises:
        ValueError: for lengths that do not fit together or settings out of range.

    Example:
        >>> MultitaperSpectrogram(sample_rate=8000, n_fft=256)(torch.randn(2, 4000)).shape
        torch.Size([2, 129, 63])

    Agrees with the mean of ``scipy.signal.spectrogram`` over the tapers to 1e-12 in float64.
    Reference: Thomson, Spectrum estimation and harmonic analysis, Proc. IEEE 70(9), 1982.
    """

    tapers: Tensor
    weights: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        n_fft: int = 2048,
        hop_length: int | None = None,
        win_length: int | None = None,
        bandwidth: float = 4.0,
        n_tapers: int | None = None,
        weighting: TaperWeighting = "unity",
        *,
        center: bool = True,
        pad_mode: PadMode = "reflect",
        trainable: bool = False,
    ) -> None:
        super().__init__()
        length = n_fft if win_length is None else win_length
        require_positive("n_fft", n_fft, "Pass e.g. 2048.")
        _require(sample_rate, length, n_fft)
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        hop_length = max(1, length // 4) if hop_length is None else hop_length
        require_positive("hop_length", hop_length, "Pass e.g. win_length // 4.")
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.center, self.pad_mode = center, pad_mode
        tapers, concentrations = dpss(length, bandwidth, n_tapers)
        self._constant("tapers", tapers, trainable=trainable)
        self._constant("weights", taper_weights(concentrations, weighting))

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch freq frames"]:
        """Density in squared units per Hz of every frame; `ValueError` for NaN."""
        require_finite("waveform", waveform)
        return multitaper_spectrogram(
            waveform,
            sample_rate=self.sample_rate,
            tapers=self.tapers,
            weights=self.weights,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            center=self.center,
            pad_mode=self.pad_mode,
        )

    def support(self) -> Support:
        """The samples under a frame."""
        left = self.n_fft // 2 if self.center else 0
        return Support(left, self.n_fft - left, self.hop_length)


def _require(sample_rate: float, length: int, n_fft: int | None) -> None:
    require_sample_rate(sample_rate)
    require_positive("win_length", length, "Pass the samples of a frame, e.g. 1024.")
    if n_fft is not None and length > n_fft:
        raise ValueError(
            f"`win_length` (={length}) must be at most `n_fft` (={n_fft}). Raise n_fft."
        )
