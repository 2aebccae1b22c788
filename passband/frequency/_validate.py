"""What every function here asks of its arguments, in one wording."""

import math

import torch
from torch import Tensor


class DtypeError(TypeError, ValueError):
    """A tensor of a type that cannot be used: a wrong type, and as bad input a wrong value."""


def require_positive(name: str, value: int, cure: str) -> None:
    """Raise unless ``value`` is an integer of at least 1."""
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"`{name}` (={value!r}) must be a positive integer. {cure}")


def require_real(name: str, x: Tensor) -> None:
    """Raise unless ``x`` is float32 or float64 with a last axis that is not empty."""
    if x.dtype not in (torch.float32, torch.float64):
        raise DtypeError(
            f"`{name}` (dtype {x.dtype}) must be float32 or float64. "
            f"Convert it first, e.g. {name}.to(torch.float32)."
        )
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(
            f"`{name}` (shape {tuple(x.shape)}) must have a last axis of at least one sample. "
            "Leave empty signals out."
        )


def require_complex(name: str, x: Tensor) -> None:
    """Raise unless ``x`` is a complex64 or complex128 tensor."""
    if x.dtype not in (torch.complex64, torch.complex128):
        raise DtypeError(
            f"`{name}` (dtype {x.dtype}) must be complex64 or complex128. "
            "Build it with torch.complex or torch.view_as_complex."
        )


def values_can_be_read(x: Tensor) -> bool:
    """Whether a check may look at values: not in compiling, in CUDA graph capture, on meta."""
    if torch.compiler.is_compiling() or x.is_meta:
        return False
    return not (x.is_cuda and torch.cuda.is_current_stream_capturing())


def require_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        raise ValueError(f"`{name}` (={value!r}) must be one of {', '.join(allowed)}. Choose one.")


def require_between(
    name: str, value: float, low: float, high: float, cure: str, *, unit: str = ""
) -> None:
    """Raise unless ``low <= value <= high``; NaN is never between."""
    if not low <= value <= high:
        shown = f" {unit}" if unit else ""
        limit = f"{low:g} to {high:g}{shown}" if high < math.inf else f"at least {low:g}{shown}"
        raise ValueError(f"`{name}` (={value:g}{shown}) must be {limit}. {cure}")
