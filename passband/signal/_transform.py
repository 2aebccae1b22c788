"""What the transforms share: constants as buffers, one check of the input, full precision."""

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from passband.frequency._validate import values_can_be_read

Forward = TypeVar("Forward", bound=Callable[..., Any])

_HALVES = (torch.float16, torch.bfloat16)


class Transform(nn.Module):
    """A function of `passband.frequency` with its constants.

    Constants are kept in float64 and cast to the type of the input at each call, so one transform
    serves float32 and float64 signals alike. They are no part of the ``state_dict``, which holds
    only what ``trainable=True`` makes a parameter.
    """

    def _constant(self, name: str, value: Tensor, *, trainable: bool = False) -> None:
        """Keep ``value`` as a buffer, or as a parameter of the default type."""
        if trainable:
            self.register_parameter(name, nn.Parameter(value.to(torch.get_default_dtype())))
        else:
            self.register_buffer(name, value.to(torch.float64), persistent=False)


def full_precision(forward: Forward) -> Forward:
    """Run ``forward`` outside autocast, on float32 where autocast hands over half precision."""

    @functools.wraps(forward)
    def outside(self: nn.Module, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        device = x.device.type
        if x.is_meta or not torch.is_autocast_enabled(device):
            return forward(self, x, *args, **kwargs)
        with torch.autocast(device, enabled=False):
            if x.dtype in _HALVES:
                x = x.float()
            return forward(self, x, *args, **kwargs)

    return outside  # type: ignore[return-value]


def require_finite(name: str, x: Tensor) -> None:
    """Raise if ``x`` holds NaN or infinity.

    Nothing is read back where that cannot be done: in a compiled or exported graph, under
    ``vmap`` and in the capture of a CUDA graph.
    """
    if not values_can_be_read(x) or x.numel() == 0:
        return
    values = torch.view_as_real(x.detach().resolve_conj()) if x.is_complex() else x.detach()
    try:
        total = float(values.sum())
    except RuntimeError:  # vmap has no single value to read
        return
    # The sum is the cheap test; only where it fails, or overflows, every value is looked at.
    if not math.isfinite(total) and not bool(values.isfinite().all()):
        count = int((~values.isfinite()).sum())
        raise ValueError(
            f"`{name}` (shape {tuple(x.shape)}, {count} of its values NaN or infinite) must be "
            "finite. Clean it first, e.g. with torch.nan_to_num."
        )
