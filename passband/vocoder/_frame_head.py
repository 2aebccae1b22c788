"""What the heads share: frames of sound out of hidden frames, added where they overlap."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from passband.frequency import overlap_add

HeadPadding = Literal["center", "same"]


class FrameHead(nn.Module):
    """Base of the heads: frame ``k`` of sound begins at sample ``k hop_length - margin``.

    A head says what ``coefficients`` its ``projection`` gives, how these are ``transformed`` and,
    by ``power``, what to divide the sum by.

    Args:
        dim: hidden channels.
        frame_length: samples of a frame.
        hop_length: samples from one frame to the next.
        padding: ``center``: frame k is centred on sample ``k hop_length``; ``same``: on samples
            ``k hop_length ... (k + 1) hop_length``, so that every frame stands for one hop.
    """

    def __init__(self, dim: int, frame_length: int, hop_length: int, padding: HeadPadding) -> None:
        super().__init__()
        self.dim, self.frame_length, self.hop_length = dim, frame_length, hop_length
        self.padding: HeadPadding = padding
        self.margin = frame_length // 2 if padding == "center" else (frame_length - hop_length) // 2

    @property
    def projection(self) -> nn.Linear:
        """The linear layer that hidden frames meet first."""
        raise NotImplementedError

    def coefficients(
        self, values: Float[Tensor, "batch frames _"]
    ) -> Float[Tensor, "batch frames coefficients"]:
        """Real numbers, at least of float32, out of what the projection gives."""
        raise NotImplementedError

    def transformed(
        self, coefficients: Float[Tensor, "batch frames coefficients"]
    ) -> Float[Tensor, "batch frames {self.frame_length}"]:
        """Frames of sound, windowed, out of the coefficients, in which they are linear."""
        raise NotImplementedError

    def basis(self) -> Float[Tensor, "coefficients {self.frame_length}"]:
        """The windowed frame of each coefficient, in float64: ``transformed`` as a matrix."""
        raise NotImplementedError

    def framed(
        self, values: Float[Tensor, "batch frames _"]
    ) -> Float[Tensor, "batch frames {self.frame_length}"]:
        """Frames of sound, windowed, out of what the projection gives."""
        return self.transformed(self.coefficients(values))

    def frames(
        self, hidden: Float[Tensor, "batch frames {self.dim}"]
    ) -> Float[Tensor, "batch frames {self.frame_length}"]:
        """Frames of sound, windowed, before they are added up."""
        return self.framed(self.projection(hidden))

    def power(self) -> Float[Tensor, " {self.frame_length}"] | None:
        """What one frame adds to the divisor of the overlapped frames; None for no division."""
        return None

    def finished(self, audio: Tensor) -> Tensor:
        """The last step, on the audio itself."""
        return audio

    def samples(self, frames: int | Int[Tensor, "..."]) -> int | Int[Tensor, "..."]:
        """Samples of so many frames: ``(frames - 1) hop`` (center) or ``frames hop`` (same)."""
        whole = frames - 1 if self.padding == "center" else frames
        return whole * self.hop_length

    def forward(
        self,
        hidden: Float[Tensor, "batch frames {self.dim}"],
        mask: Bool[Tensor, "batch frames 1"] | None = None,
        length: int | None = None,
    ) -> Float[Tensor, "batch time"]:
        """Audio of all frames, or of those in ``mask``; of ``length`` samples if given."""
        frames = self.frames(hidden)
        frames = frames if mask is None else frames * mask
        added = overlap_add(frames, self.hop_length)
        return self.joined(added, frames.shape[1], mask, length)

    def joined(
        self,
        added: Float[Tensor, "batch samples"],
        count: int,
        mask: Bool[Tensor, "batch frames 1"] | None = None,
        length: int | None = None,
    ) -> Float[Tensor, "batch time"]:
        """Audio from ``count`` overlap-added frames: divided, trimmed and finished.

        Up to one hop beyond the samples that the frames stand for is taken from their falling
        edges where ``length`` asks for it; what it asks beyond that is zero.
        """
        natural = int(self.samples(count))
        wanted = natural if length is None else length
        span = slice(self.margin, self.margin + min(wanted, natural + self.hop_length))
        audio = added[:, span]
        power = self.power()
        if power is not None:
            audio = audio / self._divisor(power, count, mask, audio)[..., span]
        audio = self.finished(audio)
        return pad(audio, (0, wanted - audio.shape[-1]))

    def _divisor(self, power: Tensor, count: int, mask: Tensor | None, like: Tensor) -> Tensor:
        """Overlap-added ``power`` of all frames, or of those in ``mask``, hop by hop."""
        hops = -(-self.frame_length // self.hop_length)
        parts = pad(power.to(like), (0, hops * self.hop_length - self.frame_length))
        there = like.new_ones(1, count, 1) if mask is None else mask.to(like)
        divisor = like.new_zeros(len(there), count + hops - 1, self.hop_length)
        for hop, part in enumerate(parts.reshape(hops, self.hop_length)):
            divisor[:, hop : hop + count].addcmul_(there, part)
        divisor = divisor.flatten(1)[:, : (count - 1) * self.hop_length + self.frame_length]
        return divisor.masked_fill_(divisor <= UNCOVERED, torch.inf)


UNCOVERED = 1e-11
"""Squared-window sums up to this count as no window: dividing by them returns rounding noise."""


def full(values: Tensor) -> Tensor:
    """``values``, in float32 where they are in half precision.

    That has no complex numbers, and its cosines are too coarse.
    """
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values
