"""Opacity from the logistic function of the signed distance, after NeuS."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from passband.inr.kernels._parallel import run_tasks
from passband.recon.rendering._arrays import arrays, compiles
from passband.recon.rendering.opacities._weights import loops

FLOOR = 1e-5  # keeps the quotient of two vanishing values finite
_BLOCK = 512  # rays per task


def neus_alpha(
    distance: Float[Tensor, "rays samples"],
    slope: Float[Tensor, "rays samples"],
    length: Float[Tensor, "rays samples"],
    sharpness: Float[Tensor, ""],
    anneal: float = 1.0,
) -> Float[Tensor, "rays samples"]:
    """``clip((P(f-) - P(f+) + 1e-5) / (P(f-) + 1e-5), 0, 1)``, P the logistic function of ``s f``.

    ``f-`` and ``f+`` are the distances at the two ends of the section, ``f -+ c length / 2`` with
    ``c = -((1 - r) relu(1/2 - slope / 2) + r relu(-slope))``. Early in a fit, where slopes mean
    little yet, r below 1 lets surfaces seen from behind or edge-on have an opacity too.

    A section of length 0 has opacity 0, which the 1e-5 would not give: this is ours.

    On the processor compiled loops compute it and its gradients, once differentiable; elsewhere,
    and where lengths are learned, plain torch does.

    Args:
        distance: f in the middle of each section, scene units.
        slope: derivative of f along the ray.
        length: of the sections, scene units, at least 0.
        sharpness: s, in 1 / scene unit, above 0.
        anneal: r, 0 to 1.

    Returns:
        Opacities (rays, samples) in [0, 1].

    Example:
        >>> f, slope = torch.tensor([[0.1, 0.0, -0.1]]), -torch.ones(1, 3)
        >>> neus_alpha(f, slope, torch.full((1, 3), 0.1), torch.tensor(100.0)).round(decimals=3)
        tensor([[0.0070, 0.9930, 1.0000]])

    Reference: Wang, Liu, Liu, Theobalt, Komura & Wang, *NeuS: Learning Neural Implicit Surfaces by
    Volume Rendering for Multi-view Reconstruction*, NeurIPS 2021, eq. 13; the annealing is in the
    authors' implementation.
    """
    fixed = not length.requires_grad and sharpness.device == distance.device
    if not (compiles(distance) and fixed):
        return plain_neus_alpha(distance, slope, length, sharpness, anneal)
    alpha: Tensor = _NeusAlpha.apply(distance, slope, length, sharpness, anneal)
    return alpha


def plain_neus_alpha(
    distance: Tensor, slope: Tensor, length: Tensor, sharpness: Tensor, anneal: float
) -> Tensor:
    """The same in plain torch: the definition the compiled loops are tested against."""
    steep = torch.relu(-slope)
    if anneal < 1:
        steep = torch.lerp(torch.relu(0.5 - 0.5 * slope), steep, anneal)
    half = steep * (0.5 * length)
    before = torch.sigmoid(sharpness * (distance + half))
    after = torch.sigmoid(sharpness * (distance - half))
    alpha = ((before - after + FLOOR) / (before + FLOOR)).clamp(0, 1)
    return torch.where(length > 0, alpha, 0)


class _NeusAlpha(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        distance: Tensor,
        slope: Tensor,
        length: Tensor,
        sharpness: Tensor,
        anneal: float,
    ) -> Tensor:
        s, kept = float(sharpness), torch.empty((2, *distance.shape), dtype=distance.dtype)
        alpha = torch.empty_like(kept[0])
        inputs = arrays(distance, slope, length, kept, alpha)
        compiled = loops().neus_alpha
        _in_blocks(len(distance), lambda begin, end: compiled(*inputs, s, anneal, begin, end))
        ctx.save_for_backward(distance, slope, length, kept)
        ctx.sharpness, ctx.anneal, ctx.type = s, anneal, sharpness.dtype
        return alpha

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        distance, slope, length, kept = ctx.saved_tensors
        found = torch.empty_like(kept)
        sums = torch.zeros(len(grad), dtype=torch.float64)
        inputs = arrays(distance, slope, length, kept, grad, found[0], found[1], sums)
        compiled, s, r = loops().neus_alpha_gradient, ctx.sharpness, ctx.anneal
        _in_blocks(len(grad), lambda begin, end: compiled(*inputs, s, r, begin, end))
        return found[0], found[1], None, sums.sum().to(ctx.type), None


def _in_blocks(rays: int, run: Any) -> None:
    """Call ``run(begin, end)`` for blocks of rays, on torch's threads."""
    run_tasks(
        lambda number: run(number * _BLOCK, min((number + 1) * _BLOCK, rays)), -(-rays // _BLOCK)
    )
