"""Settings of filtered feature planes."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import nn

from passband.inr import encodings
from passband.inr.settings._base import Match, Settings


class TriPlaneEncoding(Settings):
    """Feature planes of several scales; resolutions count vertices per axis, ``blur`` cells."""

    kind: Literal["triplane"] = "triplane"
    n_levels: Annotated[int, Field(ge=1, le=16)] = 5
    n_features: Annotated[int, Field(ge=1, le=64)] = 4
    base_resolution: Annotated[int, Field(ge=2, le=8192)] = 16
    finest_resolution: Annotated[int, Field(ge=2, le=8192)] | Match = 256
    blur: Annotated[float, Field(ge=0, le=16)] = 1.0
    decay: Annotated[float, Field(gt=0, le=1e6)] = 80.0

    @model_validator(mode="after")
    def _finest_is_finest(self) -> "TriPlaneEncoding":
        if self.finest_resolution != "match" and self.finest_resolution < self.base_resolution:
            raise ValueError(
                f"finest_resolution (={self.finest_resolution}) must be at least "
                f"base_resolution (={self.base_resolution})"
            )
        return self

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates, its planes drawn from ``generator``."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.TriPlane(in_features, **arguments, generator=generator)
