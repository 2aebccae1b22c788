"""Radial features in plain torch: the definition the kernels are tested against."""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from passband.inr.kernels.neurbf._shapes import RadialKernel


def normalised_values(
    x: Float[Tensor, "points d"],
    nearest: Int[Tensor, "points k"],
    centres: Float[Tensor, "kernels d"],
    shapes: Float[Tensor, "kernels size"],
    kernel: RadialKernel,
) -> Float[Tensor, "points k"]:
    """Kernel values at the points over their softened sum; twice differentiable in the points."""
    # F.embedding and not centres[...], whose backward on a CPU adds in no fixed order.
    offsets = x[:, None] - F.embedding(nearest, centres)
    values = kernel.values(offsets, F.embedding(nearest, shapes))
    normalised: Tensor = values / (values.sum(dim=-1, keepdim=True) + kernel.softening)
    return normalised


def compose(
    values: Float[Tensor, "points k"],
    nearest: Int[Tensor, "points k"],
    weights: Float[Tensor, "kernels features"],
    multipliers: Float[Tensor, " features"],
) -> Float[Tensor, "points features"]:
    """``sum_i weights[i] sin(multipliers values_i)``; twice differentiable."""
    waves = (values[..., None] * multipliers).sin()
    return (F.embedding(nearest, weights) * waves).sum(dim=-2)
