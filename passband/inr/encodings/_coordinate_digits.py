"""Coordinates as the Fourier features of their decimal digits."""

from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count
from passband.inr.encodings._fone import FoNE


class CoordinateDigits(nn.Module):
    """Every coordinate u = (x + 1) / 2 as :class:`FoNE` has a number from 0 to 1, without a sign.

    A positional encoding in base 10: ``10^(n - 1)`` cycles per side for the last of n digits behind
    the point, a tenth of it for each before, and coordinates rounded to those digits. So signals
    of up to ``10^n`` samples per side keep them apart. Rounding has no derivative, so neither has a
    field behind this one. Reading numbers as coordinates is ours.

    Args:
        in_features: coordinates.
        fraction_digits: n, 1 to 14.

    Raises:
        InputError: a count out of range.

    Example:
        >>> import torch
        >>> CoordinateDigits(2, 3)(torch.zeros(5, 2)).shape
        torch.Size([5, 16])

    Reference: Zhou et al., *FoNE: Precise Single-Token Number Embeddings via Fourier Features*,
    2025 (arXiv 2502.09741).
    """

    def __init__(self, in_features: int, fraction_digits: int = 3) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("fraction_digits", fraction_digits)
        self.in_features = in_features
        self.embed = FoNE(1, fraction_digits)
        self.out_features = in_features * (self.embed.out_features - 1)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of ``x`` in [-1, 1]; beyond, of the nearest coordinate there."""
        features: Tensor = self.embed(((x + 1) / 2).clamp(0, 1))[..., :-1]
        return features.flatten(-2)
