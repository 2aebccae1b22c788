"""Settings of encodings side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from passband.errors import InputError
from passband.inr import encodings
from passband.inr.settings._base import Settings

if TYPE_CHECKING:
    from passband.inr.settings import Encoding

Count = Annotated[int, Field(ge=0, le=1024)]


class CompositePart(Settings):
    """One encoding and its coordinates: ``n_dims`` of them, from ``start``.

    At most one part may leave ``n_dims`` open and gets what the others leave, where no part has a
    ``start``. A part without one begins where the part before it ends.
    """

    n_dims: Count | None = None
    start: Count | None = None
    encoding: "Encoding"


class CompositeEncoding(Settings):
    """Encodings of stretches of the coordinates, concatenated, added or multiplied."""

    kind: Literal["composite"] = "composite"
    reduction: Literal["Concatenation", "Sum", "Product"] = "Concatenation"
    nested: Annotated[tuple[CompositePart, ...], Field(min_length=1)]

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates.

        Raises:
            InputError: the parts do not fit the coordinates.
        """
        parts = self.stretches(in_features)
        nested = [part.encoding.build(count, generator=generator) for part, _, count in parts]
        starts = [start for _, start, _ in parts]
        return encodings.Composite(in_features, nested, starts=starts, reduction=self.reduction)

    def stretches(self, in_features: int) -> list[tuple[CompositePart, int, int]]:
        """Part, first coordinate and number of coordinates, for those that have any."""
        rest = _rest(self.nested, in_features)
        found = []
        start = 0
        for part in self.nested:
            count = rest if part.n_dims is None else part.n_dims
            start = start if part.start is None else part.start
            if count > 0:
                found.append((part, start, count))
            start += count
        return found


def _rest(parts: Sequence[CompositePart], in_features: int) -> int:
    """Coordinates for the part that leaves its number open."""
    if not any(part.n_dims is None for part in parts):
        return 0
    given = sum(part.n_dims or 0 for part in parts)
    if sum(part.n_dims is None for part in parts) > 1 or any(p.start is not None for p in parts):
        raise InputError(
            "`n_dims` may be left open in one nested encoding, and in none where one has a `start`."
            " Give the others a number."
        )
    if given > in_features:
        raise InputError(
            f"the nested encodings take {given} coordinates (`n_dims`), and a point has "
            f"{in_features}. Encode fewer."
        )
    return in_features - given
