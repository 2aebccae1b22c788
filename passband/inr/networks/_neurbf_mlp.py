"""The network behind adaptive radial basis functions."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count
from passband.inr.encodings._neurbf import geometric
from passband.inr.networks._affine import Affine


class NeuRBFMLP(nn.Module):
    """First layer ``h + sin(m_j h_j)`` of ``h = W x + b``, then ReLU layers and a linear one.

    The multipliers ``m_j`` of the units are spaced geometrically and not trained. Initial values as
    in :class:`ReluMLP`; the paper does not give them.

    Args:
        in_features: features of the encoding.
        out_features: values per point.
        hidden_features: width of a hidden layer.
        hidden_layers: hidden layers, the first included; at least 1.
        multipliers: the least and the largest m, in radians; (10, 100) for one picture, (30, 300)
            for shapes in the paper.
        generator: source of the initial values.

    Raises:
        InputError: a size out of range.

    Example:
        >>> network = NeuRBFMLP(36, 3)
        >>> network(torch.zeros(5, 36)).shape, network.multipliers[[0, -1]]
        (torch.Size([5, 3]), tensor([ 10., 100.]))

    Reference: Chen et al., *NeuRBF*, ICCV 2023, sec. 3.3.
    """

    multipliers: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 64,
        hidden_layers: int = 2,
        multipliers: tuple[float, float] = (10.0, 100.0),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("hidden_features", hidden_features)
        check_count("hidden_layers", hidden_layers)
        self.in_features = in_features
        self.out_features = out_features
        widths = [in_features, *[hidden_features] * hidden_layers, out_features]
        self.layers = nn.ModuleList(
            Affine(a, b, weight_bound=a**-0.5, generator=generator) for a, b in pairwise(widths)
        )
        device = generator.device if generator is not None else None
        self.register_buffer("multipliers", geometric(*multipliers, hidden_features).to(device))

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the encoded points ``x``."""
        first, *hidden, last = self.layers
        x = first(x)
        x = x + torch.sin(self.multipliers.to(x.dtype) * x)
        for layer in hidden:
            x = F.relu(layer(x), inplace=True)
        values: Tensor = last(x)
        return values
