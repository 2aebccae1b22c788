"""Directions of the samples of a panorama."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._spherical_harmonics import SphericalHarmonics


class PanoramaHarmonics(nn.Module):
    """Spherical harmonics of the direction that a sample of a panorama looks in.

    Panoramas are equirectangular: of coordinates (row, column) in [-1, 1], rows run from the
    zenith (-1) to the nadir at latitude ``-row pi / 2``, columns once around at longitude
    ``column pi``. The features close over the seam and at the poles, as the scene does.

    Args:
        degree: degrees of the harmonics from 0, at most 8; there are ``degree^2`` features.

    Raises:
        InputError: a degree out of range.

    Example:
        >>> harmonics = PanoramaHarmonics(4)
        >>> ends = harmonics(torch.tensor([[0.3, -1.0], [0.3, 1.0]]))
        >>> torch.allclose(ends[0], ends[1], atol=1e-6)
        True
    """

    def __init__(self, degree: int = 4) -> None:
        super().__init__()
        self.harmonics = SphericalHarmonics(3, degree)
        self.in_features = 2
        self.out_features = self.harmonics.out_features

    def forward(self, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of (row, column)."""
        latitude, longitude = -x[..., 0] * math.pi / 2, x[..., 1] * math.pi
        level = latitude.cos()
        direction = (level * longitude.cos(), level * longitude.sin(), latitude.sin())
        features: Tensor = self.harmonics(torch.stack(direction, dim=-1))
        return features
