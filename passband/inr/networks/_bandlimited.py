"""Band-limited coordinate networks."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_positive
from passband.inr.networks._affine import uniform
from passband.inr.networks._multiplicative import (
    check_sizes,
    linear_head,
    product_layers,
    products,
)


class Bacon(nn.Module):
    """A multiplicative filter network with integer frequencies: every layer's band is known.

    ``z_{i+1} = (W_i z_i + b_i) * sin(Omega_{i+1} x + phi_{i+1})``, ``z_1`` the first sine, and an
    output ``y_i = V_i z_i + c_i`` at every layer. The frequencies stay as drawn, whole cycles per
    ``period`` of at most ``B_i`` along an axis, and a product adds them: the Fourier series of
    y_i over a period ends at ``B_1 + .. + B_i`` along every axis, whatever the weights.
    :attr:`band_limits` says where.

    Two choices are ours. The limits halve from output to output, ``max_frequency`` at the last. And
    the period is longer than the interval [-1, 1]: a picture's opposite edges need not agree.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of z.
        hidden_layers: products: there are ``hidden_layers + 1`` filters and outputs.
        max_frequency: band limit of the last output along an axis, in cycles per side, which is two
            units. Half a picture's samples are all it can hold.
        period: of the field, in units, at least 2.
        generator: source of the frequencies and initial values.

    Raises:
        InputError: a size or a number out of range, or less than one cycle a period.

    Example:
        >>> network = Bacon(2, 3, hidden_features=32, max_frequency=64.0, period=2.0)
        >>> network.band_limits
        [8, 16, 32, 64]
        >>> [tuple(y.shape) for y in network.level_outputs(torch.zeros(5, 2))]
        [(5, 3), (5, 3), (5, 3), (5, 3)]

    Reference: Lindell, Van Veen, Park, Wetzstein, *BACON: Band-limited Coordinate Networks for
    Multiscale Scene Representation*, CVPR 2022, eq. 4 to 7.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 3,
        max_frequency: float = 64.0,
        period: float = 2.5,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes(in_features, out_features, hidden_features, hidden_layers)
        check_positive("max_frequency", max_frequency)
        if not (math.isfinite(period) and period >= 2):
            raise InputError(f"`period` (={period}) must be at least 2 units, the side [-1, 1].")
        self.in_features = in_features
        self.out_features = out_features
        self.period = period
        self.band_limits = _limits(int(max_frequency * period / 2), hidden_layers + 1)
        bands = [b - a for a, b in pairwise([0, *self.band_limits])]
        self.filters = nn.ModuleList(
            QuantizedSines(in_features, hidden_features, band, period, generator) for band in bands
        )
        self.layers = product_layers(hidden_features, hidden_layers, generator)
        self.heads = nn.ModuleList(
            linear_head(hidden_features, out_features, generator) for _ in bands
        )

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``, of the full band."""
        values: Tensor = self.heads[-1](products(x, self.filters, self.layers)[-1])
        return values

    def level_outputs(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> list[Float[Tensor, "*batch {self.out_features}"]]:
        """``y_1, y_2 ..`` at the coordinates ``x``, each within its band."""
        z = products(x, self.filters, self.layers)
        return [head(values) for head, values in zip(self.heads, z, strict=True)]


class QuantizedSines(nn.Module):
    """``sin(2 pi k x / period + phi)`` of fixed whole vectors k in ``[-band, band]^d``."""

    cycles: Tensor

    def __init__(
        self,
        in_features: int,
        width: int,
        band: int,
        period: float,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        device = generator.device if generator is not None else None
        # Uniform draws, so that the same seed gives vectors that scale with the band.
        draws = torch.rand(width, in_features, generator=generator, device=device)
        cycles = (draws * (2 * band + 1)).floor().clamp_max(2 * band) - band
        self.register_buffer("cycles", cycles)
        self.period = period
        self.phase = uniform(width, bound=torch.pi, generator=generator)

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch width"]:
        omega = self.cycles.to(x.dtype) * (2 * torch.pi / self.period)
        return torch.sin(nn.functional.linear(x, omega, self.phase.to(x.dtype)))


def _limits(total: int, count: int) -> list[int]:
    """Limits of ``count`` outputs, each half of the next, rising, ``total`` the last."""
    if total < 1:
        raise InputError(
            "`max_frequency` is below one cycle per `period`. Raise it to 2 / period at least."
        )
    return [max(total >> (count - 1 - i), 0) for i in range(count)]
