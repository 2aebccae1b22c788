"""Settings of coordinates as digits."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import nn

from passband.inr import encodings
from passband.inr.settings._base import Match, Settings


class FoneEncoding(Settings):
    """Fourier features of the decimal digits of each coordinate."""

    kind: Literal["fone"] = "fone"
    fraction_digits: Annotated[int, Field(ge=1, le=14)] | Match = 3

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.CoordinateDigits(in_features, **arguments)
