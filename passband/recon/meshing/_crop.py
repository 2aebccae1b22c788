"""A signed distance cut off where nothing can be."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Region = Callable[[Tensor], Tensor]
"""Maps points ``(n, 3)`` to ``(n,)``: True inside, or a signed distance, negative inside."""


def cropped(
    distance: Callable[[Tensor], Tensor], within: Region, *, step: float
) -> Callable[[Tensor], Tensor]:
    """The intersection of a solid with a region, ``max(f, h)``: its surface stays closed.

    Faces dropped from a mesh would leave it open where it is cut; here the region's own surface
    closes it. For a region given as True and False h is minus infinity inside and ``step``
    outside, so that the cut has the steps of a lattice of that width; a signed distance cuts
    smoothly.

    Args:
        distance: f, maps ``(n, 3)`` to ``(n,)`` or ``(n, 1)``, negative inside.
        within: the region.
        step: side of a cell of the lattice that the result is meshed on.

    Returns:
        A callable like ``distance``, of shape ``(n,)``.

    Example:
        >>> everywhere = lambda x: -torch.ones(len(x))
        >>> half = cropped(everywhere, lambda x: x[:, 0] < 0, step=0.1)
        >>> half(torch.tensor([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0]]))
        tensor([-1.0000,  0.1000])
    """

    def intersection(points: Tensor) -> Tensor:
        value = distance(points).reshape(-1)
        limit = within(points).reshape(-1)
        if limit.dtype == torch.bool:
            limit = torch.where(limit, -torch.inf, step)
        return torch.maximum(value, limit.to(value))

    return intersection


def unit_ball(points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    """Signed distance ``|x| - 1`` of the sphere that holds the scene.

    Example:
        >>> unit_ball(torch.tensor([[0.0, 0.0, 3.0]]))
        tensor([2.])
    """
    distance: Tensor = points.norm(dim=-1) - 1.0
    return distance
