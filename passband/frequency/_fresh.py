"""Memory for large results: in huge pages, where each small one would cost a fault."""

import ctypes
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

# Blocks of this many bytes and more come from the system page by page; smaller ones are reused.
_LARGE = 8 * 2**20
_HUGE_PAGE = 2 * 2**20
_MADV_HUGEPAGE = 14


def fresh(shape: Sequence[int], like: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """An uninitialised tensor on the device of ``like``, in its type unless ``dtype`` is given.

    On Linux a large one on the CPU asks for huge pages: filling it then takes half the time.
    """
    out = like.new_empty(*shape, dtype=dtype or like.dtype)
    if out.device.type == "cpu" and out.nbytes >= _LARGE and (advise := _madvise()) is not None:
        begin = -(-out.data_ptr() // _HUGE_PAGE) * _HUGE_PAGE
        end = (out.data_ptr() + out.nbytes) // _HUGE_PAGE * _HUGE_PAGE
        advise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_HUGEPAGE)
    return out


@lru_cache(maxsize=1)
def _madvise() -> Any:
    """The system's call, or None where it has none. It is advice: a refusal changes nothing."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return None
