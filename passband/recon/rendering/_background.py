"""The colour of what lies behind the scene."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.recon.cameras import Rays
from passband.recon.rendering.opacities import section_weights


class PlainBackground(nn.Module):
    """One known colour.

    Args:
        color: red, green and blue in [0, 1].

    Raises:
        InputError: a colour out of range.

    Example:
        >>> rays = Rays(torch.zeros(2, 3), torch.eye(3)[:2])
        >>> PlainBackground((1.0, 1.0, 1.0))(rays)
        tensor([[1., 1., 1.],
                [1., 1., 1.]])
    """

    color: Tensor

    def __init__(self, color: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        super().__init__()
        _check_color(color)
        self.register_buffer("color", torch.tensor(color))

    def forward(self, rays: Rays) -> Float[Tensor, "rays 3"]:
        """The colour, for every ray."""
        return self.color.to(rays.origins.dtype).expand(len(rays), 3)


class LearnedBackground(nn.Module):
    """One colour that is learned, the logistic function of three parameters.

    Args:
        color: red, green and blue to start from, in [0, 1].

    Raises:
        InputError: a colour out of range.

    Example:
        >>> rays = Rays(torch.zeros(1, 3), torch.eye(3)[:1])
        >>> LearnedBackground()(rays).tolist()
        [[0.5, 0.5, 0.5]]
    """

    def __init__(self, color: tuple[float, float, float] = (0.5, 0.5, 0.5)) -> None:
        super().__init__()
        _check_color(color)
        # Short of 0 and 1, where the logistic function no longer learns.
        self.logits = nn.Parameter(torch.logit(torch.tensor(color), eps=1e-2))

    def forward(self, rays: Rays) -> Float[Tensor, "rays 3"]:
        """The colour of now, for every ray."""
        return torch.sigmoid(self.logits).to(rays.origins.dtype).expand(len(rays), 3)


class InvertedSphere(nn.Module):
    """A radiance field outside the unit sphere, a function of ``(x / r, 1 / r)`` with r = |x|.

    Each ray is sampled where 1 / r is in the middle of ``samples`` equal parts of [0, 1], so from
    the sphere to infinity, and the densities ``softplus(sigma)`` are composited over lengths in
    1 / r. (In depth, the last section would have no length.) What passes all of them is black.

    Args:
        field: ``(n, 7)`` to ``(n, 4)``: point x / r, 1 / r and direction of the ray in, raw density
            sigma and raw colour out, whose logistic function is the colour.
        samples: points on a ray, at least 1.

    Raises:
        InputError: no samples.

    Example:
        >>> background = InvertedSphere(nn.Linear(7, 4))
        >>> rays = Rays(torch.zeros(5, 3), torch.eye(3)[[0, 0, 1, 1, 2]])
        >>> background(rays).shape
        torch.Size([5, 3])

    Reference: Zhang, Riegler, Snavely & Koltun, *NeRF++: Analyzing and Improving Neural Radiance
    Fields*, arXiv 2010.07492, 2020, sec. 4.
    """

    def __init__(self, field: nn.Module, *, samples: int = 32) -> None:
        super().__init__()
        if samples < 1:
            raise InputError(f"`samples` (={samples}) must be at least 1. Pass e.g. 32.")
        self.field, self.samples = field, samples

    def forward(self, rays: Rays) -> Float[Tensor, "rays 3"]:
        """Colour that each ray collects beyond the unit sphere."""
        shape = (len(rays), self.samples)
        like = rays.origins
        steps = torch.arange(self.samples, device=like.device, dtype=like.dtype)
        inverse = 1 - (steps + 0.5) / self.samples
        points = nn.functional.normalize(rays.at(_depths_at(rays, 1 / inverse)), dim=-1)
        directions = rays.directions[:, None].expand(*shape, 3)
        inputs = torch.cat((points, inverse[:, None].expand(*shape, 1), directions), -1)
        values = self.field(inputs.flatten(0, 1)).reshape(*shape, 4)
        density = nn.functional.softplus(values[..., 0])
        weights = section_weights(-torch.expm1(-density / self.samples))
        return (weights[..., None] * torch.sigmoid(values[..., 1:])).sum(1)


def _depths_at(rays: Rays, radius: Float[Tensor, " samples"]) -> Float[Tensor, "rays samples"]:
    """Depths at which rays leave spheres of ``radius``; the nearest to them where they miss."""
    middle = -(rays.origins * rays.directions).sum(-1, keepdim=True)
    foot = (rays.origins + middle * rays.directions).square().sum(-1, keepdim=True)
    return middle + (radius.square() - foot).clamp(min=0).sqrt()


def _check_color(color: tuple[float, float, float]) -> None:
    if not all(0 <= value <= 1 for value in color):
        raise InputError(f"`color` (={color}) must be three values in [0, 1]. Divide bytes by 255.")
