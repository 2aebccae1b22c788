"""The network in plain torch: the definition the kernels are tested against."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def linear_output(x: Tensor, weights: Sequence[Tensor], activation: str) -> Tensor:
    """The last layer's linear output, in the dtype of ``x``."""
    *hidden, last = weights
    for weight in hidden:
        x = F.linear(x, weight.to(x.dtype))
        x = F.relu(x) if activation == "relu" else x
    return F.linear(x, last.to(x.dtype))


def rounded_linear_output(
    x: Tensor, weights: Sequence[Tensor], activation: str, precision: torch.dtype
) -> Tensor:
    """The same with all factors rounded to ``precision``, products and sums in float32.

    Gradients are those of the values without rounding; they are not rounded themselves.
    """
    *hidden, last = weights
    x = _rounded(x.float(), precision)
    for weight in hidden:
        x = F.linear(x, _rounded(weight.float(), precision))
        x = _rounded(F.relu(x) if activation == "relu" else x, precision)
    return F.linear(x, _rounded(last.float(), precision))


def _rounded(x: Tensor, precision: torch.dtype) -> Tensor:
    """``x`` rounded, with the derivative one; the difference of neighbours is exact."""
    return x + (x.to(precision).float() - x).detach()
