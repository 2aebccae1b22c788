"""FINER++: Gaussians and wavelets of variable-periodic sines."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_not_negative, check_positive
from passband.inr.networks._affine import Affine
from passband.inr.networks._wire import _ComplexAffine

_FAR = 30.0


class FinerGauss(nn.Module):
    """Layers ``exp(-(scale sin(omega (|z| + 1) z))^2)`` with ``z = W x + b``, then a linear one.

    A Gaussian of FINER's activation: the farther z is from zero, the narrower the bumps. The factor
    ``|z| + 1`` is held constant in gradients, as in :class:`Finer`. Weights and biases start
    ``U(+-1 / sqrt(fan_in))``, but for the first bias.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of a hidden layer.
        hidden_layers: hidden layers after the first: there are ``hidden_layers + 1`` in all.
        scale: inverse width of the Gaussians.
        omega: frequency factor of the sines.
        first_bias_scale: k, zero or above; the first bias starts ``U(+-k)``,
            ``1 / sqrt(in_features)`` where not given.
        generator: source of the initial values; the same seed gives the same draws whatever the
            factors and k.

    Raises:
        InputError: a size or a factor out of range.

    Example:
        >>> FinerGauss(2, 3, hidden_features=32)(torch.zeros(5, 2)).shape
        torch.Size([5, 3])

    Reference: Zhu, Liu, et al., *FINER++: Building a Family of Variable-periodic Functions for
    Activating Implicit Neural Representation*, 2024 (arXiv 2407.19434); scale, omega and k from the
    code released with it.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 3,
        scale: float = 3.0,
        omega: float = 10.0,
        first_bias_scale: float | None = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        _check(in_features, out_features, hidden_features, hidden_layers)
        check_positive("scale", scale)
        check_positive("omega", omega)
        self.in_features = in_features
        self.out_features = out_features
        self.scale = scale
        self.omega = omega
        first = _first(in_features, hidden_features, first_bias_scale, generator)
        bound = hidden_features**-0.5
        widths = [*[hidden_features] * hidden_layers, out_features]
        others = (
            Affine(hidden_features, width, weight_bound=bound, generator=generator)
            for width in widths
        )
        self.layers = nn.ModuleList([first, *others])

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``."""
        *hidden, last = self.layers
        for layer in hidden:
            sine = torch.sin(self.omega * _stretched(layer(x)))
            x = torch.exp(-((self.scale * sine) ** 2))
        values: Tensor = last(x)
        return values


class FinerWavelet(nn.Module):
    """Layers ``exp(j omega_w y - |scale y|^2)`` of ``y = sin(omega (|z| + 1) z)``, ``z = W x + b``.

    WIRE's wavelet of FINER's activation; then a linear layer, whose real part are the values. The
    first W is real, the others are complex, and so is the sine there: ``|Re z| + 1`` stretches the
    real part and ``|Im z| + 1`` the imaginary one. Both factors are held constant in gradients, as
    in :class:`Finer`. The complex width is ``hidden_features / sqrt(2)``. Real and imaginary parts
    start ``U(+-1 / sqrt(fan_in))``, but for the first bias.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width a real network would have.
        hidden_layers: hidden layers after the first: there are ``hidden_layers + 1`` in all.
        scale: inverse width of the wavelets.
        omega_w: angular frequency of the wavelets.
        omega: frequency factor of the sines.
        first_bias_scale: k, zero or above; the first bias starts ``U(+-k)``,
            ``1 / sqrt(in_features)`` where not given.
        generator: source of the initial values; the same seed gives the same draws whatever the
            factors and k.

    Raises:
        InputError: a size or a factor out of range.

    Example:
        >>> network = FinerWavelet(2, 3, hidden_features=32)
        >>> network(torch.zeros(5, 2)).shape, tuple(network.layers[1].weight.shape)
        (torch.Size([5, 3]), (22, 22, 2))

    Reference: as :class:`FinerGauss`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 2,
        scale: float = 2.0,
        omega_w: float = 4.0,
        omega: float = 5.0,
        first_bias_scale: float | None = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        _check(in_features, out_features, hidden_features, hidden_layers, least_width=2)
        for name, value in (("scale", scale), ("omega_w", omega_w), ("omega", omega)):
            check_positive(name, value)
        self.in_features = in_features
        self.out_features = out_features
        self.scale = scale
        self.omega_w = omega_w
        self.omega = omega
        width = int(hidden_features / math.sqrt(2))
        first = _first(in_features, width, first_bias_scale, generator)
        widths = [*[width] * hidden_layers, out_features]
        others = (_ComplexAffine(width, out, generator) for out in widths)
        self.layers = nn.ModuleList([first, *others])

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``."""
        first, *others = self.layers
        sine = torch.sin(self.omega * _stretched(first(x)))
        wave = torch.polar(torch.exp(-((self.scale * sine) ** 2)), self.omega_w * sine)
        for layer in others[:-1]:
            z = layer(wave)
            wave = self._wavelet(_stretched(z.real), _stretched(z.imag))
        values: Tensor = others[-1](wave).real
        return values

    def _wavelet(
        self, a: Float[Tensor, "*batch width"], b: Float[Tensor, "*batch width"]
    ) -> Complex[Tensor, "*batch width"]:
        """The wavelet of ``y = sin(omega (a + ib)) = sin cosh + i cos sinh``."""
        # Beyond, |y| is so large that the wavelet is 0 in every type, and cosh would overflow.
        a, b = self.omega * a, (self.omega * b).clamp(-_FAR, _FAR)
        real, imaginary = a.sin() * b.cosh(), a.cos() * b.sinh()
        decay = self.omega_w * imaginary + self.scale**2 * (real**2 + imaginary**2)
        return torch.polar(torch.exp(-decay), self.omega_w * real)


def _stretched(z: Tensor) -> Tensor:
    """``(|z| + 1) z``, the factor held constant in gradients."""
    return (z.detach().abs() + 1.0) * z


def _first(
    in_features: int, width: int, bias_scale: float | None, generator: torch.Generator | None
) -> Affine:
    if bias_scale is not None:
        check_not_negative("first_bias_scale", bias_scale)
    return Affine(
        in_features,
        width,
        weight_bound=in_features**-0.5,
        bias_bound=bias_scale,
        generator=generator,
    )


def _check(
    in_features: int,
    out_features: int,
    hidden_features: int,
    hidden_layers: int,
    *,
    least_width: int = 1,
) -> None:
    check_count("in_features", in_features)
    check_count("out_features", out_features)
    check_count("hidden_features", hidden_features, least=least_width)
    check_count("hidden_layers", hidden_layers, least=0)
