"""Spectrograms, their mel form and their inverse over `RealSTFT` and `RealISTFT`."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad as zero_pad

from passband.frequency._spectrogram import normalization
from passband.signal._inverse_spectrogram import InverseSpectrogram
from passband.signal._log_mel import LogMelSpectrogram
from passband.signal._mel import MelSpectrogram
from passband.signal._real_stft import RealISTFT, RealSTFT, RealTransform
from passband.signal._spectrogram import Spectrogram


class RealSpectrogram(RealTransform):
    """`Spectrogram`, as a pair (real, imaginary) where it is complex."""

    def __init__(self, transform: Spectrogram, dtype: torch.dtype) -> None:
        super().__init__()
        self.stft = RealSTFT(
            transform.n_fft,
            transform.hop_length,
            window=_samples(transform) / _norm(transform),
            padding="center" if transform.center else "valid",
            pad_mode=transform.pad_mode,
            dtype=dtype,
        )
        self.pad, self.power, self.onesided = transform.pad, transform.power, transform.onesided
        self.outputs = ("real", "imag") if self.power is None else ("values",)

    def forward(self, waveform: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Spectrogram of ``waveform``."""
        real, imag = self.stft(zero_pad(waveform, (self.pad, self.pad)) if self.pad else waveform)
        if self.power is None:
            return self._mirrored(real, 1), self._mirrored(imag, -1)
        squares = real.square() + imag.square()
        if self.power == 1:
            return self._mirrored(squares.sqrt(), 1)
        return self._mirrored(squares if self.power == 2 else squares.pow(self.power / 2), 1)

    def example(self) -> tuple[Any, ...]:
        """As `RealSTFT` has it."""
        return self.stft.example()

    def _mirrored(self, part: Tensor, sign: int) -> Tensor:
        if self.onesided:
            return part
        upper = part[..., 1 : (self.stft.n_fft + 1) // 2, :].flip(-2)
        return torch.cat((part, sign * upper), dim=-2)


class RealMelSpectrogram(RealTransform):
    """`MelSpectrogram`, or `LogMelSpectrogram`."""

    outputs = ("values",)
    filters: Tensor

    def __init__(self, transform: MelSpectrogram, dtype: torch.dtype) -> None:
        super().__init__()
        self.spectrogram = RealSpectrogram(transform.spectrogram, dtype)
        self.eps = transform.eps if isinstance(transform, LogMelSpectrogram) else None
        filters = transform.mel_scale.fb.detach().mT.to("cpu", dtype)
        self.register_buffer("filters", filters.contiguous())

    def forward(self, waveform: Tensor) -> Tensor:
        """Mel spectrogram of ``waveform``."""
        mel: Tensor = self.filters @ self.spectrogram(waveform)
        return mel if self.eps is None else mel.clamp(min=self.eps).log()

    def example(self) -> tuple[Any, ...]:
        """As `RealSTFT` has it."""
        return self.spectrogram.example()


class RealInverseSpectrogram(RealTransform):
    """`InverseSpectrogram` of a pair (real, imaginary)."""

    outputs = ("waveform",)

    def __init__(self, transform: InverseSpectrogram, dtype: torch.dtype) -> None:
        super().__init__()
        self.istft = RealISTFT(
            transform.n_fft,
            transform.hop_length,
            window=_samples(transform),
            padding="center" if transform.center else "valid",
            dtype=dtype,
        )
        self.scale = _norm(transform)
        self.pad, self.onesided = transform.pad, transform.onesided

    def forward(self, real: Tensor, imag: Tensor, length: int | None = None) -> Tensor:
        """Signal of ``length`` samples, or of all that the frames hold."""
        if not self.onesided:
            bins = self.istft.n_fft // 2 + 1
            real, imag = real[..., :bins, :], imag[..., :bins, :]
        whole = length if length is None else length + 2 * self.pad
        signal: Tensor = self.istft(real * self.scale, imag * self.scale, whole)
        return signal if length is None else signal.narrow(-1, self.pad, length)

    def example(self) -> tuple[Any, ...]:
        """As `RealISTFT` has it, with all bins where all are given."""
        part, _, length = self.istft.example()
        if not self.onesided:
            part = part.new_zeros(len(part), self.istft.n_fft, part.shape[-1])
        return part, part.clone(), length


def _samples(transform: Spectrogram | InverseSpectrogram) -> Tensor:
    return transform.window.detach().to("cpu", torch.float64)


def _norm(transform: Spectrogram | InverseSpectrogram) -> float:
    """What the spectrum is divided by."""
    norm = normalization(transform.normalized)
    if not norm:
        return 1.0
    if norm == "frame_length":
        return float(transform.n_fft**0.5)
    return float(_samples(transform).square().sum().sqrt())
