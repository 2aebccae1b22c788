"""How fast a signed distance changes along rays."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from passband.recon.rendering._arrays import arrays, compiles, loops
from passband.recon.rendering._rows import place_rows


def ray_slopes(
    gradient: Float[Tensor, "points 3"],
    directions: Float[Tensor, "rays 3"],
    filled: Int[Tensor, " points"] | None,
    samples: int,
) -> Float[Tensor, "rays {samples}"]:
    """``d . grad f`` of the sections of rays; 0 for those that have no point.

    On the processor a compiled loop computes it and its gradient, once differentiable; elsewhere,
    and where directions are learned, plain torch does.

    Args:
        gradient: grad f of the points.
        directions: d of the rays.
        filled: the place of each point among all sections, ray after ray; None if all have one.
        samples: sections of a ray.

    Returns:
        Slopes (rays, samples).

    Example:
        >>> directions = torch.tensor([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0]])
        >>> ray_slopes(torch.tensor([[1.0, 2.0, 3.0]]), directions, torch.tensor([2]), 2)
        tensor([[0.0000, 0.0000],
                [2.2000, 0.0000]])
    """
    if not compiles(gradient) or directions.requires_grad:
        return plain_slopes(gradient, directions, filled, samples)
    slopes: Tensor = _Slopes.apply(gradient, directions, filled, samples)
    return slopes


def plain_slopes(
    gradient: Tensor, directions: Tensor, filled: Tensor | None, samples: int
) -> Tensor:
    """The same in plain torch: the definition the compiled loops are tested against."""
    shape = (len(directions), samples)
    if filled is not None:
        gradient = place_rows(gradient, filled, shape[0] * samples)
    # By columns: torch sums over a last axis of three slowly.
    x, y, z = gradient.reshape(*shape, 3).unbind(-1)
    dx, dy, dz = directions[:, None].unbind(-1)
    return x * dx + y * dy + z * dz


class _Slopes(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, directions: Tensor, filled: Tensor | None, samples: int
    ) -> Tensor:
        index = torch.empty(0, dtype=torch.int64) if filled is None else filled
        slopes = gradient.new_zeros(len(directions), samples)
        if len(gradient) > 0:
            loops().slopes(*arrays(gradient, directions, index, slopes))
        ctx.save_for_backward(directions, index)
        ctx.points = len(gradient)
        return slopes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        directions, index = ctx.saved_tensors
        found = grad.new_empty(ctx.points, 3)
        if ctx.points > 0:
            loops().slopes_gradient(*arrays(grad, directions, index, found))
        return found, None, None, None
