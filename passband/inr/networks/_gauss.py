"""Networks with Gaussian activations."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.networks._affine import Affine


class Gauss(nn.Module):
    """Layers ``exp(-(scale (W x + b))^2)``, then a linear one.

    Weights and biases start ``U(+-1 / sqrt(fan_in))``.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of a Gaussian layer.
        hidden_layers: Gaussian layers after the first: there are ``hidden_layers + 1`` in all.
        scale: inverse width of the Gaussians; larger means finer detail.
        generator: source of the initial values, the same draws whatever ``scale``.

    Raises:
        InputError: a size or a ``scale`` out of range.

    Example:
        >>> Gauss(2, 3, hidden_features=32)(torch.zeros(5, 2)).shape
        torch.Size([5, 3])

    Reference: Ramasinghe & Lucey, *Beyond Periodicity: Towards a Unifying Framework for Activations
    in Coordinate-MLPs*, ECCV 2022.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 3,
        scale: float = 30.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("hidden_features", hidden_features)
        check_count("hidden_layers", hidden_layers, least=0)
        check_positive("scale", scale)
        self.in_features = in_features
        self.out_features = out_features
        self.scale = scale
        widths = [in_features, *[hidden_features] * (hidden_layers + 1), out_features]
        self.layers = nn.ModuleList(
            Affine(a, b, weight_bound=a**-0.5, generator=generator) for a, b in pairwise(widths)
        )

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``."""
        *gaussians, last = self.layers
        for layer in gaussians:
            x = layer(x, gain=self.scale).square().neg_().exp_()
        values: Tensor = last(x)
        return values
