"""Mel spectrograms as modules."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import (
    filter_ranges,
    inverse_mel_scale,
    melscale_fbanks,
)
from passband.frequency._inverse_mel import Driver
from passband.frequency._mel import MelVariant
from passband.frequency._spectrogram import Normalization, require_real_power
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_choice, require_real
from passband.signal._analysis_window import WindowFn
from passband.signal._spectrogram import Spectrogram
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import Transform, full_precision, require_finite


class MelScale(Transform):
    """Spectrogram through mel filters, ``sum_f H[f, m] S[f, k]``.

    Args:
        n_mels: number of mel bands.
        sample_rate: in Hz.
        f_min: lowest frequency, in Hz.
        f_max: highest frequency, in Hz; half the sampling rate if not given.
        n_stft: bins of the spectrogram, ``n_fft // 2 + 1``.
        norm: ``slaney`` scales each filter to an area of 1 over Hz; None leaves its peak at 1.
        mel_scale: ``htk`` or ``slaney``.
        allow_empty: keep filters that lie between two bins, and so give zeros.
        trainable: make the filters a parameter.

    Raises:
        ValueError: for frequencies out of range, or a filter without a bin.

    Example:
        >>> MelScale(n_mels=40, sample_rate=16000)(torch.ones(2, 201, 10)).shape
        torch.Size([2, 40, 10])

    Agrees with ``torchaudio.transforms.MelScale`` to 1e-5 of the largest value.
    Reference: Davis & Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition, IEEE Trans. ASSP 28(4), 1980, fig. 1.
    """

    fb: Tensor

    def __init__(
        self,
        n_mels: int = 128,
        sample_rate: float = 16000,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_stft: int = 201,
        norm: Literal["slaney"] | None = None,
        mel_scale: MelVariant = "htk",
        *,
        allow_empty: bool = False,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.n_mels, self.sample_rate, self.n_stft = n_mels, sample_rate, n_stft
        self.f_min, self.f_max = f_min, sample_rate / 2 if f_max is None else f_max
        filters = melscale_fbanks(
            n_stft, f_min, self.f_max, n_mels, sample_rate, norm, mel_scale, allow_empty=allow_empty
        )
        self._constant("fb", filters, trainable=trainable)
        self.ranges = None if trainable else filter_ranges(filters)

    @full_precision
    def forward(
        self, specgram: Float[Tensor, "*batch freq frames"]
    ) -> Float[Tensor, "*batch mels frames"]:
        """Mel spectrogram of the same power as ``specgram``."""
        require_real("specgram", specgram)
        if specgram.ndim < 2 or specgram.shape[-2] != self.n_stft:
            raise ValueError(
                f"`specgram` (shape {tuple(specgram.shape)}) must be (*batch, {self.n_stft}, "
                "frames). Pass n_stft=n_fft // 2 + 1 of the spectrogram."
            )
        return (specgram.mT @ self.fb.to(specgram.dtype)).mT


class InverseMelScale(Transform):
    """Smallest spectrogram that gives a mel spectrogram in the least-squares sense.

    Args:
        n_stft: bins of the spectrogram, ``n_fft // 2 + 1``.
        n_mels: as given to `MelScale`.
        sample_rate: as given to `MelScale`.
        f_min: as given to `MelScale`.
        f_max: as given to `MelScale`.
        norm: as given to `MelScale`.
        mel_scale: as given to `MelScale`.
        driver: LAPACK's method: ``gels`` (needs filters of full rank, and is the only one on CUDA),
            ``gelsy``, ``gelsd`` or ``gelss``.

    Raises:
        ValueError: for frequencies out of range, or a filter without a bin.

    Example:
        >>> InverseMelScale(n_stft=201, n_mels=40)(torch.ones(2, 40, 10)).shape
        torch.Size([2, 201, 10])

    Agrees with ``torchaudio.transforms.InverseMelScale`` to 1e-3 of the largest value in float32.
    """

    fb: Tensor

    def __init__(
        self,
        n_stft: int,
        n_mels: int = 128,
        sample_rate: float = 16000,
        f_min: float = 0.0,
        f_max: float | None = None,
        norm: Literal["slaney"] | None = None,
        mel_scale: MelVariant = "htk",
        driver: Driver = "gels",
    ) -> None:
        super().__init__()
        require_choice("driver", driver, ("gels", "gelsy", "gelsd", "gelss"))
        self.driver = driver
        f_max = sample_rate / 2 if f_max is None else f_max
        filters = melscale_fbanks(n_stft, f_min, f_max, n_mels, sample_rate, norm, mel_scale)
        self._constant("fb", filters)

    @full_precision
    def forward(
        self, melspec: Float[Tensor, "*batch mels frames"]
    ) -> Float[Tensor, "*batch freq frames"]:
        """Spectrogram of the same power as ``melspec``, of values of at least 0."""
        require_finite("melspec", melspec)
        return inverse_mel_scale(melspec, self.fb, driver=self.driver)


class MelSpectrogram(FrameTransform):
    """Mel spectrogram ``sum_f H[f, m] |X[f, k]| ** power``, in one pass.

    Args:
        sample_rate: in Hz.
        n_fft: frame length and transform length, in samples.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        hop_length: samples from one frame to the next; ``win_length // 2`` if not given.
        f_min: lowest frequency, in Hz.
        f_max: highest frequency, in Hz; half the sampling rate if not given.
        pad: zeros put before and after the signal, at least 0.
        n_mels: number of mel bands. With torchaudio's own defaults, 128 bands of 201 bins, some
            would be empty, which is an error here: give ``n_fft`` or ``n_mels``.
        window_fn: as given to `Spectrogram`.
        power: exponent of the magnitude, above 0.
        normalized: as given to `Spectrogram`.
        wkwargs: as given to `Spectrogram`.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: as given to `Spectrogram`.
        onesided: not used; the filters have the bins up to half the sampling rate.
        norm: as given to `MelScale`.
        mel_scale: as given to `MelScale`.
        allow_empty: as given to `MelScale`.
        trainable: make the window and the filters parameters.

    Raises:
        ValueError: for lengths that do not fit together, frequencies out of range, or a filter
            without a bin.

    Example:
        >>> transform = MelSpectrogram(22050, n_fft=2048, hop_length=512)
        >>> transform(torch.ones(2, 22050)).shape
        torch.Size([2, 128, 44])

    Agrees with ``torchaudio.transforms.MelSpectrogram``, and with
    ``librosa.feature.melspectrogram`` given ``mel_scale="slaney"``, ``norm="slaney"`` and
    ``pad_mode="constant"``, to 1e-5 of the largest value in float32.
    Reference: Davis & Mermelstein 1980, as for `MelScale`.
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
        allow_empty: bool = False,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        require_real_power(power)
        self.spectrogram = Spectrogram(
            n_fft,
            win_length,
            hop_length,
            pad,
            window_fn,
            power,
            normalized,
            wkwargs,
            center,
            pad_mode,
            trainable=trainable,
        )
        self.mel_scale = MelScale(
            n_mels,
            sample_rate,
            f_min,
            f_max,
            n_fft // 2 + 1,
            norm,
            mel_scale,
            allow_empty=allow_empty,
            trainable=trainable,
        )
        self.sample_rate, self.n_mels, self.n_fft = sample_rate, n_mels, n_fft
        self.hop_length = self.spectrogram.hop_length

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch mels frames"]:
        """Mel spectrogram of ``waveform``; `ValueError` for NaN or a signal too short to pad."""
        return self.spectrogram.filtered(waveform, self.mel_scale.fb, self.mel_scale.ranges)

    def support(self) -> Support:
        """The samples under a frame."""
        return self.spectrogram.support()
