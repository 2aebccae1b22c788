"""Head that gives the magnitude and phase of a spectrum, and the inverse STFT of that."""

from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from passband.frequency import window
from passband.frequency._stft import require_cover
from passband.vocoder._frame_head import FrameHead, HeadPadding, full

_LOUDEST = 100.0
_COVERED_FRAMES = 8


class _InverseTransform(nn.Module):
    """The window, under the name by which published weights hold it."""

    window: Tensor

    def __init__(self, n_fft: int) -> None:
        super().__init__()
        self.register_buffer("window", window("hann", n_fft))


class ISTFTHead(FrameHead):
    """Inverse STFT of ``min(exp(m), 100) exp(i p)``, with ``(m, p) = W h + b`` for each frame.

    The phase ``p`` wraps by itself, so no angle is ever taken.

    Args:
        dim: hidden channels.
        n_fft: length of transform and Hann window, in samples, even.
        hop_length: samples from one frame to the next.
        padding: ``center`` gives ``(frames - 1) hop_length`` samples, ``same`` gives ``frames
            hop_length``.

    Raises:
        ValueError: for a hop at which the window leaves samples uncovered (NOLA).

    Example:
        >>> ISTFTHead(16, n_fft=64, hop_length=16)(torch.randn(2, 10, 16)).shape
        torch.Size([2, 144])

    Agrees with the ``vocos`` package to 1e-5 of the largest value in float32.
    Reference: Siuzdak, Vocos, ICLR, 2024, section 3.1, eqs. 3-5.
    """

    def __init__(
        self, dim: int, n_fft: int = 1024, hop_length: int = 256, padding: HeadPadding = "center"
    ) -> None:
        super().__init__(dim, n_fft, hop_length, padding)
        self.n_fft = n_fft
        self.out = nn.Linear(dim, n_fft + 2)
        self.istft = _InverseTransform(n_fft)
        frames = _COVERED_FRAMES * -(-n_fft // hop_length)
        require_cover(self.istft.window, hop_length, padding, frames)

    @property
    def projection(self) -> nn.Linear:
        """``W h + b``."""
        return self.out

    def spectrum(
        self, hidden: Float[Tensor, "batch frames {self.dim}"]
    ) -> Complex[Tensor, "batch frames {self.n_fft//2+1}"]:
        """Complex spectrum of every frame."""
        return _complex(self.coefficients(self.out(hidden)))

    def coefficients(
        self, values: Float[Tensor, "batch frames {self.n_fft+2}"]
    ) -> Float[Tensor, "batch frames {self.n_fft+2}"]:
        """Real parts of the spectra, then their imaginary parts."""
        log_magnitude, phase = (full(part) for part in values.chunk(2, dim=-1))
        magnitude = log_magnitude.exp().clamp(max=_LOUDEST)
        phase = phase.contiguous()  # the two functions are slow on every other row
        return torch.cat((magnitude * phase.cos(), magnitude * phase.sin()), dim=-1)

    def transformed(
        self, coefficients: Float[Tensor, "batch frames {self.n_fft+2}"]
    ) -> Float[Tensor, "batch frames {self.frame_length}"]:
        """Windowed inverse transforms of the spectra."""
        plain: Any = torch.fft.irfft(_complex(coefficients), n=self.n_fft)
        windowed: Tensor = plain * self.istft.window.to(plain.dtype)
        return windowed

    def basis(self) -> Float[Tensor, "{self.n_fft+2} {self.frame_length}"]:
        """Windowed cosines and sines."""
        one = torch.eye(self.n_fft + 2, dtype=torch.float64, device=self.istft.window.device)
        return self.transformed(one[None])[0].cpu()

    def power(self) -> Float[Tensor, " {self.frame_length}"]:
        """The squared window."""
        return self.istft.window.square()


def _complex(parts: Tensor) -> Tensor:
    return torch.complex(*parts.chunk(2, dim=-1))
