"""Encodings side by side, each of its own coordinates."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr._protocols import Adaptive, Staged
from passband.inr.encodings._arguments import check_count

Reduction = Literal["Concatenation", "Sum", "Product"]


class Composite(nn.Module):
    """``[e_1(x_1), e_2(x_2), ...]``: encodings of stretches of the coordinates, one behind another.

    tiny-cuda-nn's otype ``Composite``. Coordinates that no stretch covers are left out; stretches
    may overlap where their starts are given.

    Args:
        in_features: coordinates of a point.
        nested: the encodings; each takes as many coordinates as its ``in_features``.
        starts: first coordinate of each; one stretch follows the other by default.
        reduction: ``Concatenation`` of the features, or their ``Sum`` or ``Product``, for which all
            must have the same number.

    Raises:
        InputError: no encodings, a stretch beyond the coordinates, or numbers that differ.

    Example:
        >>> from passband.inr.encodings import Identity, OneBlob
        >>> encoding = Composite(3, [OneBlob(2, 4), Identity(1)])
        >>> encoding(torch.zeros(5, 3)).shape
        torch.Size([5, 9])

    Reference: Müller, *tiny-cuda-nn*, 2021.
    """

    def __init__(
        self,
        in_features: int,
        nested: Sequence[nn.Module],
        *,
        starts: Sequence[int] | None = None,
        reduction: Reduction = "Concatenation",
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        if not nested:
            raise InputError("`nested` is empty. Pass at least one encoding.")
        widths = [int(part.in_features) for part in nested]  # type: ignore[arg-type]
        if starts is None:
            starts = list(accumulate(widths[:-1], initial=0))
        if len(starts) != len(nested):
            raise InputError(
                f"`starts` (={list(starts)}) must have one number per nested encoding: "
                f"{len(nested)}."
            )
        for start, width in zip(starts, widths, strict=True):
            if not 0 <= start <= in_features - width:
                raise InputError(
                    f"a nested encoding of coordinates {start} to {start + width - 1} must stay "
                    f"within the {in_features} of a point. Encode fewer."
                )
        self.in_features = in_features
        self.reduction = reduction
        self.nested = nn.ModuleList(nested)
        self.stretches = [slice(s, s + w) for s, w in zip(starts, widths, strict=True)]
        self.out_features = _out_features(nested, reduction)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        features = [
            part(x[..., where]) for part, where in zip(self.nested, self.stretches, strict=True)
        ]
        if self.reduction == "Concatenation":
            return torch.cat(features, dim=-1)
        stacked = torch.stack(features)
        return stacked.sum(dim=0) if self.reduction == "Sum" else stacked.prod(dim=0)

    def set_progress(self, done: float) -> None:
        """Pass on how much of a run is over, 0 to 1, to the encodings that open in its course."""
        for part in self.nested:
            if isinstance(part, Staged):
                part.set_progress(done)

    def adapt(
        self,
        points: Float[Tensor, "n {self.in_features}"],
        weights: Float[Tensor, " n"],
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        """Show each encoding that follows the signal where the detail along its axes is."""
        for part, where in zip(self.nested, self.stretches, strict=True):
            if isinstance(part, Adaptive):
                part.adapt(points[:, where], weights, generator=generator)


def _out_features(nested: Sequence[nn.Module], reduction: Reduction) -> int:
    counts = [int(part.out_features) for part in nested]  # type: ignore[arg-type]
    if reduction == "Concatenation":
        return sum(counts)
    if len(set(counts)) > 1:
        raise InputError(
            f"`reduction` (={reduction}) needs nested encodings of as many features, and they have "
            f"{', '.join(map(str, counts))}. Use Concatenation."
        )
    return counts[0]
