"""Frusta of pixels: the pieces of space that a pixel sees."""

import torch
from jaxtyping import Float
from torch import Tensor


def frustum_vertices(
    origins: Float[Tensor, "*batch 3"],
    corners: Float[Tensor, "*batch 4 3"],
    near: Float[Tensor, "*batch"],
    far: Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch 8 3"]:
    """``o + t d_c`` for the rays d_c through the corners of a pixel, at two depths t.

    Args:
        origins: of the rays, o.
        corners: directions of the four rays through the corners of a pixel.
        near: depth of the first four vertices, in lengths of the directions.
        far: depth of the last four.

    Example:
        >>> corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [-1, 1, 1], [1, 1, 1]]) / 10
        >>> corners[:, 2] = 1
        >>> box = frustum_vertices(torch.zeros(3), corners, torch.tensor(1.0), torch.tensor(2.0))
        >>> box[[0, 7]]
        tensor([[-0.1000, -0.1000,  1.0000],
                [ 0.2000,  0.2000,  2.0000]])

    Reference: Zhuang et al., *Anti-Aliased Neural Implicit Surfaces with Encoding Level of Detail*
    (LoD-NeuS), SIGGRAPH Asia 2023, sec. 3.
    """
    depths = torch.stack((near, far), dim=-1)[..., None, None]
    return (origins[..., None, None, :] + depths * corners[..., None, :, :]).flatten(-3, -2)


def frustum_weights(
    vertices: Float[Tensor, "*batch v d"],
    centre: Float[Tensor, "*batch d"],
    decay: Float[Tensor, ""],
) -> Float[Tensor, "*batch v"]:
    """``exp(-k |x_v - x|) / sum_u exp(-k |x_u - x|)``: near vertices count more.

    The paper does not divide by the sum; without it, features fade as frusta grow with depth.

    Args:
        vertices: of a frustum, x_v.
        centre: the sample, x.
        decay: k, per unit of the coordinate.

    Example:
        >>> line = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
        >>> frustum_weights(line, torch.zeros(2), torch.tensor(3.0).log())
        tensor([0.7500, 0.2500])
    """
    distances = torch.linalg.vector_norm(vertices - centre[..., None, :], dim=-1)
    return torch.softmax(-decay * distances, dim=-1)
