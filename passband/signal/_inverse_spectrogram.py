"""From complex spectrogram back to the signal, as a module."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency import inverse_spectrogram
from passband.frequency._spectrogram import (
    Normalization,
    normalization,
    require_frames,
    require_pad,
)
from passband.signal._analysis_window import WindowFn, analysis_window
from passband.signal._inverse_stream import InverseStream
from passband.signal._transform import Transform, require_finite


class InverseSpectrogram(Transform):
    """Least-squares inverse of ``Spectrogram(<the same arguments>, power=None)``.

    Args:
        n_fft: as given to `Spectrogram`.
        win_length: as given to `Spectrogram`.
        hop_length: as given to `Spectrogram`.
        pad: as given to `Spectrogram`; the zeros are taken off again where ``length`` is given.
        window_fn: as given to `Spectrogram`.
        normalized: as given to `Spectrogram`.
        wkwargs: as given to `Spectrogram`.
        center: as given to `Spectrogram`.
        pad_mode: not used; `Spectrogram` has it.
        onesided: as given to `Spectrogram`.
        trainable: make the window a parameter.

    Raises:
        ValueError: for lengths that do not fit together or settings out of range.

    Example:
        >>> from passband.signal import Spectrogram
        >>> x = torch.randn(2, 1000, dtype=torch.float64)
        >>> y = InverseSpectrogram(n_fft=64)(Spectrogram(n_fft=64, power=None)(x), length=1000)
        >>> torch.allclose(x, y)
        True

    Agrees with ``torchaudio.transforms.InverseSpectrogram`` to 1e-5 in float32.
    Reference: Griffin & Lim, Signal estimation from modified short-time Fourier transform, IEEE
    Trans. ASSP 32(2), 1984, eq. 6.
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        pad: int = 0,
        window_fn: WindowFn = torch.hann_window,
        normalized: Normalization = False,
        wkwargs: Mapping[str, Any] | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        onesided: bool = True,
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.win_length, self.hop_length = require_frames(n_fft, win_length, hop_length)
        require_pad(pad)
        normalization(normalized)
        self.pad, self.normalized = pad, normalized
        self.center, self.onesided = center, onesided
        window = analysis_window(window_fn, self.win_length, wkwargs)
        self._constant("window", window, trainable=trainable)

    def forward(
        self, spectrogram: Complex[Tensor, "*batch freq frames"], length: int | None = None
    ) -> Float[Tensor, "*batch time"]:
        """Signal of ``length`` samples, or of all that the frames hold."""
        require_finite("spectrogram", spectrogram)
        return inverse_spectrogram(
            spectrogram,
            length=length,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            pad=self.pad,
            window=self.window,
            normalized=self.normalized,
            center=self.center,
            onesided=self.onesided,
        )

    def stream(self) -> InverseStream:
        """An `InverseStream` of this inverse, with nothing in it yet."""
        return InverseStream(self)
