"""Layers whose weights are combinations of fixed Fourier bases while they are trained."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.networks._affine import uniform
from passband.inr.networks._mlp import ReluMLP
from passband.inr.networks._siren import Siren


class ReparameterizedRelu(ReluMLP):
    """A :class:`ReluMLP` whose inner weights are trained as ``W = Lambda B``, B a Fourier basis.

    Same functions, another path to them: a step of the optimiser moves a whole wave of weights,
    which speeds up the high frequencies that a ReLU network learns last. Inner are the maps from a
    hidden layer to a hidden layer. ``phases`` times as many numbers are trained there as in W;
    :meth:`merged` gives the plain network, and after ``eval()``, without gradients, W is computed
    once and kept.

    ``Lambda ~ U(+-sqrt(6 / M) / |B_j|)``, M bases in all, which is He's law for W.

    Args:
        in_features: features of the encoding.
        out_features: values per point.
        hidden_features: width of a hidden layer.
        hidden_layers: number of ReLU layers.
        phases: bases per weight of a row; see :func:`fourier_basis`.
        basis_scale: amplitude of the bases: a factor on the learning rate of Lambda and no more.
        generator: source of the initial values.

    Raises:
        InputError: a size or a number out of range.

    Example:
        >>> network = ReparameterizedRelu(32, 3, hidden_layers=3)
        >>> plain = network.merged()
        >>> x = torch.ones(5, 32)
        >>> bool((plain(x) - network(x)).abs().max() < 1e-5)
        True
        >>> [sum(p.numel() for p in n.parameters()) for n in (network, plain)]
        [70403, 37635]

    Reference: Shi, Zhou, Gu, *Improved Implicit Neural Representation with Fourier Reparameterized
    Training*, CVPR 2024, eq. 6 to 9.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 128,
        hidden_layers: int = 3,
        phases: int = 2,
        basis_scale: float = 0.3,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(
            in_features,
            out_features,
            hidden_features=hidden_features,
            hidden_layers=hidden_layers,
            generator=generator,
        )
        self.hidden_features = hidden_features
        bound = math.sqrt(6 / hidden_features)
        _replace_inner(self.layers, hidden_features, phases, basis_scale, bound, generator)

    def merged(self) -> ReluMLP:
        """The plain network of the same values, on parameters of its own."""
        plain = ReluMLP(
            self.in_features,
            self.out_features,
            hidden_features=self.hidden_features,
            hidden_layers=len(self.layers) - 1,
        )
        _copy_merged(self.layers, plain.layers)
        return plain


