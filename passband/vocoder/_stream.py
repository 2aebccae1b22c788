"""Sound of features that arrive a few frames at a time, as it would be of all at once."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from passband.errors import InputError
from passband.frequency import overlap_add
from passband.vocoder._adaptive_norm import check_condition
from passband.vocoder._convnext import ConvNeXtBackbone
from passband.vocoder._frame_head import UNCOVERED, FrameHead
from passband.vocoder._packed import Packing, Precision
from passband.vocoder._stream_layers import (
    StreamedConvNeXt,
    StreamedLayers,
    StreamedPacked,
    StreamedResNet,
)


@runtime_checkable
class Streamable(Protocol):
    """What is used of a vocoder."""

    input: Any
    backbone: Any
    head: FrameHead
    context: int
    hop_length: int
    _packing: Packing

    def _check(self, features: Tensor, length: int | None, least: int | None = None) -> None: ...


class VocosStream:
    """One sound in the making: `Vocos.stream` begins it.

    Every convolution keeps the frames that it will look back on, and the head the falling edges of
    its frames, so that a chunk costs what its frames cost. The weights must not change meanwhile.

    Args:
        vocoder: what makes the sound.
        bandwidth_id: for a vocoder of codes.
        precision: as for `Vocos`.

    Attributes:
        lookahead: frames of features beyond its own that a frame of sound waits for.
        latency: ``lookahead hop_length + margin`` samples, where ``margin`` is what of the first
            frame of sound lies before the sound: ``n_fft / 2`` if the head's padding is ``center``,
            ``(n_fft - hop_length) / 2`` if it is ``same``. After ``n`` frames of features,
            ``max(0, n hop_length - latency)`` samples are out.

    Example:
        >>> from passband.vocoder import ConvNeXtSettings, Vocos, VocosSettings
        >>> small = ConvNeXtSettings(dim=16, intermediate_dim=48, num_layers=2)
        >>> vocos = Vocos(VocosSettings(backbone=small)).eval()
        >>> stream, features = vocos.stream(), torch.randn(100, 40)
        >>> parts = [stream.push(chunk) for chunk in features.split(9, dim=-1)]
        >>> audio = torch.cat([*parts, stream.finish()], dim=-1)
        >>> stream.latency, bool((audio - vocos(features)).abs().max() < 1e-4)
        (2816, True)

    Agrees with the vocoder on all features at once to 1e-5 in float32, the ends included.
    """

    def __init__(
        self,
        vocoder: Streamable,
        bandwidth_id: int | Tensor | None = None,
        precision: Precision = "float32",
    ) -> None:
        self._vocoder, self._condition, self._precision = vocoder, bandwidth_id, precision
        head = vocoder.head
        self.lookahead: int = vocoder.context
        self.latency: int = self.lookahead * head.hop_length + head.margin
        self._layers: StreamedLayers | None = None
        self._batch: torch.Size | None = None
        self._added, self._divisor = RunningSum(head.hop_length), _divisor(head)
        self._none_left: Tensor | None = None
        self._frames = self._passed = 0
        self._finished = False

    @torch.no_grad()
    def push(
        self, features: Float[Tensor, "*batch bands frames"]
    ) -> Float[Tensor, "*batch samples"]:
        """Samples that are final once ``features`` are known, none at first.

        Args:
            features: the next frames, at least one, of the same items as before.

        Raises:
            InputError: for features of another shape or kind, or a stream that is finished.
        """
        self._require_open()
        self._vocoder._check(features, None, 1)
        rows = features.reshape(-1, *features.shape[-2:])
        if self._batch is None:
            check_condition(self._condition, self._vocoder.backbone.conditions, len(rows))
            self._batch = features.shape[:-2]
        if features.shape[:-2] != self._batch:
            raise InputError(
                f"`features` (shape {tuple(features.shape)}) must be of the {tuple(self._batch)} "
                "items the stream began with. Begin another stream for others."
            )
        self._frames += rows.shape[-1]
        seen = rows if self._vocoder.input is None else self._vocoder.input(rows)
        if self._layers is None:
            self._layers = self._begin(seen)
        self._none_left = seen[..., :0].mT
        audio = self._sound(seen.mT, last=False)
        return audio.reshape(*self._batch, audio.shape[-1])

    @torch.no_grad()
    def finish(self, *, length: int | None = None) -> Float[Tensor, "*batch samples"]:
        """The rest of the sound; nothing may be pushed after it.

        Args:
            length: samples of the whole sound, honoured as `Vocos` does.

        Raises:
            InputError: for fewer samples than are out, or a stream without features or finished.
        """
        self._require_open()
        if self._batch is None or self._none_left is None:
            raise InputError("`finish` must come after the features. Push some first.")
        head = self._vocoder.head
        natural = int(head.samples(self._frames))
        out = max(0, self._passed - head.margin)
        wanted = (natural if length is None else length) - out
        if wanted < 0:
            raise InputError(
                f"`length` (={length}) must be at least the {out} samples that are out already."
            )
        self._finished = True
        audio = self._sound(self._none_left, last=True)
        audio = audio[:, : min(wanted, natural + head.hop_length - out)]
        return pad(audio, (0, wanted - audio.shape[-1])).reshape(*self._batch, wanted)

    def _require_open(self) -> None:
        if self._finished:
            raise InputError("This stream is finished. Begin another with vocoder.stream().")

    def _begin(self, seen: Tensor) -> StreamedLayers:
        vocoder, condition = self._vocoder, self._condition
        packed = vocoder._packing.find(vocoder.backbone, vocoder.head, seen, self._precision)
        if packed is not None:
            return StreamedPacked(packed, condition, len(seen))
        if isinstance(vocoder.backbone, ConvNeXtBackbone):
            return StreamedConvNeXt(vocoder.backbone, vocoder.head, condition)
        return StreamedResNet(vocoder.backbone, vocoder.head, condition)

    def _sound(self, rows: Tensor, *, last: bool) -> Tensor:
        """What is final of the sound after ``rows``, or all that is left of it."""
        layers, head = self._layers, self._vocoder.head
        assert layers is not None
        with self._arithmetic(rows, layers):
            frames = layers.frames(rows, last)
        if frames is None:
            return rows.new_zeros(len(rows), 0)
        audio = self._added.push(frames, last)
        start, before = max(0, head.margin - self._passed), self._passed // head.hop_length
        self._passed += audio.shape[-1]
        if self._divisor is not None:
            whole = before + frames.shape[1] if last else None
            audio = audio / self._divisor.of(before, audio.shape[-1], whole).to(audio)
        return head.finished(audio[:, start:])

    def _arithmetic(self, rows: Tensor, layers: StreamedLayers) -> AbstractContextManager[object]:
        if self._precision == "float32" or isinstance(layers, StreamedPacked):
            return nullcontext()
        return torch.autocast(rows.device.type, torch.bfloat16)


class RunningSum:
    """Overlap-added frames, kept back where later frames will be added.

    Args:
        hop_length: samples from one frame to the next.
    """

    def __init__(self, hop_length: int) -> None:
        self._hop = hop_length
        self._tail: Tensor | None = None

    def push(self, frames: Tensor, last: bool) -> Tensor:
        """One hop of samples for each frame, and the falling edges after the last."""
        added = overlap_add(frames, self._hop)
        if self._tail is not None:
            added[:, : self._tail.shape[-1]] += self._tail
        ready = added.shape[-1] if last else frames.shape[1] * self._hop
        self._tail = added[:, ready:]
        return added[:, :ready]


class RunningDivisor:
    """What overlap-added frames are divided by, hop by hop: it settles soon after the first.

    Args:
        power: what one frame adds.
        hop_length: samples from one frame to the next.
    """

    def __init__(self, power: Tensor, hop_length: int) -> None:
        self._hop = hop_length
        parts = pad(power.detach().double(), (0, -len(power) % hop_length))
        sums = parts.reshape(-1, hop_length).cumsum(0)
        self._sums = torch.cat((torch.zeros_like(sums[:1]), sums))

    def of(self, before: int, samples: int, whole: int | None) -> Tensor:
        """For so many samples after ``before`` hops; of frames that end if ``whole`` is theirs."""
        hops = -(-samples // self._hop)
        begun = torch.arange(before + 1, before + hops + 1, device=self._sums.device)
        most = len(self._sums) - 1
        divisor = self._sums[begun.clamp(max=most)]
        if whole is not None:
            divisor = divisor - self._sums[(begun - whole).clamp(0, most)]
        divisor = divisor.flatten()[:samples]
        return divisor.masked_fill_(divisor <= UNCOVERED, torch.inf)


def _divisor(head: FrameHead) -> RunningDivisor | None:
    power = head.power()
    return None if power is None else RunningDivisor(power, head.hop_length)
