"""Settings of the plain, sinusoidal and hash-grid encodings."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import nn

from passband.inr import encodings
from passband.inr.kernels.hashgrid import HashGridBackend
from passband.inr.settings._base import Match, Settings, check_table_size


class IdentityEncoding(Settings):
    """The coordinates themselves."""

    kind: Literal["identity"] = "identity"

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates."""
        return encodings.Identity(in_features)


class PositionalEncoding(Settings):
    """Sines and cosines of octaves of pi."""

    kind: Literal["positional"] = "positional"
    octaves: Annotated[int, Field(ge=1, le=24)] | Match = "match"
    include_input: bool = True

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.Positional(in_features, **arguments)


class FourierEncoding(Settings):
    """Random Fourier features; ``sigma`` in cycles per unit of the coordinate."""

    kind: Literal["fourier"] = "fourier"
    num_bands: Annotated[int, Field(ge=1, le=65536)] = 128
    sigma: Annotated[float, Field(gt=0, le=1e6)] | Match = "match"

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates, its bands drawn from ``generator``."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.RandomFourier(in_features, **arguments, generator=generator)


class HashGridEncoding(Settings):
    """Multi-resolution hash grid; resolutions count vertices per axis."""

    kind: Literal["hashgrid"] = "hashgrid"
    n_levels: Annotated[int, Field(ge=1, le=32)] = 16
    n_features_per_level: Annotated[int, Field(ge=1, le=8)] = 2
    log2_hashmap_size: Annotated[int, Field(ge=3, le=28)] = 14
    base_resolution: Annotated[int, Field(ge=2, le=65536)] = 16
    finest_resolution: Annotated[int, Field(ge=2, le=2**24)] | Match = "match"
    grid_type: Literal["hash", "dense", "tiled"] = "hash"
    interpolation: Literal["linear", "smoothstep", "nearest"] = "linear"
    coarse_to_fine: Annotated[float, Field(ge=0, le=1)] = 0.0
    allow_large: bool = False
    backend: HashGridBackend = "auto"

    @model_validator(mode="after")
    def _large_on_purpose(self) -> "HashGridEncoding":
        check_table_size(self.log2_hashmap_size, allow_large=self.allow_large)
        return self

    @model_validator(mode="after")
    def _finest_is_finest(self) -> "HashGridEncoding":
        if self.finest_resolution != "match" and self.finest_resolution < self.base_resolution:
            raise ValueError(
                f"finest_resolution (={self.finest_resolution}) must be at least "
                f"base_resolution (={self.base_resolution})"
            )
        return self

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates, its table drawn from ``generator``."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.HashGrid(in_features, **arguments, generator=generator)
