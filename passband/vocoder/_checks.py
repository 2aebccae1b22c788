"""What a vocoder checks before it begins."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from passband.errors import InputError
from passband.frequency._validate import values_can_be_read


def check_features(extractor: Any, features: Tensor, least: int, *, values: bool) -> None:
    """Raise unless ``features`` are such as ``extractor`` gives, of at least ``least`` frames.

    ``values`` says whether to look at them and not only at their shape.
    """
    channels, expected = extractor.channels, extractor.expected
    if features.ndim < 2 or features.shape[-2] != channels:
        turned = features.ndim >= 2 and features.shape[-1] == channels
        cure = " Swap the last two axes." if turned else ""
        raise InputError(
            f"`features` (shape {tuple(features.shape)}) must be (*batch, {channels}, "
            f"frames): expected {expected}.{cure}"
        )
    if features.shape[-1] < least or features.numel() == 0:
        raise InputError(
            f"`features` (shape {tuple(features.shape)}) must have at least {least} frames."
        )
    if values and values_can_be_read(features):
        extremes = torch.stack(torch.aminmax(features.detach())).tolist()  # waited for once
        if not all(map(math.isfinite, extremes)):
            raise InputError(
                f"`features` must be finite; they hold NaN or infinite values. Expected {expected}."
            )
        extractor.check(features, *extremes)


def counted(lengths: Sequence[int] | Tensor, rows: Tensor) -> Tensor:
    """``lengths`` as whole numbers of frames, one for each of ``rows``."""
    counts = torch.as_tensor(lengths, device=rows.device).reshape(-1)
    whole = not counts.is_floating_point() and not counts.is_complex()
    fits = whole and len(counts) == len(rows)
    if fits and values_can_be_read(counts):
        fits = bool(((counts >= 1) & (counts <= rows.shape[-1])).all())
    if not fits:
        raise InputError(
            f"`lengths` (={counts.tolist()}) must be frames from 1 to {rows.shape[-1]}, one for "
            f"each of the {len(rows)} items."
        )
    return counts
