"""Harmonic-percussive separation of a waveform, as a module."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import hpss, istft, nola_satisfied, stft
from passband.frequency._hpss import Pair, kernel_pair, margin_pair
from passband.frequency._spectrogram import require_frames
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_choice
from passband.signal._analysis_window import WindowFn, analysis_window
from passband.signal._transform import Transform, full_precision, require_finite


class HarmonicPercussive(Transform):
    """Splits a waveform into what lasts and what strikes: STFT, `passband.frequency.hpss`, inverse.

    Args:
        n_fft: frame length, in samples.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        hop_length: samples from one frame to the next; ``win_length // 4`` if not given.
        kernel_size: frames (harmonic) and bins (percussive) of the medians; one number for both.
        power: exponent of the masks, above 0; 2 for Wiener's filter, infinity for hard masks.
        margin: factors, at least 1, by which a part must exceed the other; one number for both.
            Above 1 the parts no longer add up to the signal: what is left is neither.
        window_fn: the window, as a function of its length such as ``torch.hann_window``, or a name
            or pair as `passband.frequency.window` takes it.
        wkwargs: further arguments of ``window_fn``.
        pad_mode: what stands beyond the ends; librosa's zeros by default.

    Raises:
        ValueError: for settings out of range, or a window and hop that have no inverse.

    Example:
        >>> transform = HarmonicPercussive(n_fft=256)
        >>> sound = torch.randn(2, 4000)
        >>> harmonic, percussive = transform(sound)
        >>> torch.allclose(harmonic + percussive, sound, atol=1e-5)
        True

    Agrees with ``librosa.effects.hpss`` to 1e-10 in float64 and 1e-4 in float32.
    Reference: FitzGerald, Harmonic/percussive separation using median filtering, DAFx 2010;
    Driedger, Mueller & Disch, Extending harmonic-percussive separation of audio, ISMIR 2014.
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 2048,
        win_length: int | None = None,
        hop_length: int | None = None,
        kernel_size: int | tuple[int, int] = 31,
        power: float = 2.0,
        margin: float | Pair = 1.0,
        window_fn: WindowFn = torch.hann_window,
        wkwargs: Mapping[str, Any] | None = None,
        pad_mode: PadMode = "constant",
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        if hop_length is None:
            hop_length = max(1, (win_length or n_fft) // 4)
        self.win_length, self.hop_length = require_frames(n_fft, win_length, hop_length)
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        self.kernel_size, self.margin = kernel_pair(kernel_size), margin_pair(margin)
        if not power > 0:
            raise ValueError(f"`power` (={power:g}) must be above 0. Pass 2 for Wiener's filter.")
        self.power, self.pad_mode = power, pad_mode
        window = analysis_window(window_fn, self.win_length, wkwargs)
        if not nola_satisfied(window, self.hop_length):
            raise ValueError(
                f"`hop_length` (={self.hop_length}) must be small enough for the window of "
                f"{self.win_length} samples to reach every sample (NOLA). Pass "
                f"{max(1, self.win_length // 4)}."
            )
        self._constant("window", window)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> tuple[Float[Tensor, "*batch time"], Float[Tensor, "*batch time"]]:
        """The harmonic and the percussive waveform, both as long as ``waveform``."""
        require_finite("waveform", waveform)
        settings: dict[str, Any] = {
            "n_fft": self.n_fft,
            "hop_length": self.hop_length,
            "window": self.window,
        }
        parts = hpss(
            stft(waveform, pad_mode=self.pad_mode, **settings),
            kernel_size=self.kernel_size,
            power=self.power,
            margin=self.margin,
        )
        length = waveform.shape[-1]
        harmonic, percussive = (istft(part, length=length, **settings) for part in parts)
        return harmonic, percussive
