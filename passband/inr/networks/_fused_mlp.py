"""A multilayer perceptron that runs as one kernel on a CUDA GPU."""

from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count
from passband.inr.kernels.mlp import (
    HIDDEN_WIDTHS,
    Activation,
    OutputActivation,
    Precision,
    check_choices,
    fused_mlp,
)
from passband.inr.networks._affine import Affine


class FusedMLP(nn.Module):
    """``hidden_layers`` layers ``f(W x)`` and ``g(W x)``, without biases.

    The weights are those of ``ReluMLP(..., bias=False)`` under the same seed and the same names,
    and each loads the other's. They stay float32; on a CUDA GPU a Triton kernel computes with
    copies of them in half precision, elsewhere plain torch computes in the dtype of the input: see
    :func:`~passband.inr.kernels.mlp.fused_mlp`.

    Args:
        in_features: features of the encoding, any number.
        out_features: values per point, any number.
        hidden_features: width of a hidden layer: 16, 32, 64 or 128.
        hidden_layers: number of hidden layers, at least 1.
        activation: f.
        output_activation: g.
        precision: type of the factors on CUDA.
        generator: source of the initial values.

    Raises:
        InputError: a size or a choice out of range.

    Example:
        >>> network = FusedMLP(32, 3)
        >>> network(torch.zeros(5, 32)).shape, [tuple(l.weight.shape) for l in network.layers]
        (torch.Size([5, 3]), [(64, 32), (64, 64), (3, 64)])

    Reference: Müller et al., *Real-time Neural Radiance Caching for Path Tracing*, ACM Trans.
    Graph. 40(4), 2021, sec. 4.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 64,
        hidden_layers: int = 2,
        activation: Activation = "relu",
        output_activation: OutputActivation = "none",
        precision: Precision = "float16",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("hidden_layers", hidden_layers)
        if hidden_features not in HIDDEN_WIDTHS:
            raise InputError(
                f"`hidden_features` (={hidden_features}) must be 16, 32, 64 or 128. "
                f"Use ReluMLP for others."
            )
        check_choices(activation, output_activation, precision)
        self.in_features = in_features
        self.out_features = out_features
        self.activation: Activation = activation
        self.output_activation: OutputActivation = output_activation
        self.precision: Precision = precision
        widths = [in_features, *[hidden_features] * hidden_layers, out_features]
        self.layers = nn.ModuleList(
            Affine(a, b, weight_bound=a**-0.5, bias=False, generator=generator)
            for a, b in pairwise(widths)
        )

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the encoded points ``x``, in their dtype."""
        return fused_mlp(
            x,
            [cast(Affine, layer).weight for layer in self.layers],
            self.activation,
            self.output_activation,
            self.precision,
        )
