"""A batch in parts: what a transform needs in between stays small, and its memory is reused."""

from collections.abc import Callable

import torch
from torch import Tensor

# Samples transformed at once: half a minute of music.
_MOST_SAMPLES = 2**20


def in_parts(transform: Callable[[Tensor], Tensor], waveform: Tensor) -> Tensor:
    """``transform(waveform)`` of ``(*batch, time)``, a bounded number of signals at a time."""
    if waveform.ndim < 2 or waveform.numel() <= _MOST_SAMPLES:
        return transform(waveform)
    time = waveform.shape[-1]
    parts = torch.split(waveform.reshape(-1, time), max(1, _MOST_SAMPLES // time))
    joined = torch.cat([transform(part) for part in parts])
    return joined.reshape(*waveform.shape[:-1], *joined.shape[1:])
