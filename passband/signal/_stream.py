"""Block by block: the same frames as the whole signal gives, as soon as their samples are there."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from passband.signal._transform import Transform


@dataclass(frozen=True)
class Support:
    """The samples a frame is made of: frame k needs ``[k hop - left, k hop + right)``.

    Args:
        left: samples before the frame's own position, at least 0.
        right: samples from the frame's own position on, at least 1; the look-ahead of a stream.
        alignment: the signal may be cut only at multiples of this, itself a multiple of the hop.
    """

    left: int
    right: int
    alignment: int


class FrameTransform(Transform):
    """A transform whose every frame needs a bounded stretch of signal, one hop apart."""

    hop_length: int

    @abstractmethod
    def support(self) -> Support:
        """The samples a frame is made of; `ValueError` where a setting needs the whole signal."""

    def stream(self) -> "FrameStream":
        """A `FrameStream` of this transform, with nothing in it yet."""
        return FrameStream(self)


class FrameStream:
    """A transform applied to a signal that arrives in blocks.

    ``push`` returns the frames that became complete, ``finish`` the rest; joined on the last axis
    they equal the transform of the whole signal (to rounding, the transform being applied to other
    stretches of it). A frame comes out once ``support().right`` samples from its position on are
    there: that is the latency. Only the samples that coming frames still need are kept.

    Args:
        transform: what to apply; its settings and its device are used as they are at each push.

    Example:
        >>> import torch
        >>> from passband.signal import Spectrogram
        >>> transform, sound = Spectrogram(n_fft=64, hop_length=16), torch.randn(500)
        >>> stream = transform.stream()
        >>> frames = [stream.push(block) for block in sound.split(100)] + [stream.finish()]
        >>> torch.allclose(torch.cat(frames, dim=-1), transform(sound), atol=1e-4)
        True
    """

    def __init__(self, transform: FrameTransform) -> None:
        self._transform = transform
        self._support = transform.support()
        self.reset()

    def reset(self) -> None:
        """Forget everything pushed; the stream starts anew."""
        self._kept: Tensor | None = None
        self._first = 0  # position of the first sample kept, in the whole signal
        self._emitted = 0  # frames given out
        self._empty: Tensor | None = None

    def push(self, block: Tensor) -> Tensor:
        """Frames completed by ``block`` ``(*batch, time)``, any length, also none."""
        kept = block if self._kept is None else torch.cat((self._kept, block), dim=-1)
        self._kept = kept
        hop, support = self._transform.hop_length, self._support
        total = self._first + kept.shape[-1]
        ready = (total - support.right) // hop + 1 if total >= support.right else 0
        # A signal must be longer than what reflection at its ends looks at.
        if ready <= self._emitted or total <= support.left + support.right:
            return self._none(kept)
        offset = self._first // hop
        frames: Tensor = self._transform(kept)[..., self._emitted - offset : ready - offset]
        self._emitted = ready
        self._forget(total)
        self._empty = frames[..., :0]
        return frames

    def finish(self) -> Tensor:
        """The frames still to come, those that the end of the signal touches; then starts anew.

        Raises:
            ValueError: if nothing was pushed, or less than the transform takes at all.
        """
        if self._kept is None:
            raise ValueError("`finish` (0 samples pushed) must follow a push. Push a block first.")
        frames = self._transform(self._kept)
        rest: Tensor = frames[..., self._emitted - self._first // self._transform.hop_length :]
        self.reset()
        return rest

    def _forget(self, total: int) -> None:
        """Drop the samples that no coming frame needs, nor reflection at the signal's end."""
        assert self._kept is not None
        support = self._support
        position = self._emitted * self._transform.hop_length - support.left
        needed = min(position, total - support.left - support.right - 1)
        first = max(self._first, needed // support.alignment * support.alignment)
        self._kept = self._kept[..., first - self._first :].clone()
        self._first = first

    def _none(self, kept: Tensor) -> Tensor:
        """No frames, in the shape and type that frames will have."""
        if self._empty is None:
            span = self._support.left + self._support.right + self._transform.hop_length
            zeros = kept.new_zeros(*kept.shape[:-1], span)
            self._empty = self._transform(zeros)[..., :0].detach()
        return self._empty
