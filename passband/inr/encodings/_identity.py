"""Coordinates as they are."""

from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count


class Identity(nn.Module):
    """``x``: for networks that bring their own frequencies, such as SIREN.

    Args:
        in_features: coordinates of a point.

    Raises:
        InputError: fewer than one coordinate.

    Example:
        >>> import torch
        >>> Identity(2)(torch.tensor([[0.5, -1.0]]))
        tensor([[ 0.5000, -1.0000]])
    """

    def __init__(self, in_features: int) -> None:
        super().__init__()
        check_count("in_features", in_features)
        self.in_features = in_features
        self.out_features = in_features

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """The coordinates ``x``."""
        return x
