"""A small network behind a stretch of octaves: an encoder of one band of frequencies."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count
from passband.inr.networks._affine import Affine

BLEND = 0.01


class BandEncoder(nn.Module):
    """``MLP([x, sin 2^k pi x, cos 2^k pi x])`` over ``octaves`` octaves k from ``first_octave``.

    All layers, the last too, end in :func:`smooth_relu`. Weights and biases start
    ``U(+-1 / sqrt(fan_in))``.

    Args:
        in_features: coordinates of a point.
        out_features: features.
        first_octave: the lowest k.
        octaves: how many; none leaves the coordinates alone.
        hidden_features: width of the hidden layers.
        hidden_layers: layers before the last.
        generator: source of the initial values.

    Raises:
        InputError: a size out of range.

    Example:
        >>> encoder = BandEncoder(2, 8, first_octave=3, octaves=2, hidden_features=16)
        >>> encoder(torch.zeros(5, 2)).shape, encoder.layers[0].weight.shape
        (torch.Size([5, 8]), torch.Size([16, 10]))
    """

    scales: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        first_octave: int = 0,
        octaves: int,
        hidden_features: int = 64,
        hidden_layers: int = 2,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("first_octave", first_octave, least=0)
        check_count("octaves", octaves, least=0)
        check_count("hidden_features", hidden_features)
        check_count("hidden_layers", hidden_layers, least=0)
        self.in_features = in_features
        self.out_features = out_features
        self.first_octave = first_octave
        powers = torch.arange(first_octave, first_octave + octaves)
        self.register_buffer("scales", 2.0**powers, persistent=False)
        widths = [in_features * (1 + 2 * octaves), *[hidden_features] * hidden_layers, out_features]
        self.layers = nn.ModuleList(
            Affine(a, b, weight_bound=a**-0.5, generator=generator) for a, b in pairwise(widths)
        )

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        angle = torch.pi * (x[..., None] * self.scales.to(x.dtype)).flatten(-2)
        h = torch.cat((x, angle.sin(), angle.cos()), dim=-1)
        for layer in self.layers:
            h = smooth_relu(layer(h))
        return h


def smooth_relu(z: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """``max(0, z)`` with a parabola across +-0.01, so that the slope does not jump.

    Surface normals are derivatives of the field and need that. A softplus of beta 100 is as smooth
    and several times as slow.

    Example:
        >>> smooth_relu(torch.tensor([-0.01, 0.0, 0.01, 0.5]))
        tensor([0.0000, 0.0025, 0.0100, 0.5000])
    """
    bend = z.clamp(-BLEND, BLEND) + BLEND
    return bend.square() / (4 * BLEND) + F.relu(z - BLEND)
