"""Multiplicative filter networks: products of sines or Gabor wavelets instead of a composition."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.networks._affine import Affine, uniform


class FourierNet(nn.Module):
    """``z_{i+1} = (W_i z_i + b_i) * g_{i+1}(x)`` with ``g_i(x) = sin(Omega_i x + phi_i)``.

    ``z_1 = g_1(x)``, and the values are a linear map of the last z. A product of sines is a sum of
    sines: the network is a linear combination of exponentially many, of frequencies
    ``+-Omega_n +-Omega_{n-1} .. +-Omega_1``.

    The scale of the initial frequencies is ours: the rows of each Omega are normal, and the
    frequencies of the *product* have the standard deviation ``input_scale``, so it compares to the
    ``sigma`` of :class:`~passband.inr.encodings.RandomFourier`. Phases start ``U(-pi, pi)``,
    weights ``U(+-sqrt(6 / fan_in))``, which keeps the variance of z, a sine's mean square being
    one half.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of z.
        hidden_layers: products: there is one filter more.
        input_scale: standard deviation of the initial frequencies, in cycles per unit.
        generator: source of the initial values, the same draws whatever ``input_scale``.

    Raises:
        InputError: a size or a number out of range.

    Example:
        >>> network = FourierNet(2, 3, hidden_features=32, input_scale=4.0)
        >>> network(torch.zeros(5, 2)).shape, len(network.filters)
        (torch.Size([5, 3]), 4)

    Reference: Fathony, Sahu, Willmott, Kolter, *Multiplicative Filter Networks*, ICLR 2021, eq. 4
    and 5.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 3,
        input_scale: float = 8.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes(in_features, out_features, hidden_features, hidden_layers)
        check_positive("input_scale", input_scale)
        self.in_features = in_features
        self.out_features = out_features
        scale = input_scale / math.sqrt(hidden_layers + 1)
        self.filters = nn.ModuleList(
            self._filter(in_features, hidden_features, scale, hidden_layers + 1, generator)
            for _ in range(hidden_layers + 1)
        )
        self.layers = product_layers(hidden_features, hidden_layers, generator)
        self.head = linear_head(hidden_features, out_features, generator)

    @staticmethod
    def _filter(
        in_features: int, width: int, scale: float, count: int, generator: torch.Generator | None
    ) -> nn.Module:
        return SineFilter(normal_frequencies(in_features, width, scale, generator), generator)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``."""
        values: Tensor = self.head(products(x, self.filters, self.layers)[-1])
        return values


class GaborNet(FourierNet):
    """The same products of ``g_i(x) = exp(-gamma_i |x - mu_i|^2 / 2) sin(Omega_i x + phi_i)``.

    Each wavelet acts where it stands. The means ``mu`` start uniform in the cube [-1, 1]. The
    precisions ``gamma`` start from the Gamma law of shape 2 and a mean of ``6 / filters``, in
    inverse squares of a unit: in a product they add up, so its mean is 6 whatever the depth.

    Args, errors and reference (there eq. 7) as for :class:`FourierNet`.

    Example:
        >>> network = GaborNet(2, 3, hidden_features=32, input_scale=4.0)
        >>> network(torch.zeros(5, 2)).shape
        torch.Size([5, 3])
    """

    @staticmethod
    def _filter(
        in_features: int, width: int, scale: float, count: int, generator: torch.Generator | None
    ) -> nn.Module:
        frequencies = normal_frequencies(in_features, width, scale, generator)
        return GaborFilter(frequencies, 6.0 / count, generator)


class SineFilter(nn.Module):
    """``sin(2 pi F x + phi)`` of trained frequencies F in cycles per unit, ``(width, d)``."""

    def __init__(
        self, frequencies: Float[Tensor, "width d"], generator: torch.Generator | None
    ) -> None:
        super().__init__()
        # Angular, so that a step of the optimiser turns the phase by as much as in other networks.
        self.omega = nn.Parameter(2 * torch.pi * frequencies)
        self.phase = uniform(len(frequencies), bound=torch.pi, generator=generator)

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch width"]:
        return torch.sin(nn.functional.linear(x, self.omega, self.phase))


class GaborFilter(SineFilter):
    """A sine under a Gaussian; the precision is trained by its logarithm and stays positive."""

    def __init__(
        self,
        frequencies: Float[Tensor, "width d"],
        mean_precision: float,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__(frequencies, generator)
        width, d = frequencies.shape
        draws = torch.empty(2, width, device=frequencies.device).exponential_(generator=generator)
        self.log_gamma = nn.Parameter((draws.mean(dim=0) * mean_precision).log())
        self.mu = uniform(width, d, bound=1.0, generator=generator)

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch width"]:
        # |x - mu|^2 multiplied out: no tensor of (batch, width, d).
        squares = x.square().sum(dim=-1, keepdim=True) + self.mu.square().sum(dim=-1)
        distance = squares - 2 * nn.functional.linear(x, self.mu)
        return torch.exp(-0.5 * self.log_gamma.exp() * distance) * super().forward(x)


def products(
    x: Float[Tensor, "*batch d"], filters: nn.ModuleList, layers: nn.ModuleList
) -> list[Float[Tensor, "*batch width"]]:
    """``z_1 = g_1(x)`` and ``z_{i+1} = (W_i z_i + b_i) * g_{i+1}(x)``, all of them."""
    first, *others = filters
    z = [first(x)]
    for filter_, layer in zip(others, layers, strict=True):
        z.append(layer(z[-1]) * filter_(x))
    return z


def product_layers(width: int, count: int, generator: torch.Generator | None) -> nn.ModuleList:
    """The maps between the filters, initial values as :class:`FourierNet` says."""
    bound = math.sqrt(6 / width)
    return nn.ModuleList(
        Affine(width, width, weight_bound=bound, generator=generator) for _ in range(count)
    )


def linear_head(width: int, out_features: int, generator: torch.Generator | None) -> Affine:
    """From z to values of a standard deviation near one half."""
    return Affine(width, out_features, weight_bound=math.sqrt(1.5 / width), generator=generator)


def normal_frequencies(
    in_features: int, width: int, scale: float, generator: torch.Generator | None
) -> Float[Tensor, "width d"]:
    """Rows from ``N(0, scale^2)``: the same seed gives the same draws, scaled."""
    device = generator.device if generator is not None else None
    return scale * torch.randn(width, in_features, generator=generator, device=device)


def check_sizes(
    in_features: int, out_features: int, hidden_features: int, hidden_layers: int
) -> None:
    """Raise unless a network of these sizes can be."""
    check_count("in_features", in_features)
    check_count("out_features", out_features)
    check_count("hidden_features", hidden_features)
    check_count("hidden_layers", hidden_layers, least=0)
