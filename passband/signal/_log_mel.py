"""Log-mel spectrograms, the features of most vocoders and speech models."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._mel import MelVariant
from passband.frequency._spectrogram import Normalization
from passband.frequency._stft import PadMode
from passband.signal._analysis_window import WindowFn
from passband.signal._mel import MelSpectrogram
from passband.signal._transform import full_precision


class LogMelSpectrogram(MelSpectrogram):
    """Log-mel spectrogram ``ln max(mel, eps)``, with the natural logarithm.

    The features of vocoders have ``power=1.0`` and ``eps=1e-7`` (Vocos), or ``eps=1e-5`` with
    ``norm="slaney", mel_scale="slaney"`` (HiFi-GAN).

    Args:
        sample_rate: as given to `MelSpectrogram`.
        n_fft: as given to `MelSpectrogram`.
        win_length: as given to `MelSpectrogram`.
        hop_length: as given to `MelSpectrogram`.
        f_min: as given to `MelSpectrogram`.
        f_max: as given to `MelSpectrogram`.
        pad: as given to `MelSpectrogram`.
        n_mels: as given to `MelSpectrogram`.
        window_fn: as given to `MelSpectrogram`.
        power: as given to `MelSpectrogram`.
        normalized: as given to `MelSpectrogram`.
        wkwargs: as given to `MelSpectrogram`.
        center: as given to `MelSpectrogram`.
        pad_mode: as given to `MelSpectrogram`.
        onesided: as given to `MelSpectrogram`.
        norm: as given to `MelSpectrogram`.
        mel_scale: as given to `MelSpectrogram`.
        eps: smallest value told apart from silence, above 0, in the unit of the mel spectrogram.
        allow_empty: as given to `MelSpectrogram`.
        trainable: as given to `MelSpectrogram`.

    Raises:
        ValueError: as `MelSpectrogram` raises it, or for ``eps`` not above 0.

    Example:
        >>> transform = LogMelSpectrogram(24000, 1024, hop_length=256, n_mels=100, power=1.0)
        >>> transform(torch.zeros(2, 24000)).unique()
        tensor([-23.0259])

    Agrees with the logarithm of ``torchaudio.transforms.MelSpectrogram``, clamped to ``eps``, to
    1e-5 in float32 wherever that is not near silence.
    """

    def __init__(
        self,
        sample_rate: float = 16000,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        f_min: float = 0.0,
        f_max: float | None = None,
        pad: int = 0,
        n_mels: int = 128,
        window_fn: WindowFn = torch.hann_window,
        power: float = 2.0,
        normalized: Normalization = False,
        wkwargs: Mapping[str, Any] | None = None,
        center: bool = True,
        pad_mode: PadMode = "reflect",
        onesided: bool | None = None,
        norm: Literal["slaney"] | None = None,
        mel_scale: MelVariant = "htk",
        *,
        eps: float = 1e-10,
        allow_empty: bool = False,
        trainable: bool = False,
    ) -> None:
        super().__init__(
            sample_rate,
            n_fft,
            win_length,
            hop_length,
            f_min,
            f_max,
            pad,
            n_mels,
            window_fn,
            power,
            normalized,
            wkwargs,
            center,
            pad_mode,
            onesided,
            norm,
            mel_scale,
            allow_empty=allow_empty,
            trainable=trainable,
        )
        if not eps > 0:
            raise ValueError(f"`eps` (={eps}) must be above 0. Pass e.g. 1e-7.")
        self.eps = eps

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch mels frames"]:
        """Log-mel spectrogram; `ValueError` for NaN or a signal too short to pad."""
        mel: Tensor = super().forward(waveform)
        return mel.clamp(min=self.eps).log()
