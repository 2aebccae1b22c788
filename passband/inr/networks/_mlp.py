"""A multilayer perceptron with ReLU."""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count
from passband.inr.networks._affine import Affine


class ReluMLP(nn.Module):
    """``hidden_layers`` layers ``max(0, W x + b)`` and a linear one: what follows an encoding.

    Weights start uniform: He's ``U(+-sqrt(6 / fan_in))`` before a ReLU and Xavier's
    ``U(+-sqrt(6 / (fan_in + fan_out)))`` in the last layer; biases ``U(+-1 / sqrt(fan_in))``.

    Args:
        in_features: features of the encoding.
        out_features: values per point.
        hidden_features: width of a hidden layer.
        hidden_layers: number of ReLU layers, as tiny-cuda-nn's ``n_hidden_layers`` (the periodic
            networks of this package count from their second layer on).
        bias: with biases; tiny-cuda-nn's networks have none.
        generator: source of the initial values.

    Raises:
        InputError: a size out of range.

    Example:
        >>> network = ReluMLP(32, 3)
        >>> network(torch.zeros(5, 32)).shape, [tuple(l.weight.shape) for l in network.layers]
        (torch.Size([5, 3]), [(64, 32), (64, 64), (3, 64)])

    Reference: He et al., *Delving Deep into Rectifiers*, ICCV 2015, eq. 10.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 64,
        hidden_layers: int = 2,
        bias: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("hidden_features", hidden_features)
        check_count("hidden_layers", hidden_layers, least=0)
        self.in_features = in_features
        self.out_features = out_features
        widths = [in_features, *[hidden_features] * hidden_layers]
        self.layers = nn.ModuleList(
            Affine(a, b, weight_bound=math.sqrt(6 / a), bias=bias, generator=generator)
            for a, b in pairwise(widths)
        )
        last = math.sqrt(6 / (widths[-1] + out_features))
        self.layers.append(
            Affine(widths[-1], out_features, weight_bound=last, bias=bias, generator=generator)
        )

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the encoded points ``x``."""
        *hidden, last = self.layers
        for layer in hidden:
            x = F.relu(layer(x), inplace=True)
        values: Tensor = last(x)
        return values
