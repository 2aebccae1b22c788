"""Layer normalisation whose scale and shift depend on a condition."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from passband.errors import InputError
from passband.frequency._validate import values_can_be_read

NORM_EPS = 1e-6
"""Added to the variance by every layer normalisation of the vocoders."""


class AdaLayerNorm(nn.Module):
    """Layer normalisation ``scale[c] (x - mean) / std + shift[c]`` under condition ``c``.

    Args:
        conditions: how many conditions there are, at least 1.
        dim: channels.

    Example:
        >>> norm, x = AdaLayerNorm(4, 8), torch.randn(2, 5, 8)
        >>> norm(x, 3).shape, norm(x, torch.tensor([0, 3])).shape
        (torch.Size([2, 5, 8]), torch.Size([2, 5, 8]))

    Reference: Siuzdak, Vocos: closing the gap between time-domain and Fourier-based neural
    vocoders, ICLR, 2024, section 4.2.
    """

    def __init__(self, conditions: int, dim: int) -> None:
        super().__init__()
        self.conditions, self.dim = conditions, dim
        self.scale = nn.Embedding(conditions, dim)
        self.shift = nn.Embedding(conditions, dim)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(
        self, x: Float[Tensor, "batch frames {self.dim}"], condition: int | Tensor
    ) -> Float[Tensor, "batch frames {self.dim}"]:
        """``x`` normalised over its channels, under one condition or one for each item."""
        index = torch.as_tensor(condition, device=x.device).reshape(-1, 1)
        normal = layer_norm(x, (self.dim,), eps=NORM_EPS)
        scaled: Tensor = normal * self.scale(index) + self.shift(index)
        return scaled


def check_condition(condition: int | Tensor | None, conditions: int | None, batch: int) -> None:
    """Raise unless ``condition`` is given exactly where it is wanted, and in range."""
    if conditions is None:
        if condition is not None:
            raise InputError(
                f"`bandwidth_id` (={_shown(condition)}) must be left out: this vocoder has no "
                "adaptive normalisation."
            )
        return
    if condition is None:
        raise InputError(
            f"`bandwidth_id` must be given, 0 to {conditions - 1}: this vocoder is conditioned on "
            "the bandwidth of the codes."
        )
    index = torch.as_tensor(condition)
    fits = not (index.is_floating_point() or index.is_complex()) and index.numel() in (1, batch)
    if fits and values_can_be_read(index):
        fits = bool(((index >= 0) & (index < conditions)).all())
    if not fits:
        raise InputError(
            f"`bandwidth_id` (={_shown(condition)}) must be a whole number from 0 to "
            f"{conditions - 1}, one in all or one for each of the {batch} items."
        )


def _shown(condition: int | Tensor) -> object:
    return condition.tolist() if isinstance(condition, Tensor) else condition
