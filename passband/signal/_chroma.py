"""Chromagram: the energy of each pitch class over time, as a module."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import chroma_fbanks, filter_ranges, filtered_spectrogram
from passband.frequency._chroma import normalised
from passband.frequency._spectrogram import require_frames
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_choice
from passband.signal._analysis_window import WindowFn, analysis_window
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import full_precision, require_finite


class Chroma(FrameTransform):
    """Chromagram ``sum_f H[f, c] |X[f, k]| ** 2``, each frame scaled to a norm of 1.

    Args:
        sample_rate: in Hz.
        n_fft: frame length, in samples, at least 2.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        hop_length: samples from one frame to the next.
        n_chroma: pitch classes in an octave.
        tuning: deviation from A = 440 Hz, in pitch classes. It is not estimated.
        norm: order of the norm of a frame, above 0, infinity for its largest value; None leaves
            frames as they are. Silent frames stay zero.
        ctroct: as in `chroma_fbanks`.
        octwidth: as in `chroma_fbanks`.
        base_c: as in `chroma_fbanks`.
        window_fn: the window, as a function of its length such as ``torch.hann_window``, or a name
            or pair as `passband.frequency.window` takes it.
        wkwargs: further arguments of ``window_fn``.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``; librosa's zeros by default.
        trainable: make the window and the filters parameters.

    Raises:
        ValueError: for settings out of range or lengths that do not fit together.

    Example:
        >>> tone = torch.sin(2 * torch.pi * 440 * torch.arange(22050) / 22050)
        >>> int(Chroma(22050)(tone)[:, 20].argmax())  # A
        9

    Agrees with ``librosa.feature.chroma_stft`` given a tuning, to 1e-10 in float64 and 1e-4 in
    float32 (its filters are made in float32).
    Reference: Ellis, Chroma feature analysis and synthesis, LabROSA, Columbia University, 2007.
    """

    window: Tensor
    filters: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        n_fft: int = 2048,
        win_length: int | None = None,
        hop_length: int = 512,
        n_chroma: int = 12,
        tuning: float = 0.0,
        norm: float | None = math.inf,
        ctroct: float = 5.0,
        octwidth: float | None = 2.0,
        base_c: bool = True,
        window_fn: WindowFn = torch.hann_window,
        wkwargs: Mapping[str, Any] | None = None,
        center: bool = True,
        pad_mode: PadMode = "constant",
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.sample_rate, self.n_fft = sample_rate, n_fft
        self.win_length, self.hop_length = require_frames(n_fft, win_length, hop_length)
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        if norm is not None and not norm > 0:
            raise ValueError(f"`norm` (={norm:g}) must be above 0, or None. Pass e.g. math.inf.")
        self.norm, self.center, self.pad_mode = norm, center, pad_mode
        window = analysis_window(window_fn, self.win_length, wkwargs)
        bank = chroma_fbanks(sample_rate, n_fft, n_chroma, tuning, ctroct, octwidth, base_c=base_c)
        self._constant("window", window, trainable=trainable)
        self._constant("filters", bank, trainable=trainable)
        self._ranges = None if trainable else filter_ranges(bank)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch n_chroma frames"]:
        """Chromagram of ``waveform``; `ValueError` for NaN or a signal too short to pad."""
        require_finite("waveform", waveform)
        chroma = filtered_spectrogram(
            waveform,
            self.filters,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=self.window,
            center=self.center,
            pad_mode=self.pad_mode,
            ranges=self._ranges,
        )
        return chroma if self.norm is None else normalised(chroma, self.norm, dim=-2)

    def support(self) -> Support:
        """The samples under a frame; reflection stands only beyond the ends."""
        left = self.n_fft // 2 if self.center else 0
        return Support(left, max(1, self.n_fft - left), self.hop_length)
