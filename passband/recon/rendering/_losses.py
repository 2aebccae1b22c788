"""What a rendering and its geometry are asked to be."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from passband.errors import InputError
from passband.recon.rendering._arrays import arrays, compiles, loops

_SHORTEST = 1e-12  # squared length of a gradient, below which it has no direction to learn
_CERTAIN = 1e-3  # an opacity nearer than this to 0 or 1 is taken for that


def rgb_l1(color: Float[Tensor, "rays 3"], target: Float[Tensor, "rays 3"]) -> Float[Tensor, ""]:
    """``mean |c - t|`` over rays and channels.

    NeuS sums over the channels: its loss is three times this.

    Args:
        color: rendered, in [0, 1].
        target: photographed.

    Example:
        >>> rgb_l1(torch.zeros(2, 3), torch.full((2, 3), 0.25))
        tensor(0.2500)
    """
    return (color - target).abs().mean()


def masked_rgb_l1(
    color: Float[Tensor, "rays 3"], target: Float[Tensor, "rays 3"], mask: Bool[Tensor, " rays"]
) -> Float[Tensor, ""]:
    """``sum_mask |c - t| / (3 |mask|)``: :func:`rgb_l1` of the rays in the mask; 0 if none is.

    Args:
        color: rendered, in [0, 1].
        target: photographed.
        mask: rays that count.

    Example:
        >>> target = torch.tensor([[1.0, 1.0, 1.0], [0.5, 0.5, 0.5]])
        >>> masked_rgb_l1(torch.zeros(2, 3), target, torch.tensor([False, True]))
        tensor(0.5000)
    """
    error = (color - target).abs().sum(-1)
    return torch.where(mask, error, 0).sum() / (3 * mask.sum()).clamp(min=1)


def eikonal_loss(gradient: Float[Tensor, "points 3"]) -> Float[Tensor, ""]:
    """``mean (|grad f| - 1)^2``; 0 without points.

    On the processor compiled loops compute it and its gradient, once differentiable; elsewhere
    plain torch does.

    Args:
        gradient: of the signed distance.

    Example:
        >>> eikonal_loss(torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
        tensor(0.5000)

    Reference: Gropp, Yariv, Haim, Atzmon & Lipman, *Implicit Geometric Regularization for Learning
    Shapes*, ICML 2020, eq. 2.
    """
    if not compiles(gradient):
        return plain_eikonal_loss(gradient)
    loss: Tensor = _Eikonal.apply(gradient)
    return loss


def plain_eikonal_loss(gradient: Tensor) -> Tensor:
    """The same in plain torch: the definition the compiled loops are tested against."""
    length = gradient.square().sum(-1).clamp(min=_SHORTEST).sqrt()
    return (length - 1).square().sum() / max(len(gradient), 1)


def curvature_loss(laplacian: Float[Tensor, " points"]) -> Float[Tensor, ""]:
    """``mean |laplacian f|``, twice the mean curvature of a signed distance's level sets.

    Args:
        laplacian: of the signed distance, 1 / scene unit.

    Example:
        >>> curvature_loss(torch.tensor([-2.0, 4.0]))
        tensor(3.)

    Reference: Li, Müller, Evans, Taylor, Unberath, Liu & Lin, *Neuralangelo*, CVPR 2023, eq. 6.
    """
    return laplacian.abs().sum() / max(len(laplacian), 1)


def mask_loss(opacity: Float[Tensor, " rays"], mask: Bool[Tensor, " rays"]) -> Float[Tensor, ""]:
    """``-mean(m log o + (1 - m) log(1 - o))``, opacities clipped to [0.001, 0.999].

    Args:
        opacity: of rays, in [0, 1].
        mask: rays that meet the object.

    Example:
        >>> mask_loss(torch.tensor([0.5, 0.5]), torch.tensor([True, False]))
        tensor(0.6931)

    Reference: Wang et al., *NeuS*, NeurIPS 2021, eq. 17.
    """
    clipped = opacity.clamp(_CERTAIN, 1 - _CERTAIN)
    return F.binary_cross_entropy(clipped, mask.to(opacity.dtype))


def outside_loss(
    distance: Float[Tensor, " points"], known: Float[Tensor, " points"]
) -> Float[Tensor, ""]:
    """``mean relu(d - f)``: keeps the signed distance f above d where the object cannot be.

    Args:
        distance: f of points outside the visual hull of the masks.
        known: d, a lower bound on their distance to the hull, scene units.

    Example:
        >>> outside_loss(torch.tensor([0.1, 0.3]), torch.tensor([0.2, 0.2])).round(decimals=4)
        tensor(0.0500)
    """
    if distance.shape != known.shape:
        raise InputError(
            f"`known` (of {len(known)} points) must be of the {len(distance)} of `distance`."
        )
    return torch.relu(known - distance).sum() / max(len(distance), 1)


class _Eikonal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        total = loops().eikonal(*arrays(gradient), _SHORTEST)
        return gradient.new_tensor(total / max(len(gradient), 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (gradient,) = ctx.saved_tensors
        found = torch.empty(gradient.shape, dtype=gradient.dtype)
        scale = 2 * float(grad) / max(len(gradient), 1)
        loops().eikonal_gradient(*arrays(gradient, found), _SHORTEST, scale)
        return found
