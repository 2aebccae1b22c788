"""Networks with variable-periodic activations."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_not_negative, check_positive
from passband.inr.networks._siren import sine_layers


class Finer(nn.Module):
    """Layers ``sin(omega (|z| + 1) z)`` with ``z = W x + b``, then a linear one.

    The farther z is from zero, the higher the local frequency, and the first bias says how far: it
    starts ``U(+-first_bias_scale)``. The factor ``|z| + 1`` is held constant in gradients, as in
    the official code: they are not the derivatives of the values, by the coordinates neither.

    The other initial values are SIREN's: see :class:`~passband.inr.networks.Siren`.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of a sine layer.
        hidden_layers: sine layers after the first: there are ``hidden_layers + 1`` in all.
        first_omega: frequency factor of the first layer.
        hidden_omega: frequency factor of the others.
        first_bias_scale: k, zero or above; ``1 / sqrt(in_features)`` where not given.
        generator: source of the initial values; the same seed gives the same draws whatever the
            omegas and k.

    Raises:
        InputError: a size or a factor out of range.

    Example:
        >>> network = Finer(2, 3, hidden_features=32, first_bias_scale=2.0)
        >>> network(torch.zeros(5, 2)).shape
        torch.Size([5, 3])
        >>> 1.5 < network.layers[0].bias.abs().max().item() <= 2.0
        True

    Reference: Liu et al., *FINER: Flexible Spectral-Bias Tuning in Implicit NEural Representation
    by Variable-periodic Activation Functions*, CVPR 2024, eq. 4.
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
        first_bias_scale: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("out_features", out_features)
        check_positive("first_omega", first_omega)
        if first_bias_scale is not None:
            check_not_negative("first_bias_scale", first_bias_scale)
        self.in_features = in_features
        self.out_features = out_features
        self.omegas = (first_omega, *[hidden_omega] * hidden_layers)
        self.layers = sine_layers(
            in_features,
            out_features,
            hidden_features,
            hidden_layers,
            hidden_omega,
            generator,
            first_bias_bound=first_bias_scale,
        )

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``."""
        *sines, last = self.layers
        for layer, omega in zip(sines, self.omegas, strict=True):
            z = layer(x)
            factor = torch.add(z.new_tensor(omega), z.detach().abs(), alpha=omega)
            x = torch.sin(factor * z)
        values: Tensor = last(x)
        return values
