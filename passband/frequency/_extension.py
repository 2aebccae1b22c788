"""A signal in the middle of a longer one, of a length the FFT is fast for."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad


def extend(x: Tensor, start: int, size: int, pad_mode: str) -> Tensor:
    """The real ``x`` ``(*batch, time)`` from ``start`` on in ``(*batch, size)``.

    Under ``reflect`` both ends are mirrored as far as the signal goes; all else is zero.
    """
    time = x.shape[-1]
    left, right = start, size - start - time
    if pad_mode == "reflect":
        near = min(left, time - 1), min(right, time - 1)
        # torch pads the last axis of (batch, channels, time) only.
        mirrored = pad(x.reshape(1, -1, time), near, mode="reflect")
        x = mirrored.reshape(*x.shape[:-1], -1)
        left, right = left - near[0], right - near[1]
    return pad(x, (left, right))


def fast_length(least: int) -> int:
    """The smallest even length from ``least`` on with few and small factors."""
    return min(m << max(1, math.ceil(math.log2(least / m))) for m in (1, 3, 5, 9, 15))


def filled(values: Sequence[float], like: Tensor) -> Tensor:
    """The values in the type and on the device of ``like``, with no copy between devices.

    A CUDA graph can hold the fills, and could not hold the copy.
    """
    dtype, device = like.dtype, like.device
    return torch.cat([torch.full((1,), v, dtype=dtype, device=device) for v in values])
