"""Random Fourier features."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_positive


class RandomFourier(nn.Module):
    """``[cos 2 pi x B, sin 2 pi x B]`` with ``B ~ N(0, sigma^2)`` in cycles per unit.

    The bands are a buffer: saved with the model, not trained.

    Args:
        in_features: coordinates of a point.
        num_bands: columns of B; the encoding has twice as many features.
        sigma: standard deviation of the bands, in cycles per unit of the coordinate. The interval
            [-1, 1] is two units long.
        generator: source of B; the same seed gives the same bands up to the factor ``sigma``.

    Raises:
        InputError: a count below one, or a ``sigma`` that is not positive.

    Example:
        >>> encoding = RandomFourier(2, 8, 4.0, generator=torch.Generator().manual_seed(0))
        >>> encoding(torch.zeros(5, 2)).sum(dim=-1)
        tensor([8., 8., 8., 8., 8.])

    Reference: Tancik et al., *Fourier Features Let Networks Learn High Frequency Functions in Low
    Dimensional Domains*, NeurIPS 2020, sec. 4.
    """

    bands: Tensor

    def __init__(
        self,
        in_features: int,
        num_bands: int,
        sigma: float,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("num_bands", num_bands)
        check_positive("sigma", sigma)
        self.in_features = in_features
        self.sigma = sigma
        self.out_features = 2 * num_bands
        device = generator.device if generator is not None else None
        draws = torch.randn(in_features, num_bands, generator=generator, device=device)
        self.register_buffer("bands", sigma * draws)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        angle = x @ (2 * torch.pi * self.bands.to(x.dtype))
        return torch.cat((angle.cos(), angle.sin()), dim=-1)
