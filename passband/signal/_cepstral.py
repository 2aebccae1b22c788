"""Cepstral coefficients of a signal, frame by frame."""

from collections.abc import Mapping
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor

from passband.frequency import amplitude_to_db, create_dct, filter_ranges, linear_fbanks
from passband.frequency._decibels import require_scale
from passband.frequency._spectrogram import require_real_power
from passband.signal._mel import MelSpectrogram
from passband.signal._spectrogram import Spectrogram
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import full_precision

# Added under the natural logarithm, as torchaudio does.
_OFFSET = 1e-6


class _Cepstral(FrameTransform):
    """Bands in decibels or logarithms, and the first coefficients of their cosine transform."""

    dct_mat: Tensor

    def __init__(
        self,
        count: int,
        bands: int,
        dct_type: int,
        norm: Literal["ortho"] | None,
        logarithm: bool,
        top_db: float | None,
    ) -> None:
        super().__init__()
        if dct_type != 2:
            raise ValueError(f"`dct_type` (={dct_type}) must be 2. Pass 2.")
        require_scale("power", top_db)
        self.top_db, self._logarithm = top_db, logarithm
        self._constant("dct_mat", create_dct(count, bands, norm))

    def _coefficients(self, bands: Tensor) -> Tensor:
        if self._logarithm:
            logs = (bands + _OFFSET).log()
        else:
            logs = amplitude_to_db(bands, top_db=self.top_db)
        return (logs.mT @ self.dct_mat.to(logs.dtype)).mT

    def _require_bounded(self, name: str) -> None:
        if not self._logarithm and self.top_db is not None:
            raise ValueError(
                f"`top_db` (={self.top_db:g} dB) must be None for a stream: it looks for the "
                f"loudest value of the whole signal. Pass top_db=None, or {name}=True."
            )


class MFCC(_Cepstral):
    """Mel-frequency cepstral coefficients: the DCT-II of the mel spectrogram in decibels.

    Args:
        sample_rate: in Hz.
        n_mfcc: coefficients to keep, at most the number of mel bands.
        dct_type: 2.
        norm: ``ortho``, or None for twice the plain sum of cosines.
        log_mels: ``ln(mel + 1e-6)`` instead of decibels.
        melkwargs: arguments of `MelSpectrogram`. Its own defaults have empty bands: give e.g.
            ``{"n_fft": 1024, "n_mels": 80}``.
        top_db: as given to `AmplitudeToDB`; None for a stream.
        trainable: make the window and the mel filters parameters.

    Raises:
        ValueError: as `MelSpectrogram` raises it, or for more coefficients than bands.

    Example:
        >>> import torch
        >>> transform = MFCC(16000, n_mfcc=13, melkwargs={"n_fft": 512, "n_mels": 40})
        >>> transform(torch.ones(2, 16000)).shape
        torch.Size([2, 13, 63])

    Agrees with ``torchaudio.transforms.MFCC``, and with ``librosa.feature.mfcc`` given its mel
    settings, to 1e-5 of the largest value in float32.
    Reference: Davis & Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition, IEEE Trans. ASSP 28(4), 1980, eq. 1.
    """

    def __init__(
        self,
        sample_rate: float = 16000,
        n_mfcc: int = 40,
        dct_type: int = 2,
        norm: Literal["ortho"] | None = "ortho",
        log_mels: bool = False,
        melkwargs: Mapping[str, Any] | None = None,
        *,
        top_db: float | None = 80.0,
        trainable: bool = False,
    ) -> None:
        mel = MelSpectrogram(sample_rate, **{"trainable": trainable, **(melkwargs or {})})
        super().__init__(n_mfcc, mel.n_mels, dct_type, norm, log_mels, top_db)
        self.sample_rate, self.n_mfcc, self.log_mels = sample_rate, n_mfcc, log_mels
        self.mel_spectrogram = mel
        self.hop_length = mel.hop_length

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch {self.n_mfcc} frames"]:
        """Coefficients of ``waveform``; `ValueError` for NaN or a signal too short to pad."""
        return self._coefficients(self.mel_spectrogram(waveform))

    def support(self) -> Support:
        """The samples under a frame; `ValueError` if ``top_db`` looks at the whole signal."""
        self._require_bounded("log_mels")
        return self.mel_spectrogram.support()


class LFCC(_Cepstral):
    """Linear-frequency cepstral coefficients: those of bands evenly spaced in Hz, in decibels.

    Args:
        sample_rate: in Hz.
        n_filter: number of bands.
        f_min: lowest frequency, in Hz.
        f_max: highest frequency, in Hz; half the sampling rate if not given.
        n_lfcc: coefficients to keep, at most ``n_filter``.
        dct_type: 2.
        norm: ``ortho``, or None for twice the plain sum of cosines.
        log_lf: ``ln(bands + 1e-6)`` instead of decibels.
        speckwargs: arguments of `Spectrogram`.
        top_db: as given to `AmplitudeToDB`; None for a stream.
        allow_empty: keep filters that lie between two bins, and so give zeros.
        trainable: make the window and the filters parameters.

    Raises:
        ValueError: as `Spectrogram` raises it, for frequencies out of range, a filter without a
            bin, or more coefficients than bands.

    Example:
        >>> import torch
        >>> transform = LFCC(16000, n_filter=40, n_lfcc=13, speckwargs={"n_fft": 512})
        >>> transform(torch.ones(2, 16000)).shape
        torch.Size([2, 13, 63])

    Agrees with ``torchaudio.transforms.LFCC`` to 1e-5 of the largest value in float32.
    Reference: Davis & Mermelstein 1980, as for `MFCC`.
    """

    filter_mat: Tensor

    def __init__(
        self,
        sample_rate: float = 16000,
        n_filter: int = 128,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_lfcc: int = 40,
        dct_type: int = 2,
        norm: Literal["ortho"] | None = "ortho",
        log_lf: bool = False,
        speckwargs: Mapping[str, Any] | None = None,
        *,
        top_db: float | None = 80.0,
        allow_empty: bool = False,
        trainable: bool = False,
    ) -> None:
        spectrogram = Spectrogram(**{"trainable": trainable, **(speckwargs or {})})
        if n_lfcc > n_filter:
            raise ValueError(
                f"`n_lfcc` (={n_lfcc}) must be at most the {n_filter} bands they are made of. "
                "Lower it, or raise n_filter."
            )
        super().__init__(n_lfcc, n_filter, dct_type, norm, log_lf, top_db)
        require_real_power(spectrogram.power)
        f_max = sample_rate / 2 if f_max is None else f_max
        bins = spectrogram.n_fft // 2 + 1
        filters = linear_fbanks(bins, f_min, f_max, n_filter, sample_rate, allow_empty=allow_empty)
        self.sample_rate, self.n_filter, self.n_lfcc = sample_rate, n_filter, n_lfcc
        self.f_min, self.f_max, self.log_lf = f_min, f_max, log_lf
        self.spectrogram = spectrogram
        self.hop_length = spectrogram.hop_length
        self._constant("filter_mat", filters, trainable=trainable)
        self._ranges = None if trainable else filter_ranges(filters)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch {self.n_lfcc} frames"]:
        """Coefficients of ``waveform``; `ValueError` for NaN or a signal too short to pad."""
        bands = self.spectrogram.filtered(waveform, self.filter_mat, self._ranges)
        return self._coefficients(bands)

    def support(self) -> Support:
        """The samples under a frame; `ValueError` if ``top_db`` looks at the whole signal."""
        self._require_bounded("log_lf")
        return self.spectrogram.support()
