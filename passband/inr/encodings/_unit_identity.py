"""Coordinates moved to the unit interval."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count


class UnitIdentity(nn.Module):
    """``scale u + offset`` of each ``u = (x + 1) / 2``.

    tiny-cuda-nn's otype ``Identity``, whose coordinates are in [0, 1].

    Args:
        in_features: coordinates of a point.
        scale: factor of every coordinate.
        offset: added to every coordinate.

    Raises:
        InputError: fewer than one coordinate, or a number that is not finite.

    Example:
        >>> import torch
        >>> UnitIdentity(2, scale=2.0)(torch.tensor([[0.5, -1.0]]))
        tensor([[1.5000, 0.0000]])
    """

    def __init__(self, in_features: int, *, scale: float = 1.0, offset: float = 0.0) -> None:
        super().__init__()
        check_count("in_features", in_features)
        for name, value in (("scale", scale), ("offset", offset)):
            if not math.isfinite(value):
                raise InputError(f"`{name}` (={value}) must be a finite number.")
        self.in_features = in_features
        self.out_features = in_features
        self.scale = scale
        self.offset = offset

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        return (0.5 * self.scale) * x + (0.5 * self.scale + self.offset)
