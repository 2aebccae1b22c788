"""Settings of the encoding of panoramas."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import nn

from passband.errors import InputError
from passband.inr import encodings
from passband.inr.settings._base import Match, Settings


class PanoramaEncoding(Settings):
    """Spherical harmonics of the direction that a sample of a panorama looks in."""

    kind: Literal["panorama"] = "panorama"
    degree: Annotated[int, Field(ge=1, le=8)] | Match = 4

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module, for the 2 coordinates of a picture."""
        if in_features != 2:
            raise InputError(
                f"`in_features` (={in_features}) must be 2 for a panorama: row and column. "
                'Take encoding.kind = "sphericalharmonics" for directions.'
            )
        arguments: dict[str, Any] = self.arguments()
        return encodings.PanoramaHarmonics(**arguments)
