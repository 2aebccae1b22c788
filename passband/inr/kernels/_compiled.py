"""How the loops of the processor's kernels are compiled."""

from typing import Any

import numba


def compiled(function: Any) -> Any:
    """Compile at first call, keep the result on disk, run without the interpreter's lock."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder it may write to
        return numba.njit(**options)(function)
