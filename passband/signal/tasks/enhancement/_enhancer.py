"""What an enhancer is, and sounds of any rate through one."""

import math
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from passband.errors import InputError
from passband.frequency import resample, resample_filter
from passband.signal._stream import FrameTransform, Support


@runtime_checkable
class EnhancerStream(Protocol):
    """A sound being enhanced while it arrives."""

    def push(self, block: Tensor) -> Tensor:
        """What is final of the sound once ``block`` ``(*batch, time)`` is known."""
        ...

    def finish(self) -> Tensor:
        """The rest."""
        ...


@runtime_checkable
class Enhancer(Protocol):
    """A module from noisy to enhanced sound ``(*batch, time)`` of ``sample_rate`` Hz."""

    sample_rate: int

    def __call__(self, audio: Tensor) -> Tensor:
        """Enhanced ``audio``, of the same length."""
        ...


@runtime_checkable
class CausalEnhancer(Enhancer, Protocol):
    """An enhancer that can also work while the sound arrives."""

    def stream(self) -> EnhancerStream:
        """A stream with nothing in it yet."""
        ...


def enhance(
    enhancer: Enhancer, audio: Float[Tensor, "*batch time"], sample_rate: int
) -> Float[Tensor, "*batch time"]:
    """``audio`` enhanced at the enhancer's rate and brought back to its own.

    What lies above half of the enhancer's rate is lost.

    Args:
        enhancer: such as `GTCRN`.
        audio: noisy sound; channels are sounds of their own.
        sample_rate: of ``audio``, in Hz.

    Example:
        >>> from passband.signal.tasks.enhancement import GTCRN
        >>> enhance(GTCRN().eval(), torch.randn(2, 4410), 44100).shape
        torch.Size([2, 4410])
    """
    if audio.numel() == 0:
        return audio
    there = enhancer(resample(audio, sample_rate, enhancer.sample_rate))
    return resample(there, enhancer.sample_rate, sample_rate)[..., : audio.shape[-1]]


class RateStream:
    """`enhance` for a sound that arrives in blocks, at any rate.

    Args:
        enhancer: causal; its stream is begun here.
        sample_rate: of the blocks, in Hz.

    Example:
        >>> from passband.signal.tasks.enhancement import GTCRN
        >>> model, x = GTCRN().eval(), torch.randn(30000)
        >>> stream = RateStream(model, 48000)
        >>> y = torch.cat([*(stream.push(block) for block in x.split(9000)), stream.finish()])
        >>> with torch.no_grad():
        ...     print(bool((y - enhance(model, x, 48000)).abs().max() < 1e-5))
        True
    """

    def __init__(self, enhancer: CausalEnhancer, sample_rate: int) -> None:
        there = enhancer.sample_rate
        self._rates = sample_rate, there
        self._inner = enhancer.stream()
        self._forth = _Resampling(sample_rate, there).stream()
        self._back = _Resampling(there, sample_rate).stream()
        self._pushed = self._sent = self._given = 0

    @torch.no_grad()
    def push(self, block: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch samples"]:
        """Samples that are final once ``block``, of any length, is known."""
        if self._rates[0] == self._rates[1]:
            return self._inner.push(block)
        self._pushed += block.shape[-1]
        return self._out(self._inner.push(self._in(self._forth.push(block))))

    @torch.no_grad()
    def finish(self) -> Float[Tensor, "*batch samples"]:
        """The rest, so that as many samples are out as were pushed."""
        if self._rates[0] == self._rates[1]:
            return self._inner.finish()
        if self._pushed == 0:
            raise InputError("`finish` (0 samples pushed) must follow a push. Push a block first.")
        here, there = self._rates
        count = -(-self._pushed * there // here)
        last = _in_line(self._forth.finish())[..., : count - self._sent]
        pieces = [self._inner.push(last), self._inner.finish()]
        out = self._out(torch.cat(pieces, dim=-1))
        rest = _in_line(self._back.finish())
        given = self._given - out.shape[-1]
        return torch.cat((out, rest), dim=-1)[..., : self._pushed - given]

    def _in(self, periods: Tensor) -> Tensor:
        samples = _in_line(periods)
        self._sent += samples.shape[-1]
        return samples

    def _out(self, samples: Tensor) -> Tensor:
        back = _in_line(self._back.push(samples))
        self._given += back.shape[-1]
        return back


class _Resampling(FrameTransform):
    """`resample` as a transform whose frames are periods of the two rates: it can be streamed."""

    def __init__(self, orig_freq: int, new_freq: int) -> None:
        super().__init__()
        self._rates = orig_freq, new_freq
        common = math.gcd(orig_freq, new_freq)
        self._up, self.hop_length = new_freq // common, orig_freq // common
        taps = len(resample_filter(self._up, self.hop_length)) if orig_freq != new_freq else 1
        self._reach = -(-(taps // 2) // self._up) + 1

    def forward(self, x: Tensor) -> Tensor:
        """Periods ``(*batch, up, periods)``, the last filled with zeros."""
        y = resample(x, *self._rates)
        y = pad(y, (0, -y.shape[-1] % self._up))
        return y.reshape(*y.shape[:-1], -1, self._up).mT

    def support(self) -> Support:
        """The filter's reach on either side."""
        return Support(self._reach, self.hop_length + self._reach, self.hop_length)


def _in_line(periods: Tensor) -> Tensor:
    return periods.mT.flatten(-2)
