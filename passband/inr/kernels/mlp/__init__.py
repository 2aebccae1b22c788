"""A small multilayer perceptron without biases, run whole in one kernel on a CUDA GPU."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError, MissingDependencyError
from passband.inr.kernels.mlp import _reference

__all__ = [
    "HIDDEN_WIDTHS",
    "Activation",
    "OutputActivation",
    "Precision",
    "check_choices",
    "fused_mlp",
]

Activation = Literal["relu", "none"]
OutputActivation = Literal["none", "relu", "sigmoid"]
Precision = Literal["float16", "bfloat16"]

HIDDEN_WIDTHS = (16, 32, 64, 128)

_FINISH = {"none": lambda values: values, "relu": F.relu, "sigmoid": torch.sigmoid}


def fused_mlp(
    x: Float[Tensor, "*batch features"],
    weights: Sequence[Float[Tensor, "_ _"]],
    activation: Activation = "relu",
    output_activation: OutputActivation = "none",
    precision: Precision = "float16",
) -> Float[Tensor, "*batch out"]:
    """``g(W_n f(W_{n-1} ... f(W_0 x)))``, no biases.

    On a CUDA GPU one Triton kernel takes a block of points through all layers: inputs and weights
    are rounded to ``precision``, products summed in float32, activations rounded again. Gradients
    are computed likewise, those of the weights as sums of partial sums in a fixed order, so that
    the same GPU gives the same bits again. In float16 the gradient that arrives is first scaled by
    a power of two (a step of ours) so that its largest value is about one: none needs a loss scale.
    Where gradients are differentiated again (``create_graph=True``) plain torch computes them, at
    its speed. Elsewhere than on CUDA plain torch computes all of it in the dtype of ``x``, and
    ``precision`` changes nothing.

    Args:
        x: inputs, any number of points and of features.
        weights: W_0 to W_n, each (outputs, inputs) of its layer, float32 and at least two. The
            hidden layers all have one width: 16, 32, 64 or 128.
        activation: f.
        output_activation: g.
        precision: type of the factors on CUDA.

    Returns:
        Values (\\*batch, out) in the dtype of ``x``.

    Raises:
        InputError: weights that do not follow on one another, or a width or choice out of range.
        MissingDependencyError: ``x`` on CUDA without triton.

    Example:
        >>> weights = [torch.ones(16, 2), torch.ones(1, 16)]
        >>> fused_mlp(torch.tensor([[1.0, 2.0], [-1.0, -2.0]]), weights)
        tensor([[48.],
                [ 0.]])

    On CUDA agrees with plain torch with the same roundings to 1e-3 (float16) and 8e-3 (bfloat16) of
    the largest value.

    Reference: Müller, Rousselle, Novák & Keller, *Real-time Neural Radiance Caching for Path
    Tracing*, ACM Trans. Graph. 40(4), 2021, sec. 4 (a network fused into one kernel).
    """
    check_choices(activation, output_activation, precision)
    _check_weights(x, weights)
    if x.device.type != "cuda" or x.numel() == 0:
        values = _reference.linear_output(x, weights, activation)
    elif find_spec("triton") is None:
        raise MissingDependencyError(
            "a fused network on CUDA needs triton, which is not installed. Run: pip install triton"
        )
    else:
        # Imported here: triton takes half a second, and off CUDA it has no use.
        run = import_module(f"{__name__}._cuda").linear_output
        values = run(x.reshape(-1, x.shape[-1]), weights, activation, getattr(torch, precision))
        values = values.reshape(*x.shape[:-1], -1)
    finished: Tensor = _FINISH[output_activation](values)
    return finished


def check_choices(activation: str, output_activation: str, precision: str) -> None:
    """Raise unless each is one of those there are."""
    for name, value, choices in (
        ("activation", activation, get_args(Activation)),
        ("output_activation", output_activation, get_args(OutputActivation)),
        ("precision", precision, get_args(Precision)),
    ):
        if value not in choices:
            raise InputError(f"`{name}` (={value!r}) must be one of {', '.join(choices)}.")


def _check_weights(x: Tensor, weights: Sequence[Tensor]) -> None:
    shapes = [tuple(weight.shape) for weight in weights]
    if len(weights) < 2:
        raise InputError(
            f"`weights` (={len(weights)} matrices) must be at least two. Use torch.nn.Linear for 1."
        )
    width = shapes[0][0]
    inner = [(width, width)] * (len(weights) - 2)
    if shapes != [(width, x.shape[-1]), *inner, (shapes[-1][0], width)]:
        raise InputError(
            f"`weights` of shapes {shapes} must follow on one another from {x.shape[-1]} features, "
            f"with hidden layers of one width. Give each as (outputs, inputs)."
        )
    if width not in HIDDEN_WIDTHS:
        raise InputError(
            f"the hidden width (={width}) must be 16, 32, 64 or 128. Use ReluMLP for others."
        )
