"""The short-time Fourier transform and its inverse in real numbers, as convolutions."""

import math
from abc import abstractmethod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv1d, conv_transpose1d
from torch.nn.functional import pad as zero_pad

from passband.frequency._stft import (
    Padding,
    PadMode,
    _frame_window,
    _hop,
    _pad,
    _require_padding,
    _span,
    divided,
    require_cover,
)
from passband.frequency._validate import DtypeError, require_choice, require_real

Window = str | tuple[str, float] | Tensor


class RealTransform(nn.Module):
    """A transform with neither complex numbers nor branches on values.

    Attributes:
        outputs: what its results are called.
    """

    outputs: tuple[str, ...] = ("real", "imag")

    @abstractmethod
    def example(self) -> tuple[Any, ...]:
        """Arguments to trace ``forward`` with; those of an inverse end in the length."""


class RealSTFT(RealTransform):
    """`passband.frequency.stft` as a pair (real, imaginary), one strided convolution.

    Its arithmetic has no complex number and no branch on a value, so ``torch.export`` and ONNX take
    it as it is, with any batch and any number of samples. The transform matrix is kept, ``2 (n_fft
    // 2 + 1) n_fft`` numbers (4 MB at 1024 in float32); to train or to analyse, `Spectrogram` is
    faster.

    Args:
        n_fft: as given to `passband.frequency.stft`.
        hop_length: as given to `passband.frequency.stft`.
        win_length: as given to `passband.frequency.stft`.
        window: as given to `passband.frequency.stft`.
        padding: ``center``, ``same`` or ``valid``.
        pad_mode: as given to `passband.frequency.stft`.
        normalized: scale by ``n_fft ** -0.5``.
        dtype: of the matrix, and so of the signals to come.

    Shape:
        ``(*batch, time)`` to two of ``(*batch, n_fft // 2 + 1, frames)``.

    Raises:
        ValueError: for lengths that do not fit together or settings out of range.

    Example:
        >>> real, imag = RealSTFT(64, 16, padding="same")(torch.ones(2, 160))
        >>> real.shape, bool(imag[:, 0].abs().max() == 0)
        (torch.Size([2, 33, 10]), True)

    Agrees with `passband.frequency.stft` to 1e-5 of the largest value in float32.
    """

    basis: Tensor

    def __init__(
        self,
        n_fft: int,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: Window = "hann",
        *,
        padding: Padding = "center",
        pad_mode: PadMode = "reflect",
        normalized: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, _hop(n_fft, hop_length)
        _require_padding(padding, n_fft, self.hop_length)
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        self.padding, self.pad_mode = padding, pad_mode
        taper = _frame_window(window, win_length, n_fft, torch.float64, torch.device("cpu"))
        cosine, sine = _waves(n_fft)
        basis = torch.cat((cosine, -sine)) * taper.detach()
        basis = basis * (n_fft**-0.5 if normalized else 1.0)
        self.register_buffer("basis", basis[:, None].to(dtype))

    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> tuple[Float[Tensor, "*batch freq frames"], Float[Tensor, "*batch freq frames"]]:
        """Real and imaginary part of the spectrum of ``waveform``."""
        require_real("waveform", waveform)
        require_dtype("waveform", waveform, self.basis)
        x = waveform
        if self.padding != "valid":
            x = _pad(x, self._margins(), self.pad_mode, self.n_fft)
        elif x.shape[-1] < self.n_fft:
            raise ValueError(
                f"`n_fft` (={self.n_fft}) must be at most the {x.shape[-1]} samples of `waveform` "
                "under padding='valid'. Shorten it, or use padding='center'."
            )
        parts = conv1d(x.reshape(-1, 1, x.shape[-1]), self.basis, stride=self.hop_length)
        real, imag = parts.reshape(*waveform.shape[:-1], *parts.shape[-2:]).chunk(2, dim=-2)
        return real, imag

    def example(self) -> tuple[Any, ...]:
        """Two silent signals."""
        return (self.basis.new_zeros(2, 4 * self.n_fft + 3 * self.hop_length + 1),)

    def _margins(self) -> tuple[int, int]:
        """As `stft` pads; under ``same``, by as much as any length needs, which adds no frame."""
        if self.padding == "center":
            return self.n_fft // 2, self.n_fft // 2
        left = (self.n_fft - self.hop_length) // 2
        return left, self.n_fft - 1 - left


class RealISTFT(RealTransform):
    """`passband.frequency.istft` of a pair (real, imaginary), one transposed convolution.

    The counterpart of `RealSTFT`: no complex number, any batch, any number of frames.

    Args:
        n_fft: as given to `passband.frequency.istft`.
        hop_length: as given to `passband.frequency.istft`.
        win_length: as given to `passband.frequency.istft`.
        window: as given to `passband.frequency.istft`.
        padding: ``center``, ``same`` or ``valid``.
        normalized: scale by ``n_fft ** 0.5``.
        dtype: of the matrix, and so of the spectra to come.

    Shape:
        two of ``(*batch, n_fft // 2 + 1, frames)`` to ``(*batch, length)``.

    Raises:
        ValueError: for lengths that do not fit together, or a window and hop that leave samples
            uncovered (NOLA).

    Example:
        >>> x = torch.randn(2, 1000)
        >>> settings = dict(n_fft=64, hop_length=16, padding="same")
        >>> y = RealISTFT(**settings)(*RealSTFT(**settings)(x), length=1000)
        >>> torch.allclose(x, y, atol=1e-5)
        True

    Agrees with `passband.frequency.istft` to 1e-5 of the largest value in float32.
    Reference: Griffin & Lim, Signal estimation from modified short-time Fourier transform, IEEE
    Trans. ASSP 32(2), 1984, eq. 6.
    """

    outputs = ("waveform",)
    basis: Tensor
    power: Tensor

    def __init__(
        self,
        n_fft: int,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: Window = "hann",
        *,
        padding: Padding = "center",
        normalized: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, _hop(n_fft, hop_length)
        _require_padding(padding, n_fft, self.hop_length)
        self.padding = padding
        taper = _frame_window(window, win_length, n_fft, torch.float64, torch.device("cpu"))
        taper = taper.detach()
        require_cover(taper, self.hop_length, padding, 2 * -(-n_fft // self.hop_length) + 1)
        cosine, sine = _waves(n_fft)
        twice = torch.full((len(cosine), 1), 2.0, dtype=torch.float64)  # each bin and its mirror
        twice[0] = 1
        if n_fft % 2 == 0:
            twice[-1] = 1
        basis = torch.cat((twice * cosine, -twice * sine)) * taper
        basis = basis * (n_fft**-0.5 if normalized else 1 / n_fft)
        self.register_buffer("basis", basis[:, None].to(dtype))
        self.register_buffer("power", taper.square()[None, None].to(dtype))

    def forward(
        self,
        real: Float[Tensor, "*batch freq frames"],
        imag: Float[Tensor, "*batch freq frames"],
        length: int | None = None,
    ) -> Float[Tensor, "*batch time"]:
        """Signal of ``length`` samples, honoured exactly, or of all that the frames hold."""
        for name, part in (("real", real), ("imag", imag)):
            require_dtype(name, part, self.basis)
            _require_part(name, part, self.n_fft)
        parts = torch.cat((real, imag), dim=-2)
        rows = parts.reshape(-1, *parts.shape[-2:])
        signal = conv_transpose1d(rows, self.basis, stride=self.hop_length)
        ones = rows.new_ones(1, 1, rows.shape[-1])
        envelope = conv_transpose1d(ones, self.power, stride=self.hop_length)
        signal = divided(signal, envelope)
        start, natural = _span(self.padding, rows.shape[-1], self.n_fft, self.hop_length)
        if length is None:
            signal = signal.narrow(-1, start, natural)
        else:
            signal = zero_pad(signal, (0, length)).narrow(-1, start, length)
        return signal.reshape(*real.shape[:-2], signal.shape[-1])

    def example(self) -> tuple[Any, ...]:
        """Two silent spectra, and the samples they stand for."""
        part = self.basis.new_zeros(2, self.n_fft // 2 + 1, 9)
        return part, part.clone(), 8 * self.hop_length  # one tensor would be one input


def require_dtype(name: str, x: Tensor, constant: Tensor) -> None:
    """Raise unless ``x`` is of the type that the module was made for."""
    if x.dtype != constant.dtype:
        raise DtypeError(
            f"`{name}` (dtype {x.dtype}) must be {constant.dtype}, as this module was made for. "
            f"Convert it, or make the module with dtype={x.dtype}."
        )


def _require_part(name: str, part: Tensor, n_fft: int) -> None:
    if part.ndim < 2 or part.shape[-2] != n_fft // 2 + 1 or part.shape[-1] == 0:
        raise ValueError(
            f"`{name}` (shape {tuple(part.shape)}) must be (*batch, {n_fft // 2 + 1}, frames) for "
            f"n_fft={n_fft}, with at least one frame. Check n_fft and the axes."
        )


def _waves(n_fft: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines ``2 pi f n / n_fft``, ``(n_fft // 2 + 1, n_fft)``, in float64."""
    sample = torch.arange(n_fft)
    turns = torch.arange(n_fft // 2 + 1)[:, None] * sample % n_fft
    angle = turns.to(torch.float64) * (2 * math.pi / n_fft)
    # Exactly zero at half a turn too, so that the bins without a sine have none.
    return angle.cos(), angle.sin().masked_fill(2 * turns % n_fft == 0, 0)
