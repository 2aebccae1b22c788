"""A multilayer perceptron with ReLU."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count
from passband.inr.networks._affine import Affine


class ReluMLP(nn.Module):
    """``hidden_layers`` layers ``max(0, W x + b)`` and a linear one: what follows an encoding.

    Weights and biases start ``U(+-1 / sqrt(fan_in))``, as in ``torch.nn.Linear``. He's larger start
    keeps the variance of the features, and with it high-frequency noise of random features that
    training has to unlearn first: 8 dB after 200 steps on a picture.

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
            Affine(a, b, weight_bound=a**-0.5, bias=bias, generator=generator)
            for a, b in pairwise([*widths, out_features])
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
