"""Sines and cosines at octaves."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count


class Positional(nn.Module):
    """``sin(2^k pi x), cos(2^k pi x)`` of each coordinate for ``k = 0 .. octaves - 1``.

    Coordinate after coordinate, octave after octave, sine before cosine, behind the coordinates
    themselves. Octave k has ``2^(k-1)`` cycles per unit, ``2^k`` over the interval [-1, 1].

    Args:
        in_features: coordinates of a point.
        octaves: number of octaves, at least 1.
        include_input: put the coordinates in front.

    Raises:
        InputError: a count out of range.

    Example:
        >>> Positional(1, 2)(torch.tensor([0.25])).round(decimals=4)
        tensor([0.2500, 0.7071, 0.7071, 1.0000, -0.0000])

    Reference: Mildenhall et al., *NeRF*, ECCV 2020, eq. 4; tiny-cuda-nn's encoding ``Frequency``.
    """

    scales: Tensor

    def __init__(self, in_features: int, octaves: int, *, include_input: bool = True) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("octaves", octaves)
        self.in_features = in_features
        self.octaves = octaves
        self.include_input = include_input
        self.out_features = in_features * (2 * octaves + include_input)
        # Powers of two: the same in every floating-point type.
        self.register_buffer("scales", 2.0 ** torch.arange(octaves), persistent=False)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        angle = torch.pi * (x[..., None] * self.scales.to(x.dtype))
        waves = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(-3)
        return torch.cat((x, waves), dim=-1) if self.include_input else waves
