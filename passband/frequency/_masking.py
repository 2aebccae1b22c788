"""Masking a random stretch of a spectrogram, for training."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_between


def mask_along_axis(
    x: Float[Tensor, "*batch freq frames"],
    mask_param: int,
    mask_value: float | Float[Tensor, ""],
    axis: int,
    p: float = 1.0,
) -> Float[Tensor, "*batch freq frames"]:
    """Spectrograms with one random stretch ``[v0, v0 + v)`` of an axis masked, the same in all.

    ``v`` is uniform over ``[0, min(mask_param, p size))`` and ``v0`` over ``[0, size - v)``.

    Args:
        x: spectrograms.
        mask_param: the length of a mask stays below this; at least 0.
        mask_value: what to write there.
        axis: the second last (frequency) or the last (time).
        p: largest part of the axis that may be masked, 0 to 1.

    Returns:
        Spectrograms of the same shape; ``x`` itself if nothing may be masked.

    Raises:
        ValueError: for another axis, or values out of range.

    Example:
        >>> masked = mask_along_axis(torch.ones(2, 80, 100), 20, 0.0, axis=-1)
        >>> bool((masked.sum((0, 1)) == 0).sum() < 20)
        True

    Agrees with ``torchaudio.functional.mask_along_axis`` for the same seed.
    Reference: Park et al., SpecAugment, Interspeech 2019, section 2.
    """
    return _masked(x, mask_param, mask_value, axis, p, torch.rand(2, device=x.device))


def mask_along_axis_iid(
    x: Float[Tensor, "*batch freq frames"],
    mask_param: int,
    mask_value: float | Float[Tensor, ""],
    axis: int,
    p: float = 1.0,
) -> Float[Tensor, "*batch freq frames"]:
    """Spectrograms with a random stretch of an axis masked, another one in each of the batch.

    Args:
        x: spectrograms, with at least one axis of batch.
        mask_param: as in `mask_along_axis`.
        mask_value: as in `mask_along_axis`.
        axis: as in `mask_along_axis`.
        p: as in `mask_along_axis`.

    Returns:
        Spectrograms of the same shape; ``x`` itself if nothing may be masked.

    Raises:
        ValueError: for another axis, no batch, or values out of range.

    Example:
        >>> mask_along_axis_iid(torch.ones(2, 80, 100), 20, 0.0, axis=-2).shape
        torch.Size([2, 80, 100])

    Agrees with ``torchaudio.functional.mask_along_axis_iid`` for the same seed.
    Reference: Park et al. 2019, as for `mask_along_axis`.
    """
    if x.ndim < 3:
        raise ValueError(
            f"`x` (shape {tuple(x.shape)}) must be (*batch, freq, frames) with a batch to draw a "
            "mask for each of. Use mask_along_axis for one spectrogram."
        )
    dtype = x.real.dtype if x.is_complex() else x.dtype
    drawn = torch.rand(2, *x.shape[:-2], dtype=dtype, device=x.device)
    return _masked(x, mask_param, mask_value, axis, p, drawn)


def require_mask(name: str, mask_param: int, p: float) -> None:
    """Raise unless ``mask_param`` is a whole number of at least 0 and ``p`` is 0 to 1."""
    if not isinstance(mask_param, int) or mask_param < 0:
        raise ValueError(
            f"`{name}` (={mask_param!r}) must be an integer of at least 0. Pass e.g. 30."
        )
    require_between("p", p, 0, 1, "Pass 1 to let the whole axis be masked.")


def _masked(
    x: Tensor,
    mask_param: int,
    mask_value: float | Tensor,
    axis: int,
    p: float,
    drawn: Tensor,
) -> Tensor:
    require_mask("mask_param", mask_param, p)
    if x.ndim < 2 or axis not in (x.ndim - 2, x.ndim - 1, -2, -1):
        raise ValueError(
            f"`axis` (={axis}) must be one of the last two of `x` (shape {tuple(x.shape)}). Pass "
            "-2 for frequency, -1 for time."
        )
    axis = axis if axis < 0 else axis - x.ndim
    size = x.shape[axis]
    longest = mask_param if p == 1 else min(mask_param, int(size * p))
    if longest < 1:
        return x
    length = drawn[0] * longest
    start = drawn[1] * (size - length)
    first = start.long()[..., None]
    position = torch.arange(size, device=x.device)
    mask = (position >= first) & (position < first + length.long()[..., None])
    mask = mask[..., None, :] if axis == -1 else mask[..., :, None]
    return x.masked_fill(mask, mask_value)
