"""Settings of quantised coordinates."""

from typing import TYPE_CHECKING, Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from passband.inr import encodings
from passband.inr.settings._base import Settings

if TYPE_CHECKING:
    from passband.inr.settings import Encoding


class QuantizedEncoding(Settings):
    """Another encoding at the middles of the cells of a lattice of ``resolution`` points."""

    kind: Literal["quantized"] = "quantized"
    resolution: Annotated[int, Field(ge=2, le=2**20)] = 25600
    extent: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    inner: "Encoding"

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates, what is inside drawn from ``generator``."""
        inner = self.inner.build(in_features, generator=generator)
        return encodings.QuantizedCoordinates(inner, resolution=self.resolution, extent=self.extent)
