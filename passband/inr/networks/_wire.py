"""Wavelet implicit representations."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.networks._affine import Affine, uniform


class Wire(nn.Module):
    """Layers ``exp(j omega z - |scale z|^2)``, ``z = W x + b`` complex, then a linear one.

    The first W is real, the others are complex; the values are the real part of the last. The
    complex width is ``hidden_features / sqrt(2)``, which keeps the number of parameters near that
    of a real network. Real and imaginary parts start ``U(+-1 / sqrt(fan_in))``.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width a real network would have.
        hidden_layers: wavelet layers after the first: there are ``hidden_layers + 1`` in all.
        omega: angular frequency of the wavelets.
        scale: inverse width of the wavelets.
        generator: source of the initial values, the same draws whatever ``omega`` and ``scale``.

    Raises:
        InputError: a size or a factor out of range.

    Example:
        >>> network = Wire(2, 3, hidden_features=64)
        >>> network(torch.zeros(5, 2)).shape, tuple(network.layers[1].weight.shape)
        (torch.Size([5, 3]), (45, 45, 2))

    Reference: Saragadam et al., *WIRE: Wavelet Implicit Neural Representations*, CVPR 2023, eq. 3.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 2,
        omega: float = 20.0,
        scale: float = 10.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("hidden_features", hidden_features, least=2)
        check_count("hidden_layers", hidden_layers, least=0)
        check_positive("omega", omega)
        check_positive("scale", scale)
        self.in_features = in_features
        self.out_features = out_features
        self.omega = omega
        self.scale = scale
        width = int(hidden_features / math.sqrt(2))
        first = Affine(in_features, width, weight_bound=in_features**-0.5, generator=generator)
        widths = [*[width] * hidden_layers, out_features]
        others = (_ComplexAffine(width, out, generator) for out in widths)
        self.layers = nn.ModuleList([first, *others])

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``."""
        first, *others = self.layers
        z = first(x)
        wave = torch.polar(torch.exp(-((self.scale * z) ** 2)), self.omega * z)
        for layer in others[:-1]:
            wave = self._wavelet(layer(wave))
        values: Tensor = others[-1](wave).real
        return values

    def _wavelet(self, z: Complex[Tensor, "*batch width"]) -> Complex[Tensor, "*batch width"]:
        real, imaginary = z.real, z.imag
        decay = self.omega * imaginary + self.scale**2 * (real**2 + imaginary**2)
        return torch.polar(torch.exp(-decay), self.omega * real)


class _ComplexAffine(nn.Module):
    """Complex ``W x + b``, real and imaginary part along the last axis of real parameters.

    Real parameters follow ``module.double()``, optimizers and checkpoints as any others do.
    """

    def __init__(
        self, in_features: int, out_features: int, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        bound = in_features**-0.5
        self.weight = uniform(out_features, in_features, 2, bound=bound, generator=generator)
        self.bias = uniform(out_features, 2, bound=bound, generator=generator)

    def forward(self, x: Complex[Tensor, "*batch d"]) -> Complex[Tensor, "*batch out"]:
        return x @ torch.view_as_complex(self.weight).t() + torch.view_as_complex(self.bias)
