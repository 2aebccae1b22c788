"""Frames of sound, made and overlapped a piece at a time with the context it depends on."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from passband.frequency import overlap_add
from passband.vocoder._packed import Precision

# Frames synthesised at once, over all items: what a piece needs stays near the processor, and the
# context around it, made again for each, costs a few hundredths. Other devices want more to do.
_PIECE = {"cpu": 1024}
_PIECE_ELSEWHERE = 2**15


@runtime_checkable
class Synthesiser(Protocol):
    """What is used of a vocoder."""

    context: int
    head: Any

    def frames(
        self, rows: Tensor, bandwidth_id: Any, mask: Tensor | None, precision: Precision
    ) -> Tensor:
        """Frames of sound for frames of features."""
        ...


def added_frames(
    vocoder: Synthesiser,
    rows: Tensor,
    bandwidth_id: int | Tensor | None,
    mask: Tensor | None,
    precision: Precision,
) -> Tensor:
    """Overlap-added frames of sound ``(batch, samples)`` of ``rows`` ``(batch, bands, frames)``."""
    batch, _, count = rows.shape
    hop, frame_length = vocoder.head.hop_length, vocoder.head.frame_length
    piece = _PIECE.get(rows.device.type, _PIECE_ELSEWHERE)
    pieces = list(_pieces(batch, count, vocoder.context, piece))
    if torch.is_grad_enabled() or len(pieces) == 1:
        return overlap_add(vocoder.frames(rows, bandwidth_id, mask, precision), hop)
    out = rows.new_zeros(batch, (count - 1) * hop + frame_length)
    for items, seen, inner in pieces:
        condition = bandwidth_id
        if isinstance(condition, Tensor) and condition.numel() > 1:
            condition = condition.reshape(-1)[items]
        known = None if mask is None else mask[items, seen]
        frames = vocoder.frames(rows[items, :, seen], condition, known, precision)
        added = overlap_add(frames[:, inner], hop)
        start = (seen.start + inner.start) * hop
        out[items, start : start + added.shape[-1]] += added
    return out


def _pieces(
    batch: int, count: int, context: int, piece: int
) -> Iterator[tuple[slice, slice, slice]]:
    """Items, frames to look at, and which of these to keep."""
    together = max(1, piece // count)
    for item in range(0, batch, together):
        for first in range(0, count, piece):
            last = min(first + piece, count)
            seen = slice(max(0, first - context), min(count, last + context))
            yield slice(item, item + together), seen, slice(first - seen.start, last - seen.start)
