"""The window of a transform: a function as torch has them, or a name."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from passband.frequency import window

WindowFn = Callable[..., Tensor] | str | tuple[str, float]


def analysis_window(
    window_fn: WindowFn, win_length: int, wkwargs: Mapping[str, Any] | None
) -> Tensor:
    """The ``win_length`` samples of a window, in float64 where its function can give that."""
    if not callable(window_fn):
        if wkwargs:
            raise ValueError(
                f"`wkwargs` (={dict(wkwargs)!r}) must be None for a window given by name. Pass a "
                "pair such as ('kaiser', 8.6), or a function as window_fn."
            )
        return window(window_fn, win_length, dtype=torch.float64)
    settings = dict(wkwargs or {})
    try:
        samples = window_fn(win_length, **{"dtype": torch.float64, **settings})
    except TypeError:  # a function of the length alone
        samples = window_fn(win_length, **settings)
    shape = getattr(samples, "shape", None)
    if shape != (win_length,) or samples.is_complex():
        raise ValueError(
            f"`window_fn` (giving shape {shape and tuple(shape)}) must give a real tensor of "
            f"`win_length` (={win_length}) samples. Pass e.g. torch.hann_window."
        )
    return samples.detach()
