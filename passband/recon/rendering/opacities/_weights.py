"""Weights of a ray's sections from their opacities."""

from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from passband.recon.rendering._arrays import arrays, compiles


def section_weights(alpha: Float[Tensor, "rays samples"]) -> Float[Tensor, "rays samples"]:
    """``w_i = a_i (1 - a_1) ... (1 - a_{i-1})``: the share of each section in what the ray sees.

    Their sum is 1 less what passes through all sections. On the processor a compiled loop computes
    them and their gradient, once differentiable; elsewhere plain torch does. No logarithm is taken
    and nothing divided, so that opacities of exactly 0 and 1 have exact values and gradients.

    Args:
        alpha: opacities in [0, 1], the nearest section first.

    Returns:
        Weights (rays, samples), at least 0, with a sum of at most 1 up to rounding.

    Example:
        >>> section_weights(torch.tensor([[0.5, 0.5, 1.0, 0.5]]))
        tensor([[0.5000, 0.2500, 0.2500, 0.0000]])

    Reference: Mildenhall et al., *NeRF: Representing Scenes as Neural Radiance Fields for View
    Synthesis*, ECCV 2020, eq. 3.
    """
    if not compiles(alpha):
        return plain_section_weights(alpha)
    weights: Tensor = _Weights.apply(alpha)
    return weights


def plain_section_weights(alpha: Tensor) -> Tensor:
    """The same in plain torch: the definition the compiled loop is tested against."""
    passing = torch.cumprod(1 - alpha, -1)
    return alpha * torch.cat((torch.ones_like(passing[:, :1]), passing[:, :-1]), -1)


class _Weights(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, alpha: Tensor) -> Tensor:
        alpha = alpha.contiguous()
        weights = torch.empty_like(alpha)
        loops().weights(*arrays(alpha, weights))
        ctx.save_for_backward(alpha)
        return weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (alpha,) = ctx.saved_tensors
        found = torch.empty_like(alpha)
        loops().weights_gradient(*arrays(alpha, grad, found))
        return found


def loops() -> Any:
    """The compiled loops of opacities; imported late, for numba takes half a second."""
    return import_module("passband.recon.rendering.opacities._loops")
