"""Weighted sums along rays of values known at some of their sections."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from passband.recon.rendering._arrays import arrays, compiles, loops


def composite(
    weights: Float[Tensor, " points"],
    values: Float[Tensor, "points k"],
    ray: Int[Tensor, " points"],
    rays: int,
) -> Float[Tensor, "rays k"]:
    """``sum_i w_i v_i`` over the points i of each ray.

    On the processor a compiled loop computes it and its gradients, once differentiable; elsewhere
    plain torch does.

    Args:
        weights: w.
        values: v.
        ray: which ray each point is on, below ``rays``.
        rays: number of sums.

    Returns:
        Sums (rays, k); 0 for a ray without points.

    Example:
        >>> values = torch.tensor([[1.0], [2.0], [3.0]])
        >>> composite(torch.tensor([0.5, 0.5, 1.0]), values, torch.tensor([0, 0, 2]), 3)
        tensor([[1.5000],
                [0.0000],
                [3.0000]])
    """
    if not compiles(values):
        return plain_composite(weights, values, ray, rays)
    sums: Tensor = _Composite.apply(weights, values, ray, rays)
    return sums


def plain_composite(weights: Tensor, values: Tensor, ray: Tensor, rays: int) -> Tensor:
    """The same in plain torch: the definition the compiled loops are tested against."""
    return values.new_zeros(rays, values.shape[1]).index_add(0, ray, weights[:, None] * values)


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, values: Tensor, ray: Tensor, rays: int) -> Tensor:
        weights, values, ray = weights.contiguous(), values.contiguous(), ray.contiguous()
        sums = values.new_zeros(rays, values.shape[1])
        loops().composite(*arrays(weights, values, ray, sums))
        ctx.save_for_backward(weights, values, ray)
        return sums

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        weights, values, ray = ctx.saved_tensors
        found = torch.empty_like(weights), torch.empty_like(values)
        loops().composite_gradient(*arrays(weights, values, ray, grad, *found))
        return *found, None, None
