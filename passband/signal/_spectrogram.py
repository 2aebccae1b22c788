"""The short-time spectrum of a signal as a module."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency import filtered_spectrogram, spectrogram
from passband.frequency._block_spectrum import Ranges
from passband.frequency._spectrogram import (
    Normalization,
    normalization,
    require_frames,
    require_pad,
    require_power,
    require_real_power,
)
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_choice
from passband.signal._analysis_window import WindowFn, analysis_window
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import full_precision, require_finite

PAD_MODES = ("reflect", "constant", "replicate", "circular")


class Spectrogram(FrameTransform):
    """Spectrogram ``|X[f, k]| ** power`` of the short-time Fourier transform ``X``.

    Args:
        n_fft: frame length and transform length, in samples.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        hop_length: samples from one frame to the next; ``win_length // 2`` if not given.
        pad: zeros put before and after the signal, at least 0.
        window_fn: the window, as a function of its length such as ``torch.hann_window``, or a name
            or pair as `passband.frequency.window` takes it.
        power: exponent, above 0: 1 for magnitude, 2 for power; None for the complex spectrum.
        normalized: ``window`` (or True) divides by the root of the window's sum of squares,
            ``frame_length`` by the root of ``n_fft``.
        wkwargs: further arguments of ``window_fn``.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``: ``reflect``, ``constant`` (zeros),
            ``replicate`` or ``circular``.
        onesided: bins up to half the sampling rate; else all ``n_fft``.
        trainable: make the window a parameter.

    Raises:
        ValueError: for lengths that do not fit together or settings out of range.

    Example:
        >>> transform = Spectrogram(n_fft=64, hop_length=16, power=1.0)
        >>> transform(torch.ones(2, 160)).shape
        torch.Size([2, 33, 11])

    Agrees with ``torchaudio.transforms.Spectrogram`` to 1e-5 in float32.
    Reference: Allen & Rabiner, A unified approach to short-time Fourier analysis and synthesis,
    Proc. IEEE 65(11), 1977.
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        pad: int = 0,
        window_fn: WindowFn = torch.hann_window,
        power: float | None = 2.0,
        normalized: Normalization = False,
        wkwargs: Mapping[str, Any] | None = None,
        center: bool = True,
        pad_mode: PadMode = "reflect",
        onesided: bool = True,
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.win_length, self.hop_length = require_frames(n_fft, win_length, hop_length)
        require_power(power)
        require_pad(pad)
        normalization(normalized)
        require_choice("pad_mode", pad_mode, PAD_MODES)
        self.pad, self.power, self.normalized = pad, power, normalized
        self.center, self.pad_mode, self.onesided = center, pad_mode, onesided
        window = analysis_window(window_fn, self.win_length, wkwargs)
        self._constant("window", window, trainable=trainable)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch freq frames"] | Complex[Tensor, "*batch freq frames"]:
        """Spectrogram of ``waveform``; `ValueError` for NaN or a signal too short to pad."""
        require_finite("waveform", waveform)
        return spectrogram(
            waveform,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            pad=self.pad,
            window=self.window,
            power=self.power,
            normalized=self.normalized,
            center=self.center,
            pad_mode=self.pad_mode,
            onesided=self.onesided,
        )

    def filtered(
        self, waveform: Float[Tensor, "*batch time"], filters: Tensor, ranges: Ranges | None = None
    ) -> Float[Tensor, "*batch filters frames"]:
        """The spectrogram through ``filters``, as `passband.frequency.filtered_spectrogram`."""
        require_finite("waveform", waveform)
        return filtered_spectrogram(
            waveform,
            filters,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            pad=self.pad,
            window=self.window,
            power=require_real_power(self.power),
            normalized=self.normalized,
            center=self.center,
            pad_mode=self.pad_mode,
            ranges=ranges,
        )

    def support(self) -> Support:
        """The samples under a frame; reflection and padding stand only beyond the ends."""
        left = self.pad + (self.n_fft // 2 if self.center else 0)
        return Support(left, max(1, self.n_fft - left), self.hop_length)
