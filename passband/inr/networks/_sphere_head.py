"""The linear map behind features of a shape."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_positive


class SphereHead(nn.Module):
    """``W x + b`` that starts as the distance to a sphere, behind features that start with a norm.

    The weights start ``N(sqrt(pi / in_features), 1e-4)`` and the biases ``-radius``: on features
    ``max(0, V u)`` with V from ``N(0, 2 / in_features)`` the values are about ``|u| - radius``.

    Args:
        in_features: features of the encoding, such as
            :func:`~passband.inr.encodings.geometric_frebis`.
        out_features: values per point.
        radius: of the sphere, in units.
        generator: source of the initial values.

    Raises:
        InputError: a size or the radius out of range.

    Example:
        >>> draws = torch.Generator().manual_seed(0)
        >>> features = (torch.randn(4096, 3, generator=draws) * (2 / 4096) ** 0.5)
        >>> point = torch.tensor([0.0, 0.6, 0.8])
        >>> head = SphereHead(4096, 1, radius=0.25)
        >>> round(head((features @ point).relu()).item(), 1)
        0.7

    Reference: Atzmon & Lipman, *SAL: Sign Agnostic Learning of Shapes from Raw Data*, CVPR 2020,
    theorem 1.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        radius: float = 0.5,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_positive("radius", radius)
        self.in_features = in_features
        self.out_features = out_features
        device = generator.device if generator is not None else None
        draws = torch.randn(out_features, in_features, generator=generator, device=device)
        self.weight = nn.Parameter(math.sqrt(math.pi / in_features) + 1e-4 * draws)
        self.bias = nn.Parameter(torch.full((out_features,), -radius, device=device))

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the encoded points ``x``."""
        return F.linear(x, self.weight, self.bias)
