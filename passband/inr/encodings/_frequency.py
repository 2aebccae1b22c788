"""Sines and cosines at octaves, as tiny-cuda-nn orders and scales them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count


class Frequency(nn.Module):
    """``sin(2^k pi u), cos(2^k pi u)`` of each ``u = (x + 1) / 2``, ``k = 0 .. n_frequencies - 1``.

    tiny-cuda-nn's otype ``Frequency``, whose coordinates are in [0, 1]: coordinate after
    coordinate, octave after octave, sine before cosine. Octave k has ``2^k / 4`` cycles per unit of
    x, half of what :class:`Positional` has there, and no feature is the coordinate itself.

    Args:
        in_features: coordinates of a point.
        n_frequencies: number of octaves, at least 1.

    Raises:
        InputError: a count out of range.

    Example:
        >>> Frequency(1, 2)(torch.tensor([-0.5])).round(decimals=4)
        tensor([0.7071, 0.7071, 1.0000, -0.0000])

    Reference: Mildenhall et al., *NeRF*, ECCV 2020, eq. 4; Müller, *tiny-cuda-nn*, 2021.
    """

    scales: Tensor

    def __init__(self, in_features: int, n_frequencies: int = 12) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("n_frequencies", n_frequencies)
        self.in_features = in_features
        self.out_features = 2 * in_features * n_frequencies
        # Powers of two: the same in every floating-point type.
        self.register_buffer("scales", 2.0 ** torch.arange(n_frequencies), persistent=False)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        angle = torch.pi * ((0.5 * x + 0.5)[..., None] * self.scales.to(x.dtype))
        return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(-3)
