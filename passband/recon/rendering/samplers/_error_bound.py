"""How far the opacity of a ray's sections can be from that of the ray, after VolSDF."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.recon.rendering.opacities import laplace_density

_LARGEST = 1e6
_LARGEST_LOG = 20.0  # of what is clipped to that


def opacity_error_bound(
    distance: Float[Tensor, "rays edges"],
    length: Float[Tensor, "rays sections"],
    beta: Float[Tensor, " rays"],
) -> Float[Tensor, "rays sections"]:
    """``B_k = exp(-R_k) (exp(E_k) - 1)``, at most 1e6: bounds ``|O - O'|`` all over section k.

    O is the opacity from the first edge on; O' the same with the density of each section constant,
    that of its front edge. ``R_k`` is the integral of that density up to section k, and ``E_k =
    sum_{i <= k} exp(-d_i / b) l_i^2 / (4 b^2)`` bounds its error to the end of section k, where
    d_i is the least distance to the surface that the distances at a section's edges allow.

    Args:
        distance: signed distance at the edges, scene units; ``|grad f| <= 1`` is assumed.
        length: of the sections between them.
        beta: scale b of the Laplace density of each ray, scene units, above 0.

    Returns:
        The bound (rays, sections).

    Example:
        >>> distance = torch.linspace(1.0, -1.0, 201)[None]
        >>> bound = opacity_error_bound(distance, distance.diff().abs(), torch.tensor([0.1]))
        >>> bound.amax().round(decimals=3)
        tensor(0.0190)

    Reference: Yariv, Gu, Kasten & Lipman, *Volume Rendering of Neural Implicit Surfaces*, NeurIPS
    2021, eq. 11 to 16.
    """
    beta = beta[:, None]
    density = laplace_density(distance[:, :-1], beta.expand(-1, length.shape[1]))
    passed = torch.cumsum(density * length, -1) - density * length
    nearest = _nearest(distance[:, :-1].abs(), distance[:, 1:].abs(), length)
    nearest = torch.where(distance[:, :-1].sign() * distance[:, 1:].sign() < 0, 0, nearest)
    error = torch.cumsum(torch.exp(-nearest / beta) * length.square() / (4 * beta.square()), -1)
    # Each form where it keeps its digits and cannot overflow.
    little = torch.exp(-passed) * torch.expm1(error.clamp(max=1))
    much = torch.exp((error - passed).clamp(max=_LARGEST_LOG)) - torch.exp(-passed)
    return torch.where(error < 1, little, much).clamp(max=_LARGEST)


def _nearest(front: Tensor, back: Tensor, length: Tensor) -> Tensor:
    """Least distance to the surface in a section, from those at its edges.

    The surface is outside the balls around both edges. Where they leave some of the section open it
    is 0. Otherwise it is on the nearer edge where the balls do not meet beside the section, and the
    height of the triangle (front, back, length) over the section where they do.
    """
    half = 0.5 * (front + back + length)
    area = half * (half - length) * (half - front) * (half - back)
    height = 2 * area.clamp(min=0).sqrt() / length.clamp(min=torch.finfo(length.dtype).tiny)
    edge = (front.square() - back.square()).abs() >= length.square()
    nearest = torch.where(edge, front.minimum(back), height)
    return torch.where(front + back <= length, 0, nearest)