class ReparameterizedSiren(Siren):
    """A :class:`Siren` whose inner weights are trained as ``W = Lambda B``, B a Fourier basis.

    As :class:`ReparameterizedRelu`, with ``Lambda`` divided by ``hidden_omega``: SIREN's own law
    for W. Args, errors and reference as there and for :class:`Siren`.

    Example:
        >>> network = ReparameterizedSiren(2, 3, hidden_features=32, hidden_layers=1)
        >>> x = torch.ones(5, 2)
        >>> bool((network.merged()(x) - network(x)).abs().max() < 1e-5)
        True
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
        phases: int = 2,
        basis_scale: float = 0.05,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(
            in_features,
            out_features,
            hidden_features=hidden_features,
            hidden_layers=hidden_layers,
            first_omega=first_omega,
            hidden_omega=hidden_omega,
            generator=generator,
        )
        self.hidden_features = hidden_features
        bound = math.sqrt(6 / hidden_features) / hidden_omega
        _replace_inner(self.layers, hidden_features, phases, basis_scale, bound, generator)

    def merged(self) -> Siren:
        """The plain network of the same values, on parameters of its own."""
        plain = Siren(
            self.in_features,
            self.out_features,
            hidden_features=self.hidden_features,
            hidden_layers=len(self.layers) - 2,
        )
        plain.omegas = self.omegas
        _copy_merged(self.layers, plain.layers)
        return plain


def fourier_basis(length: int, phases: int) -> Float[Tensor, "bases {length}"]:
    """``cos(w z_j + phi)`` at ``length`` points z from ``-pi F`` to ``pi F``, ``F = length / 2``.

    Low frequencies ``w = 1/F, 2/F .. 1``, then high ones ``1, 2 .. F``, each at the phases
    ``phi = pi p / P``: about ``length * phases`` rows, in float64. From two phases on they span all
    rows of weights but one or two: the ends of z are a period apart.

    The paper has 128 frequencies of either kind and 32 phases around the circle for widths of 256.
    Opposite phases are opposite bases, so half the circle does here, and two phases give most of
    the gain at a cost that a CPU can bear.

    Args:
        length: columns, the width of what a layer takes.
        phases: P.

    Example:
        >>> fourier_basis(6, 2).shape
        torch.Size([12, 6])
    """
    count = -(-length // 2)
    steps = torch.arange(1, count + 1, dtype=torch.float64)
    omega = torch.cat((steps / count, steps))
    phase = torch.pi * torch.arange(phases, dtype=torch.float64) / phases
    z = torch.linspace(-torch.pi * count, torch.pi * count, length, dtype=torch.float64)
    return torch.cos(omega[:, None, None] * z + phase[:, None]).flatten(0, 1)


class ReparameterizedAffine(nn.Module):
    """``gain (W x + b)`` with ``W = coefficients @ basis``, the basis fixed.

    ``weight_bound`` is that of uniform weights with the variance that W starts with.
    """

    basis: Tensor

    def __init__(
        self,
        basis: Float[Tensor, "bases d"],
        out_features: int,
        *,
        weight_bound: float,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        count, in_features = basis.shape
        device = generator.device if generator is not None else None
        self.register_buffer("basis", basis.to(device, torch.get_default_dtype()), persistent=False)
        norms = basis.norm(dim=1)
        # A wave can vanish at all points: its coefficients would be infinite, and count for naught.
        norms = norms.clamp_min(1e-3 * float(norms.max())).to(self.basis)
        draws = torch.empty(out_features, count, device=device).uniform_(-1, 1, generator=generator)
        bound = weight_bound * math.sqrt(in_features / count) / norms
        self.coefficients = nn.Parameter(draws * bound)
        self.bias = uniform(out_features, bound=in_features**-0.5, generator=generator)
        self._merged: tuple[tuple[object, ...], Tensor] | None = None

    @property
    def weight(self) -> Float[Tensor, "out d"]:
        """W; in evaluation mode and without gradients, computed once."""
        coefficients = self.coefficients
        if self.training or torch.is_grad_enabled():
            return coefficients @ self.basis
        # Fused optimisers change values but not the version: so train() forgets, too.
        state = (coefficients._version, coefficients.data_ptr(), coefficients.dtype)
        if self._merged is None or self._merged[0] != state:
            self._merged = (state, coefficients @ self.basis)
        return self._merged[1]

    def train(self, mode: bool = True) -> "ReparameterizedAffine":
        """As for any module, and forget the W of the last evaluation."""
        self._merged = None
        super().train(mode)
        return self

    def forward(
        self, x: Float[Tensor, "*batch d"], gain: float = 1.0
    ) -> Float[Tensor, "*batch out"]:
        """As :class:`Affine`."""
        if gain == 1.0:
            return F.linear(x, self.weight, self.bias)
        return F.linear(x, gain * self.weight, gain * self.bias)


def _replace_inner(
    layers: nn.ModuleList,
    width: int,
    phases: int,
    basis_scale: float,
    weight_bound: float,
    generator: torch.Generator | None,
) -> None:
    check_count("phases", phases, least=2)
    check_positive("basis_scale", basis_scale)
    basis = basis_scale * fourier_basis(width, phases)
    for index in range(1, len(layers) - 1):
        layers[index] = ReparameterizedAffine(
            basis, width, weight_bound=weight_bound, generator=generator
        )


def _copy_merged(layers: nn.ModuleList, plain: nn.ModuleList) -> None:
    with torch.no_grad():
        for source, target in zip(layers, plain, strict=True):
            target.weight = nn.Parameter(source.weight.clone())  # type: ignore[operator]
            target.bias = nn.Parameter(source.bias.clone())  # type: ignore[operator]
