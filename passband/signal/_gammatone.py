"""Gammatonegram: the power in the bands of the ear's filters over time, as a module."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import (
    filter_ranges,
    filtered_spectrogram,
    gammatone_fbanks,
    gammatone_frequencies,
)
from passband.frequency._spectrogram import require_frames
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_choice
from passband.signal._analysis_window import WindowFn, analysis_window
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import full_precision, require_finite


class Gammatonegram(FrameTransform):
    """Mean power of each gammatone band in each frame, ``sum_f |G[f, c]|^2 |X[f, k]|^2 / norm``.

    The norm, ``n_fft sum_n w[n]^2`` with both halves of the spectrum counted, makes the value the
    mean square of the filtered signal under the window.

    Args:
        sample_rate: in Hz.
        n_fft: frame length, in samples.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        hop_length: samples from one frame to the next.
        n_filters: number of filters, evenly spaced on the scale of auditory filters.
        f_min: centre of the lowest, in Hz, above 0.
        f_max: centre of the highest, in Hz, below half the sampling rate; 0.9 of that if not given.
        order: of the filters, 1 to 24.
        window_fn: the window, as a function of its length such as ``torch.hann_window``, or a name
            or pair as `passband.frequency.window` takes it.
        wkwargs: further arguments of ``window_fn``.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``: ``reflect``, ``constant`` (zeros),
            ``replicate`` or ``circular``.
        trainable: make the filters parameters.

    Attributes:
        frequencies: the centres, in Hz, float64.

    Raises:
        ValueError: for centres beyond half the sampling rate, or lengths that do not fit together.

    Example:
        >>> transform = Gammatonegram(16000, n_fft=512, hop_length=160, n_filters=32)
        >>> transform(torch.ones(2, 8000)).shape
        torch.Size([2, 32, 51])

    Agrees with the mean square of ``scipy.signal.gammatone`` filtered noise to 3 % where frames
    are longer than the filters ring and bands lie well below half the sampling rate.
    Reference: Patterson et al., An efficient auditory filterbank based on the gammatone function,
    APU report 2341, 1987; Ellis, Gammatone-like spectrograms, LabROSA, Columbia University, 2009.
    """

    window: Tensor
    filters: Tensor
    frequencies: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        n_fft: int = 2048,
        win_length: int | None = None,
        hop_length: int = 512,
        n_filters: int = 64,
        f_min: float = 50.0,
        f_max: float | None = None,
        order: int = 4,
        window_fn: WindowFn = torch.hann_window,
        wkwargs: Mapping[str, Any] | None = None,
        center: bool = True,
        pad_mode: PadMode = "reflect",
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.sample_rate, self.n_fft = sample_rate, n_fft
        self.win_length, self.hop_length = require_frames(n_fft, win_length, hop_length)
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        self.center, self.pad_mode = center, pad_mode
        f_max = 0.45 * sample_rate if f_max is None else f_max
        if not f_max < sample_rate / 2:
            raise ValueError(
                f"`f_max` (={f_max:g} Hz) must be below the Nyquist frequency {sample_rate / 2:g} "
                f"Hz of `sample_rate` (={sample_rate:g} Hz). Lower `f_max`, or resample the signal."
            )
        centres = gammatone_frequencies(n_filters, f_min, f_max)
        window = analysis_window(window_fn, self.win_length, wkwargs).double()
        both = torch.full((n_fft // 2 + 1, 1), 2.0, dtype=torch.float64)
        both[0] = 1
        if n_fft % 2 == 0:
            both[-1] = 1
        bank = gammatone_fbanks(n_fft, centres, sample_rate, order)
        bank = bank * both / (n_fft * window.square().sum())
        self._constant("window", window)
        self._constant("frequencies", centres)
        self._constant("filters", bank, trainable=trainable)
        self._ranges = None if trainable else filter_ranges(bank)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch filters frames"]:
        """Band powers of ``waveform``; `ValueError` for NaN or a signal too short to pad."""
        require_finite("waveform", waveform)
        return filtered_spectrogram(
            waveform,
            self.filters,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=self.window,
            center=self.center,
            pad_mode=self.pad_mode,
            ranges=self._ranges,
        )

    def support(self) -> Support:
        """The samples under a frame; reflection stands only beyond the ends."""
        left = self.n_fft // 2 if self.center else 0
        return Support(left, max(1, self.n_fft - left), self.hop_length)
