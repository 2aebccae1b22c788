"""The multilayer perceptrons of tiny-cuda-nn."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count, check_not_negative
from passband.inr.networks._affine import Affine

Activation = Literal[
    "None",
    "ReLU",
    "LeakyReLU",
    "SiLU",
    "Exponential",
    "Sine",
    "Sigmoid",
    "Squareplus",
    "Softplus",
    "Tanh",
]

_SHARPNESS = 10.0  # of Squareplus and Softplus, to come near ReLU
_BLOCK = 16  # tiny-cuda-nn rounds the features before and the values behind a network up to it


class TcnnMLP(nn.Module):
    """``W_out act(... act(W_1 [x, 1, ..., 1]))`` without biases, as tiny-cuda-nn's networks.

    tiny-cuda-nn fills the features of an encoding up to a multiple of 16, those of grids with 0 and
    all others with 1. The weights behind a 1 are a bias of the first layer: the only one there is.

    Weights start as in Xavier's law, ``U(+-sqrt(6 / (fan_in + fan_out)))``; with ``Sine`` as in
    SIREN with omega inside the weights, ``U(+-30 / fan_in)`` in the first layer and
    ``U(+-sqrt(6 / fan_in))`` in the others. The fans count inputs and outputs as filled up.

    Activations, by tiny-cuda-nn's names: ``None``, ``ReLU``, ``LeakyReLU`` (slope 0.01), ``SiLU``,
    ``Exponential``, ``Sine``, ``Sigmoid``, ``Tanh``, and with ``X = 10 x`` ``Squareplus``
    ``(X + sqrt(X^2 + 4)) / 20`` and ``Softplus`` ``log(1 + exp(X)) / 10``.

    Args:
        in_features: features of the encoding.
        out_features: values per point.
        hidden_features: width of a hidden layer (``n_neurons``).
        hidden_layers: hidden layers (``n_hidden_layers``).
        activation: of the hidden layers.
        output_activation: of the values.
        constant_inputs: how many 1s to append to the features; as many as fill them up to a
            multiple of 16 by default, which is what encodings other than grids get.
        l2_reg: strength of :meth:`penalty`, zero or above.
        generator: source of the initial values.

    Raises:
        InputError: a size out of range or an unknown activation.

    Example:
        >>> network = TcnnMLP(2, 3, hidden_features=64, hidden_layers=2)
        >>> network(torch.zeros(5, 2)).shape, [tuple(l.weight.shape) for l in network.layers]
        (torch.Size([5, 3]), [(64, 16), (64, 64), (3, 64)])

    Reference: Müller, Rousselle, Novák, Keller, *Real-time Neural Radiance Caching for Path
    Tracing*, ACM Trans. Graph. 40(4), 2021; Müller, *tiny-cuda-nn*, 2021.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 128,
        hidden_layers: int = 5,
        activation: Activation = "ReLU",
        output_activation: Activation = "None",
        constant_inputs: int | None = None,
        l2_reg: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("hidden_features", hidden_features)
        check_count("hidden_layers", hidden_layers, least=0)
        check_not_negative("l2_reg", l2_reg)
        if constant_inputs is None:
            constant_inputs = -in_features % _BLOCK
        check_count("constant_inputs", constant_inputs, least=0)
        self.in_features = in_features
        self.out_features = out_features
        self.constant_inputs = constant_inputs
        self.l2_reg = l2_reg
        self._activate = _named("activation", activation)
        self._finish = _named("output_activation", output_activation)
        widths = [in_features + constant_inputs, *[hidden_features] * hidden_layers, out_features]
        bounds = [
            _bound(a, b, first=index == 0, sine=activation == "Sine")
            for index, (a, b) in enumerate(pairwise(widths))
        ]
        self.layers = nn.ModuleList(
            Affine(a, b, weight_bound=bound, bias=False, generator=generator)
            for (a, b), bound in zip(pairwise(widths), bounds, strict=True)
        )

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the encoded points ``x``."""
        *hidden, last = self.layers
        if self.constant_inputs:
            x = F.pad(x, (0, self.constant_inputs), value=1.0)
        for layer in hidden:
            x = self._activate(layer(x))
        return self._finish(last(x))

    def penalty(self) -> Float[Tensor, ""]:
        """``l2_reg / 2`` times the sum of squared weights.

        Its gradient is what tiny-cuda-nn's Adam adds as ``l2_reg``: to weights of networks, not to
        entries of grids.
        """
        if self.l2_reg == 0.0:
            return self.layers[0].get_parameter("weight").new_zeros(())
        squares = torch.stack([weight.square().sum() for weight in self.parameters()])
        return 0.5 * self.l2_reg * squares.sum()


def _bound(fan_in: int, fan_out: int, *, first: bool, sine: bool) -> float:
    fan_in, fan_out = (_BLOCK * math.ceil(fan / _BLOCK) for fan in (fan_in, fan_out))
    if not sine:
        return math.sqrt(6 / (fan_in + fan_out))
    return 30 / fan_in if first else math.sqrt(6 / fan_in)


def _named(argument: str, name: str) -> Callable[[Tensor], Tensor]:
    if name not in ACTIVATIONS:
        raise InputError(f"`{argument}` (={name}) must be one of {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]


def _identity(x: Tensor) -> Tensor:
    return x


def _leaky_relu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.01)


def _squareplus(x: Tensor) -> Tensor:
    x = _SHARPNESS * x
    return (0.5 / _SHARPNESS) * (x + torch.sqrt(x * x + 4.0))


def _softplus(x: Tensor) -> Tensor:
    return F.softplus(x, beta=_SHARPNESS)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "None": _identity,
    "ReLU": F.relu,
    "LeakyReLU": _leaky_relu,
    "SiLU": F.silu,
    "Exponential": torch.exp,
    "Sine": torch.sin,
    "Sigmoid": torch.sigmoid,
    "Squareplus": _squareplus,
    "Softplus": _softplus,
    "Tanh": torch.tanh,
}
