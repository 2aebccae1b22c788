"""Cepstrum of short frames, as a module."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import stft
from passband.frequency._cepstrum import log_cepstrum, require_floor
from passband.frequency._groups import by_items
from passband.frequency._spectrogram import require_frames
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_choice
from passband.signal._analysis_window import WindowFn, analysis_window
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import full_precision, require_finite


class Cepstrum(FrameTransform):
    """Real cepstrum ``IDFT(log |X[f, k]|)`` of every frame of the short-time Fourier transform.

    Voiced speech and tones with many harmonics peak at their period, in samples.

    Args:
        n_fft: frame length and transform length, in samples.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        hop_length: samples from one frame to the next; ``win_length // 2`` if not given.
        floor: smallest magnitude that counts, above 0, in the unit of the spectrum.
        window_fn: the window, as a function of its length such as ``torch.hann_window``, or a name
            or pair as `passband.frequency.window` takes it.
        wkwargs: further arguments of ``window_fn``.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``: ``reflect``, ``constant`` (zeros),
            ``replicate`` or ``circular``.
        trainable: make the window a parameter.

    Raises:
        ValueError: for lengths that do not fit together, or a floor that is not positive.

    Example:
        >>> pulses = torch.zeros(4000)
        >>> pulses[::100] = 1
        >>> cepstrum = Cepstrum(n_fft=1024, hop_length=256)(pulses)
        >>> cepstrum.shape, int(cepstrum[20:, 8].argmax()) + 20
        (torch.Size([513, 16]), 100)

    Agrees with the same formula on ``librosa.stft`` to 1e-10 in float64.
    Reference: Noll, Cepstrum pitch determination, J. Acoust. Soc. Am. 41(2), 1967.
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 1024,
        win_length: int | None = None,
        hop_length: int | None = None,
        floor: float = 1e-10,
        window_fn: WindowFn = torch.hann_window,
        wkwargs: Mapping[str, Any] | None = None,
        center: bool = True,
        pad_mode: PadMode = "reflect",
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.win_length, self.hop_length = require_frames(n_fft, win_length, hop_length)
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        require_floor(floor)
        self.floor, self.center, self.pad_mode = floor, center, pad_mode
        window = analysis_window(window_fn, self.win_length, wkwargs)
        self._constant("window", window, trainable=trainable)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch quefrency frames"]:
        """Cepstra ``(*batch, n_fft // 2 + 1, frames)``, the half that the other mirrors."""
        require_finite("waveform", waveform)
        return by_items(self._cepstra, waveform)

    def _cepstra(self, waveform: Tensor) -> Tensor:
        spectrum = stft(
            waveform,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=self.window,
            padding="center" if self.center else "valid",
            pad_mode=self.pad_mode,
        )
        cepstra = log_cepstrum(spectrum.mT, self.n_fft, self.floor)
        return cepstra[..., : self.n_fft // 2 + 1].mT

    def support(self) -> Support:
        """The samples under a frame; reflection stands only beyond the ends."""
        left = self.n_fft // 2 if self.center else 0
        return Support(left, max(1, self.n_fft - left), self.hop_length)
