"""How near rendered depths and normals are to known ones."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize


def depth_error(
    depth: Float[Tensor, "height width"],
    truth: Float[Tensor, "height width"],
    inside: Bool[Tensor, "height width"],
) -> float | None:
    """Mean ``|t - t'|`` over ``inside``, in their units; None where it is empty.

    Args:
        depth: along the rays.
        truth: finite inside.
        inside: the pixels that count.

    Example:
        >>> depth_error(torch.ones(2, 2), torch.full((2, 2), 1.5), torch.ones(2, 2).bool())
        0.5
    """
    if not inside.any():
        return None
    return float((depth - truth)[inside].double().abs().mean())


def normal_error(
    normal: Float[Tensor, "height width 3"],
    truth: Float[Tensor, "height width 3"],
    inside: Bool[Tensor, "height width"],
) -> float | None:
    """Mean angle between normals over ``inside``, in degrees; None where it is empty.

    Args:
        normal: of any length above 0.
        truth: likewise.
        inside: the pixels that count.

    Example:
        >>> x, y = torch.eye(3)[0].expand(2, 2, 3), torch.eye(3)[1].expand(2, 2, 3)
        >>> round(normal_error(x, y, torch.ones(2, 2).bool()), 3)
        90.0
    """
    if not inside.any():
        return None
    a, b = (normalize(field[inside].double(), dim=-1) for field in (normal, truth))
    # The arc cosine loses half of its digits at small angles.
    angle = 2 * torch.atan2((a - b).norm(dim=-1), (a + b).norm(dim=-1))
    return float(angle.rad2deg().mean())
