"""Spectrogram on linearly or logarithmically spaced bins, as a module."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency import bin_frequencies, magnitude, nonuniform_plan, nonuniform_stft
from passband.frequency._groups import by_items
from passband.frequency._log_frequency import FreqScale
from passband.frequency._spectrogram import require_frames, require_power
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_choice
from passband.signal._analysis_window import WindowFn, analysis_window
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import full_precision, require_finite


class LogFrequencySpectrogram(FrameTransform):
    """Spectrogram ``|sum_n w[n] x[k hop + n] exp(-2 pi i f_b n / sample_rate)| ** power``.

    The bins ``f_b`` stand where `bin_frequencies` puts them, as in transcription, and not on the
    points of an FFT; each is the Fourier sum at its own frequency, not an interpolation of others.

    Args:
        sample_rate: in Hz.
        n_fft: frame length, in samples.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        hop_length: samples from one frame to the next.
        f_min: first bin, in Hz: at least 0 if linear, else above 0.
        f_max: end of the range, in Hz, above ``f_min`` and at most half the sampling rate; the last
            bin lies one step below it.
        n_bins: number of bins.
        freq_scale: ``linear``, or ``log`` (``log2`` gives the same bins).
        window_fn: the window, as a function of its length such as ``torch.hann_window``, or a name
            or pair as `passband.frequency.window` takes it.
        power: exponent, above 0: 1 for magnitude, 2 for power; None for the complex spectrum.
        wkwargs: further arguments of ``window_fn``.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``: ``reflect``, ``constant`` (zeros),
            ``replicate`` or ``circular``.
        trainable: make the window a parameter.

    Attributes:
        frequencies: the bins, in Hz, float64.

    Raises:
        ValueError: for bins beyond half the sampling rate, or lengths that do not fit together.

    Example:
        >>> transform = LogFrequencySpectrogram(22050, n_fft=1024, hop_length=256, n_bins=48)
        >>> transform(torch.ones(2, 4096)).shape
        torch.Size([2, 48, 17])

    Agrees with ``nnAudio.features.STFT(freq_scale=...)`` to 1e-4 of the largest value (it is made
    in float32), and with the Fourier sum to 1e-5 of a frame's norm in float32, 1e-8 in float64.
    Reference: Cheuk, Agres & Herremans, The impact of audio input representations on neural network
    based music transcription, IJCNN 2020, section III.
    """

    window: Tensor
    frequencies: Tensor
    correction: Tensor
    weights: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        n_fft: int = 4096,
        win_length: int | None = None,
        hop_length: int = 512,
        f_min: float = 50.0,
        f_max: float = 6000.0,
        n_bins: int = 512,
        freq_scale: FreqScale = "log",
        window_fn: WindowFn = torch.hann_window,
        power: float | None = 2.0,
        wkwargs: Mapping[str, Any] | None = None,
        center: bool = True,
        pad_mode: PadMode = "reflect",
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.sample_rate, self.n_fft = sample_rate, n_fft
        self.win_length, self.hop_length = require_frames(n_fft, win_length, hop_length)
        require_power(power)
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        self.power, self.center, self.pad_mode = power, center, pad_mode
        window = analysis_window(window_fn, self.win_length, wkwargs)
        self._constant("window", window, trainable=trainable)
        hertz = bin_frequencies(sample_rate, f_min, f_max, n_bins, freq_scale)
        self._constant("frequencies", hertz)
        self._plan = nonuniform_plan(hertz / sample_rate, n_fft)
        self._constant("correction", self._plan.correction)
        self._constant("weights", self._plan.weights)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch bins frames"] | Complex[Tensor, "*batch bins frames"]:
        """Spectrogram of ``waveform``; `ValueError` for NaN or a signal too short to pad."""
        require_finite("waveform", waveform)
        return by_items(self._spectrogram, waveform)

    def _spectrogram(self, waveform: Tensor) -> Tensor:
        spectrum = nonuniform_stft(
            waveform,
            self._plan._replace(correction=self.correction, weights=self.weights),
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=self.window,
            padding="center" if self.center else "valid",
            pad_mode=self.pad_mode,
        )
        return spectrum if self.power is None else magnitude(spectrum, power=self.power)

    def support(self) -> Support:
        """The samples under a frame; reflection stands only beyond the ends."""
        left = self.n_fft // 2 if self.center else 0
        return Support(left, max(1, self.n_fft - left), self.hop_length)
