"""Sinusoidal representation networks."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.networks._affine import Affine


class Siren(nn.Module):
    """Layers ``sin(omega (W x + b))``, then a linear one.

    **Omega stands outside the affine map and multiplies the bias too**, as in the official code.
    FreSh's code has it inside, ``sin(W (omega x) + b)``, where a large omega leaves the phases
    alone: an omega chosen in one convention does not carry over to the other.

    Weights start ``U(+-1 / fan_in)`` in the first layer and ``U(+-sqrt(6 / fan_in) /
    hidden_omega)`` in all others, the linear one included; biases ``U(+-1 / sqrt(fan_in))``. Then
    the activations have a standard deviation of about 0.7 at every depth.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of a sine layer.
        hidden_layers: sine layers after the first: there are ``hidden_layers + 1`` in all.
        first_omega: frequency factor of the first layer. Its weights are within
            ``1 / in_features``, so along an axis it offers up to
            ``first_omega / (2 pi in_features)`` cycles per unit.
        hidden_omega: frequency factor of the others.
        generator: source of the initial values; the same seed gives the same draws whatever the
            omegas, which scale the bounds alone.

    Raises:
        InputError: a size or an omega out of range.

    Example:
        >>> network = Siren(2, 3, hidden_features=32, hidden_layers=1, first_omega=60.0)
        >>> network(torch.zeros(5, 2)).shape, [tuple(l.weight.shape) for l in network.layers]
        (torch.Size([5, 3]), [(32, 2), (32, 32), (3, 32)])

    Reference: Sitzmann et al., *Implicit Neural Representations with Periodic Activation
    Functions*, NeurIPS 2020, sec. 3.2.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 3,
        first_omega: float = 30.0,
        hidden_omega: float = 30.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("out_features", out_features)
        check_positive("first_omega", first_omega)
        self.in_features = in_features
        self.out_features = out_features
        self.omegas = (first_omega, *[hidden_omega] * hidden_layers)
        self.layers = sine_layers(
            in_features, out_features, hidden_features, hidden_layers, hidden_omega, generator
        )

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``."""
        *sines, last = self.layers
        for layer, omega in zip(sines, self.omegas, strict=True):
            x = torch.sin(layer(x, gain=omega))
        values: Tensor = last(x)
        return values


def sine_layers(
    in_features: int,
    out_features: int,
    hidden_features: int,
    hidden_layers: int,
    hidden_omega: float,
    generator: torch.Generator | None,
    *,
    first_bias_bound: float | None = None,
) -> nn.ModuleList:
    """The affine maps of a periodic network with SIREN's initial values, first to last."""
    check_count("in_features", in_features)
    check_count("hidden_features", hidden_features)
    check_count("hidden_layers", hidden_layers, least=0)
    check_positive("hidden_omega", hidden_omega)
    first = Affine(
        in_features,
        hidden_features,
        weight_bound=1 / in_features,
        bias_bound=first_bias_bound,
        generator=generator,
    )
    bound = math.sqrt(6 / hidden_features) / hidden_omega
    widths = [*[hidden_features] * hidden_layers, out_features]
    others = (
        Affine(hidden_features, width, weight_bound=bound, generator=generator) for width in widths
    )
    return nn.ModuleList([first, *others])
