"""Heads that give the coefficients of a modified cosine transform, and the inverse of that."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.frequency import hz_to_mel, mel_to_hz, window
from passband.vocoder._frame_head import FrameHead, HeadPadding, full

_LOUDEST = 100.0


class InverseMDCT(nn.Module):
    """Windowed frames ``w[n] sqrt(2 / N) sum_k X[k] cos(pi / N (n + (N + 1) / 2) (k + 1/2))``.

    Frames overlap by half, ``N`` of ``2 N`` samples; ``w`` is the sine window, so that what one
    frame mirrors the next one cancels.

    Args:
        frame_length: ``2 N``, in samples, even.

    Example:
        >>> InverseMDCT(8)(torch.randn(2, 3, 4)).shape
        torch.Size([2, 3, 8])

    Agrees with the sum written out to 1e-6 in float32.
    Reference: Princen, Johnson & Bradley, Subband/transform coding using filter bank designs based
    on time domain aliasing cancellation, ICASSP, 1987, eq. 5.
    """

    window: Tensor
    pre_twiddle: Tensor
    post_twiddle: Tensor

    def __init__(self, frame_length: int) -> None:
        super().__init__()
        self.frame_length, self.bins = frame_length, frame_length // 2
        shift = (self.bins + 1) / 2
        index = torch.arange(frame_length, dtype=torch.float64)
        # Under these names, as pairs of reals, published weights hold them.
        self.register_buffer("window", window("sine", frame_length, periodic=False))
        self.register_buffer("pre_twiddle", _turns(math.pi * shift * index / self.bins))
        self.register_buffer("post_twiddle", _turns(math.pi * (index + shift) / frame_length))

    def forward(
        self, coefficients: Float[Tensor, "batch frames {self.bins}"]
    ) -> Float[Tensor, "batch frames {self.frame_length}"]:
        """The frames of sound, to be added up at a hop of ``N``."""
        dtype = coefficients.dtype
        before, after = (
            torch.view_as_complex(turns.to(dtype))
            for turns in (self.pre_twiddle, self.post_twiddle)
        )
        turned = coefficients * before[: self.bins]
        summed = torch.fft.ifft(turned, n=self.frame_length, norm="forward")
        frames: Tensor = (summed * after).real
        return frames * (self.window.to(dtype) * math.sqrt(2 / self.bins))


class _IMDCTHead(FrameHead):
    """A linear layer of so many ``channels``, coefficients out of them, and their inverse."""

    def __init__(
        self, dim: int, channels: int, frame_length: int, padding: HeadPadding, clip_audio: bool
    ) -> None:
        super().__init__(dim, frame_length, frame_length // 2, padding)
        self.clip_audio = clip_audio
        self.out = nn.Linear(dim, channels)
        self.imdct = InverseMDCT(frame_length)

    @property
    def projection(self) -> nn.Linear:
        """``W h + b``."""
        return self.out

    def transformed(
        self, coefficients: Float[Tensor, "batch frames {self.hop_length}"]
    ) -> Float[Tensor, "batch frames {self.frame_length}"]:
        """Windowed inverse transforms of the coefficients."""
        frames: Tensor = self.imdct(coefficients)
        return frames

    def basis(self) -> Float[Tensor, "{self.hop_length} {self.frame_length}"]:
        """Windowed cosines."""
        one = torch.eye(self.imdct.bins, dtype=torch.float64, device=self.imdct.window.device)
        frames: Tensor = self.imdct(one[None])[0]
        return frames.cpu()

    def finished(self, audio: Tensor) -> Tensor:
        """The audio, clipped to [-1, 1] if asked for."""
        return audio.clamp(-1.0, 1.0) if self.clip_audio else audio


class IMDCTSymExpHead(_IMDCTHead):
    """Inverse MDCT of ``sign(x) (exp |x| - 1)`` within -100 to 100, ``x = W h + b``.

    Args:
        dim: hidden channels.
        frame_length: samples of a frame, even; the hop is half of it.
        padding: ``center`` gives ``(frames - 1) hop`` samples, ``same`` gives ``frames hop``.
        sample_rate: in Hz; if given, the first weights of coefficient k are scaled by ``1 - f_k /
            f_max``, with ``f_k`` evenly spaced in mel, so that high bands begin quiet.
        clip_audio: clip the audio to [-1, 1].

    Example:
        >>> IMDCTSymExpHead(16, 64)(torch.randn(2, 10, 16)).shape
        torch.Size([2, 320])

    Agrees with the ``vocos`` package to 1e-5 of the largest value in float32, given constants that
    are not themselves rounded angles, and without ``clip_audio``, under which that returns its
    features in place of the audio.
    Reference: Siuzdak, Vocos, ICLR, 2024, appendix A (the MDCT variant).
    """

    def __init__(
        self,
        dim: int,
        frame_length: int = 512,
        padding: HeadPadding = "same",
        sample_rate: int | None = None,
        clip_audio: bool = False,
    ) -> None:
        super().__init__(dim, frame_length // 2, frame_length, padding, clip_audio)
        if sample_rate is not None:
            highest = float(hz_to_mel(sample_rate / 2))
            bands = mel_to_hz(torch.linspace(0, highest, frame_length // 2))
            with torch.no_grad():
                self.out.weight.mul_((1 - bands / bands[-1])[:, None])

    def coefficients(
        self, values: Float[Tensor, "batch frames {self.hop_length}"]
    ) -> Float[Tensor, "batch frames {self.hop_length}"]:
        """``sign(x) (exp |x| - 1)``, clipped."""
        values = full(values)
        return (values.sign() * values.abs().expm1()).clamp(-_LOUDEST, _LOUDEST)


class IMDCTCosHead(_IMDCTHead):
    """Inverse MDCT of ``min(exp(m), 100) cos p``, with ``(m, p) = W h + b`` for each frame.

    Args:
        dim: hidden channels.
        frame_length: samples of a frame, even; the hop is half of it.
        padding: ``center`` gives ``(frames - 1) hop`` samples, ``same`` gives ``frames hop``.
        clip_audio: clip the audio to [-1, 1].

    Example:
        >>> IMDCTCosHead(16, 64, clip_audio=True)(torch.randn(2, 10, 16)).abs().max() <= 1
        tensor(True)

    Agrees with the ``vocos`` package to 1e-5 of the largest value in float32, given constants that
    are not themselves rounded angles, and without ``clip_audio``, under which that returns its
    features in place of the audio.
    Reference: Siuzdak, Vocos, ICLR, 2024, appendix A (the MDCT variant).
    """

    def __init__(
        self,
        dim: int,
        frame_length: int = 512,
        padding: HeadPadding = "same",
        clip_audio: bool = False,
    ) -> None:
        super().__init__(dim, frame_length, frame_length, padding, clip_audio)

    def coefficients(
        self, values: Float[Tensor, "batch frames {self.frame_length}"]
    ) -> Float[Tensor, "batch frames {self.hop_length}"]:
        """``min(exp(m), 100) cos p``."""
        log_magnitude, phase = full(values).chunk(2, dim=-1)
        return log_magnitude.exp().clamp(max=_LOUDEST) * phase.cos()


def _turns(angle: Tensor) -> Tensor:
    return torch.stack((angle.cos(), angle.sin()), dim=-1).float()
