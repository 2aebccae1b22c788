"""From the tensor or array a caller passes to the numbers a file stores."""

import numpy as np
from torch import Tensor

from passband.errors import InputError
from passband.media._faults import check_finite


def as_array(values: Tensor | np.ndarray, name: str, axes: tuple[str, ...]) -> np.ndarray:
    """``values`` as a float32 or float64 array with these axes, none empty, all finite."""
    array = _to_numpy(values)
    if array.dtype not in (np.float16, np.float32, np.float64):
        raise InputError(
            f"`{name}` (of type {array.dtype}) must be floating point. "
            f"Convert integers first, e.g. 8-bit ones by dividing by 255."
        )
    if array.ndim != len(axes) or 0 in array.shape:
        raise InputError(
            f"`{name}` (of shape {array.shape}) must be ({', '.join(axes)}), none of them 0. "
            f"Reshape it."
        )
    check_finite(f"`{name}`", array, axes, cure="Replace them")
    return array if array.dtype == np.float64 else array.astype(np.float32, copy=False)


def to_unsigned(values: np.ndarray, bits: int) -> np.ndarray:
    """``round(x (2^bits - 1))`` for x clipped to [0, 1]."""
    scaled: np.ndarray = np.rint(values.clip(0, 1) * (2**bits - 1))
    return scaled.astype(np.uint8 if bits == 8 else np.uint16)


def to_signed(values: np.ndarray, bits: int) -> np.ndarray:
    """``round(x 2^(bits - 1))`` for x clipped to [-1, 1 - 2^(1 - bits)]."""
    scale = 2 ** (bits - 1)
    scaled: np.ndarray = np.rint(values * scale).clip(-scale, scale - 1)
    return scaled.astype(np.int16 if bits == 16 else np.int32)


def _to_numpy(values: Tensor | np.ndarray) -> np.ndarray:
    if not isinstance(values, Tensor):
        return np.asarray(values)
    plain = values.detach().cpu()
    if plain.is_floating_point() and plain.element_size() < 4:  # NumPy has no bfloat16
        plain = plain.float()
    array: np.ndarray = plain.numpy()
    return array
