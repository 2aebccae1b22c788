"""Sound that arrives in blocks of any length, enhanced frame by frame."""

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from passband.errors import InputError
from passband.signal import InverseSpectrogram, Spectrogram

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]
"""Frames ``(batch, freq, frames)`` and a memory, None at first, to frames and the memory after."""


def whole_hops(samples: int, hop_length: int) -> int:
    """The next multiple of a hop, at least two of them, up to which a sound is filled with zeros.

    Reflection at its ends needs a hop of sound, and the last samples a frame on either side.

    Example:
        >>> whole_hops(1, 256), whole_hops(513, 256)
        (512, 768)
    """
    return max(2, -(-samples // hop_length)) * hop_length


def enhance_whole(
    audio: Float[Tensor, "*batch time"],
    analysis: Spectrogram,
    synthesis: InverseSpectrogram,
    step: Step,
) -> Float[Tensor, "*batch time"]:
    """``synthesis(step(analysis(audio)))``, of the same length.

    Args:
        audio: any number of samples.
        analysis: complex spectrum, centred, with half a frame as its hop.
        synthesis: its inverse.
        step: what is done to all the frames.

    Example:
        >>> settings = dict(n_fft=64, window_fn=lambda n: torch.hann_window(n).sqrt())
        >>> forth, back = Spectrogram(**settings, power=None), InverseSpectrogram(**settings)
        >>> x = torch.randn(2, 1001)
        >>> y = enhance_whole(x, forth, back, lambda frames, memory: (0.5 * frames, memory))
        >>> torch.allclose(y, 0.5 * x, atol=1e-6)
        True
    """
    time = audio.shape[-1]
    if audio.numel() == 0:
        return audio
    length = whole_hops(time, analysis.hop_length)
    rows = pad(audio.reshape(-1, time), (0, length - time))
    frames, _ = step(analysis(rows), None)
    enhanced: Tensor = synthesis(frames, length=length)
    return enhanced[:, :time].reshape(audio.shape)


class MaskStream:
    """One sound being enhanced: ``push`` gives what is final so far, ``finish`` the rest.

    Joined, the pieces equal `enhance_whole`, whatever the lengths of the blocks: a frame is worked
    on once, when it is full. After ``n`` samples ``hop ((n - 1) // hop - 1)`` are out, so that the
    delay is at most two hops. It then starts anew.

    Args:
        analysis: as for `enhance_whole`.
        synthesis: as for `enhance_whole`.
        step: as for `enhance_whole`; causal, with a memory.

    Attributes:
        latency: ``2 hop``, the most samples by which the output is behind.

    Example:
        >>> settings = dict(n_fft=64, window_fn=lambda n: torch.hann_window(n).sqrt())
        >>> forth, back = Spectrogram(**settings, power=None), InverseSpectrogram(**settings)
        >>> stream = MaskStream(forth, back, lambda frames, memory: (0.5 * frames, memory))
        >>> x = torch.randn(1001)
        >>> y = torch.cat([*(stream.push(block) for block in x.split(7)), stream.finish()])
        >>> torch.allclose(y, 0.5 * x, atol=1e-6), stream.latency
        (True, 64)
    """

    def __init__(self, analysis: Spectrogram, synthesis: InverseSpectrogram, step: Step) -> None:
        self._hop, self._step = analysis.hop_length, step
        self.latency = 2 * self._hop
        self._analysis, self._synthesis = analysis.stream(), synthesis.stream()
        self.reset()

    def reset(self) -> None:
        """Forget everything pushed."""
        self._analysis.reset()
        self._synthesis.reset()
        self._waiting: list[Tensor] = []  # blocks that fill no hop yet
        self._count = self._pushed = self._given = 0
        self._memory: Any = None
        self._batch: torch.Size | None = None

    @torch.no_grad()
    def push(self, block: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch samples"]:
        """Samples that are final once ``block`` is known.

        Args:
            block: the next samples, any number, of the same items as before.

        Raises:
            InputError: for other items than the stream began with.
            ValueError: for NaN or infinite samples.
        """
        if self._batch is None:
            self._batch = block.shape[:-1]
        if block.shape[:-1] != self._batch:
            raise InputError(
                f"`block` (shape {tuple(block.shape)}) must be of the {tuple(self._batch)} items "
                "the stream began with. Begin another stream for others."
            )
        self._pushed += block.shape[-1]
        self._count += block.shape[-1]
        self._waiting.append(block.reshape(math.prod(self._batch), block.shape[-1]))
        # A sample more than whole hops: reflection at the beginning looks that far.
        passed = self._pushed - self._count
        whole = (self._pushed - 1) // self._hop * self._hop + 1 - passed
        if whole < self._hop:
            return block[..., :0]
        return self._given_out(self._worked(self._taken(whole)), block)

    @torch.no_grad()
    def finish(self) -> Float[Tensor, "*batch samples"]:
        """The rest, so that as many samples are out as were pushed.

        Raises:
            InputError: nothing was pushed.
        """
        if self._batch is None:
            raise InputError("`finish` (0 blocks pushed) must follow a push. Push a block first.")
        last = self._taken(self._count)
        total, given, shape = self._pushed, self._given, self._batch
        if total == 0:
            self.reset()
            return last.reshape(*shape, 0)
        length = whole_hops(total, self._hop)
        pieces = [self._worked(pad(last, (0, length - total)))]
        frames, _ = self._step(self._analysis.finish(), self._memory)
        pieces.append(self._synthesis.push(frames))
        pieces.append(self._synthesis.finish(length=length))
        self.reset()
        return torch.cat(pieces, dim=-1)[:, : total - given].reshape(*shape, total - given)

    def _taken(self, count: int) -> Tensor:
        """The first ``count`` of the samples that wait."""
        joined = torch.cat(self._waiting, dim=-1)
        self._waiting = [joined[:, count:]]
        self._count -= count
        return joined[:, :count]

    def _worked(self, samples: Tensor) -> Tensor:
        """What becomes final of whole hops."""
        spectrum = self._analysis.push(samples)
        if spectrum.shape[-1]:
            spectrum, self._memory = self._step(spectrum, self._memory)
        return self._synthesis.push(spectrum)

    def _given_out(self, samples: Tensor, like: Tensor) -> Tensor:
        self._given += samples.shape[-1]
        return samples.reshape(*like.shape[:-1], samples.shape[-1])
