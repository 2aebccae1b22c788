"""The row work of a ConvNeXt block on a processor, in one pass: add, convolve, normalise, round."""

from typing import Any, no_type_check

import numba
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_TAPS = 7
_HALF = _TAPS // 2
_HIGH = np.uint32(16)
_ODD = np.uint32(1)
_ALMOST_HALF = np.uint32(0x7FFF)


def _compiled(function: Any) -> Any:
    """Compile at first call, keep the result on disk, run without the interpreter's lock."""
    # Sums over channels may go in any order, so that they use the whole width of the processor.
    options: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract", "nsz"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder it may write to
        return numba.njit(**options)(function)


def add_convolve_normalise(
    x: Float[Tensor, "batch frames dim"],
    added: Float[Tensor, "batch frames dim"],
    weight: Float[Tensor, "7 dim"],
    bias: Float[Tensor, " dim"],
    scale: Float[Tensor, "batch dim"],
    shift: Float[Tensor, "batch dim"],
    eps: float,
) -> Float[Tensor, "batch frames dim"]:
    """``x += added``, then ``scale normal(depthwise(x)) + shift`` over each frame's channels.

    Args:
        x: frames, zero beyond their ends to the convolution; changed in place.
        added: what to add, float32 or bfloat16.
        weight: of the depthwise convolution, tap by tap.
        bias: of the convolution.
        scale: of the normalised frames, for each item.
        shift: of the normalised frames, for each item.
        eps: added to the variance.

    Returns:
        A new tensor of the type of ``added``. All is contiguous, on the CPU, and float32 otherwise.

    Example:
        >>> x, one = torch.zeros(1, 9, 16), torch.ones(1, 16)
        >>> frames = torch.randn(1, 9, 16).bfloat16()
        >>> taps = torch.zeros(7, 16).index_fill(0, torch.tensor(3), 1.0)
        >>> add_convolve_normalise(x, frames, taps, 0 * one[0], one, 0 * one, 1e-6).dtype
        torch.bfloat16

    Agrees with torch's convolution and layer normalisation to 1e-5 in float32.
    """
    out = torch.empty_like(added)
    rounded = added.dtype == torch.bfloat16
    more, result = (t.view(torch.uint16).numpy() if rounded else t.numpy() for t in (added, out))
    constants = [t.detach().numpy() for t in (weight, bias)]
    run = _rounded if rounded else _plain
    for item in range(len(x)):
        affine = scale[item].numpy(), shift[item].numpy()
        run(x[item].numpy(), more[item], *constants, *affine, np.float32(eps), result[item])
    return out


@_compiled
@no_type_check
def _plain(x, added, weight, bias, scale, shift, eps, out):
    frames = x.shape[0]
    for ahead in range(frames + _HALF):
        if ahead < frames:
            for c in range(x.shape[1]):
                x[ahead, c] += added[ahead, c]
        if ahead >= _HALF:
            _row(x, ahead - _HALF, weight, bias, scale, shift, eps, out[ahead - _HALF])


@_compiled
@no_type_check
def _rounded(x, added, weight, bias, scale, shift, eps, out):
    frames, dim = x.shape
    row = np.empty(dim, np.float32)
    bits = row.view(np.uint32)
    for ahead in range(frames + _HALF):
        if ahead < frames:
            for c in range(dim):
                bits[c] = np.uint32(added[ahead, c]) << _HIGH
            for c in range(dim):
                x[ahead, c] += row[c]
        if ahead >= _HALF:
            frame = ahead - _HALF
            _row(x, frame, weight, bias, scale, shift, eps, row)
            for c in range(dim):  # to the nearest, ties to even
                word = bits[c]
                out[frame, c] = (word + _ALMOST_HALF + ((word >> _HIGH) & _ODD)) >> _HIGH


@_compiled
@no_type_check
def _row(x, frame, weight, bias, scale, shift, eps, row):
    """``row`` becomes frame ``frame`` of the convolution, normalised."""
    frames, dim = x.shape
    for c in range(dim):
        row[c] = bias[c]
    for tap in range(_TAPS):
        seen = frame + tap - _HALF
        if 0 <= seen < frames:
            for c in range(dim):
                row[c] += weight[tap, c] * x[seen, c]
    mean = np.float32(0.0)
    for c in range(dim):
        mean += row[c]
    mean /= np.float32(dim)
    variance = np.float32(0.0)
    for c in range(dim):
        variance += (row[c] - mean) * (row[c] - mean)
    factor = np.float32(1.0) / np.sqrt(variance / np.float32(dim) + eps)
    for c in range(dim):
        row[c] = (row[c] - mean) * factor * scale[c] + shift[c]
