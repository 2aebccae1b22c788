"""Fourier analysis networks."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.networks._affine import Affine


class Fan(nn.Module):
    """Layers ``[cos omega W_p x, sin omega W_p x, gelu(W_g x + b_g)]`` between two linear ones.

    A share ``p_ratio`` of the features are cosines, as many are sines, the others GELUs. Periods in
    the signal go into the waves, which continue them where there is no data.

    The paper has no omega; its layers start near ``|W_p x| = 1`` and so at low frequencies. Here
    ``first_omega`` scales W_p in the first layer, as SIREN's does, and 1 is the paper's network.
    Weights and biases start ``U(+-1 / sqrt(fan_in))``.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of a layer; a share of it is rounded down.
        hidden_layers: Fourier layers, behind a linear embedding of the coordinates.
        p_ratio: share of cosines, above 0 and below 0.5.
        first_omega: frequency factor of the first Fourier layer.
        generator: source of the initial values; the same seed gives the same draws whatever omega.

    Raises:
        InputError: a size or a factor out of range.

    Example:
        >>> network = Fan(2, 3, hidden_features=32, hidden_layers=1)
        >>> network(torch.zeros(5, 2)).shape, tuple(network.layers[0].waves.weight.shape)
        (torch.Size([5, 3]), (8, 32))

    Reference: Dong et al., *FAN: Fourier Analysis Networks*, NeurIPS 2025 (arXiv 2410.02675).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 2,
        p_ratio: float = 0.25,
        first_omega: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("hidden_features", hidden_features)
        check_count("hidden_layers", hidden_layers)
        check_positive("first_omega", first_omega)
        waves = _wave_count(hidden_features, p_ratio)
        self.in_features = in_features
        self.out_features = out_features
        self.omegas = (first_omega, *[1.0] * (hidden_layers - 1))
        self.embedding = _linear(in_features, hidden_features, generator)
        self.layers = nn.ModuleList(
            self._layer(hidden_features, waves, generator) for _ in range(hidden_layers)
        )
        self.last = _linear(hidden_features, out_features, generator)

    def _layer(self, features: int, waves: int, generator: torch.Generator | None) -> "FanLayer":
        return FanLayer(features, waves, generator)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``."""
        x = self.embedding(x)
        for layer, omega in zip(self.layers, self.omegas, strict=True):
            x = layer(x, omega)
        values: Tensor = self.last(x)
        return values


class GatedFan(Fan):
    """:class:`Fan` with layers ``[g cos, g sin, (1 - g) gelu]``, one trained gate each.

    ``g = sigmoid(s)`` with ``s ~ N(0, 1)`` at the start.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of a layer; a share of it is rounded down.
        hidden_layers: Fourier layers, behind a linear embedding of the coordinates.
        p_ratio: share of cosines, above 0 and below 0.5.
        first_omega: frequency factor of the first Fourier layer.
        generator: source of the initial values; the same seed gives the same draws whatever omega.

    Raises:
        InputError: a size or a factor out of range.

    Example:
        >>> network = GatedFan(2, 3, hidden_features=32, hidden_layers=2)
        >>> network(torch.zeros(5, 2)).shape, network.layers[1].gate.shape
        (torch.Size([5, 3]), torch.Size([]))

    Reference: as :class:`Fan`; the gate is of the code released with it.
    """

    def _layer(self, features: int, waves: int, generator: torch.Generator | None) -> "FanLayer":
        return GatedFanLayer(features, waves, generator)


class FanLayer(nn.Module):
    """``[cos omega W_p x, sin omega W_p x, gelu(W_g x + b_g)]``, as many features as ``x`` has."""

    def __init__(self, features: int, waves: int, generator: torch.Generator | None) -> None:
        super().__init__()
        bound = features**-0.5
        self.waves = Affine(features, waves, weight_bound=bound, bias=False, generator=generator)
        self.rest = _linear(features, features - 2 * waves, generator)

    def forward(
        self, x: Float[Tensor, "*batch width"], omega: float = 1.0
    ) -> Float[Tensor, "*batch width"]:
        """Features of ``x``."""
        angle, rest = self.parts(x, omega)
        return torch.cat((angle.cos(), angle.sin(), rest), dim=-1)

    def parts(self, x: Tensor, omega: float) -> tuple[Tensor, Tensor]:
        """The angles of the waves and the GELUs."""
        return self.waves(x, gain=omega), F.gelu(self.rest(x))


class GatedFanLayer(FanLayer):
    """``[g cos omega W_p x, g sin omega W_p x, (1 - g) gelu(W_g x + b_g)]``, ``g`` trained."""

    def __init__(self, features: int, waves: int, generator: torch.Generator | None) -> None:
        super().__init__(features, waves, generator)
        device = generator.device if generator is not None else None
        self.gate = nn.Parameter(torch.randn((), generator=generator, device=device))

    def forward(
        self, x: Float[Tensor, "*batch width"], omega: float = 1.0
    ) -> Float[Tensor, "*batch width"]:
        """Features of ``x``."""
        angle, rest = self.parts(x, omega)
        gate = self.gate.sigmoid()
        return torch.cat((gate * angle.cos(), gate * angle.sin(), (1 - gate) * rest), dim=-1)


def _linear(in_features: int, out_features: int, generator: torch.Generator | None) -> Affine:
    return Affine(in_features, out_features, weight_bound=in_features**-0.5, generator=generator)


def _wave_count(hidden_features: int, p_ratio: float) -> int:
    if not 0 < p_ratio < 0.5:
        raise InputError(
            f"`p_ratio` (={p_ratio}) must be above 0 and below 0.5: cosines and sines take it each."
        )
    count = int(hidden_features * p_ratio)
    if count < 1:
        raise InputError(
            f"`hidden_features` (={hidden_features}) must be at least {1 / p_ratio:.0f} for one "
            f"wave at p_ratio {p_ratio:g}."
        )
    return count
