"""Settings of tiny-cuda-nn's encodings and networks, under its names and with its defaults."""

import math
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import nn

from passband.inr import encodings, networks
from passband.inr.networks._tcnn_mlp import Activation
from passband.inr.settings._base import Depth, Match, Settings, Width, check_table_size
from passband.inr.settings._networks import NetworkSettings

_DENSE_FINEST = 256  # vertices per axis that a dense grid ends at where its growth is not given

Finite = Annotated[float, Field(allow_inf_nan=False)]


class FrequencyEncoding(Settings):
    """Sines and cosines ``2^k pi u`` of the unit interval."""

    kind: Literal["frequency"] = "frequency"
    n_frequencies: Annotated[int, Field(ge=1, le=24)] | Match = 12

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.Frequency(in_features, **arguments)


class TriangleWaveEncoding(Settings):
    """Triangle waves at octaves of the unit interval."""

    kind: Literal["trianglewave"] = "trianglewave"
    n_frequencies: Annotated[int, Field(ge=1, le=24)] | Match = 12

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.TriangleWave(in_features, **arguments)


class OneBlobEncoding(Settings):
    """Shares of a blob in the bins of the unit interval."""

    kind: Literal["oneblob"] = "oneblob"
    n_bins: Annotated[int, Field(ge=1, le=4096)] | Match = 16

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.OneBlob(in_features, **arguments)


class SphericalHarmonicsEncoding(Settings):
    """Real spherical harmonics of a direction."""

    kind: Literal["sphericalharmonics"] = "sphericalharmonics"
    degree: Annotated[int, Field(ge=1, le=8)] | Match = 4

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module, for 3 coordinates."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.SphericalHarmonics(in_features, **arguments)


class UnitIdentityEncoding(Settings):
    """``scale u + offset`` of the coordinates u of the unit interval."""

    kind: Literal["unit_identity"] = "unit_identity"
    scale: Finite = 1.0
    offset: Finite = 0.0

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates."""
        arguments: dict[str, Any] = self.arguments()
        return encodings.UnitIdentity(in_features, **arguments)


class GridEncoding(Settings):
    """Multi-resolution grid, sized by its growth from level to level.

    Without ``per_level_scale``, that is 2, or for the type Dense what ends at 256 vertices.
    """

    kind: Literal["grid"] = "grid"
    type: Literal["Hash", "Dense", "Tiled"] = "Hash"
    n_levels: Annotated[int, Field(ge=1, le=32)] = 16
    n_features_per_level: Literal[1, 2, 4, 8] = 2
    log2_hashmap_size: Annotated[int, Field(ge=3, le=28)] = 19
    base_resolution: Annotated[int, Field(ge=1, le=65536)] = 16
    per_level_scale: Annotated[float, Field(ge=1, le=65536)] | None = None
    interpolation: Literal["Nearest", "Linear", "Smoothstep"] = "Linear"
    allow_large: bool = False

    @model_validator(mode="after")
    def _large_on_purpose(self) -> "GridEncoding":
        check_table_size(self.log2_hashmap_size, allow_large=self.allow_large)
        return self

    @property
    def growth(self) -> float:
        """Growth of the resolution from one level to the next."""
        if self.per_level_scale is not None:
            return self.per_level_scale
        if self.type != "Dense":
            return 2.0
        return math.exp(math.log(_DENSE_FINEST / self.base_resolution) / max(self.n_levels - 1, 1))

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates, its table drawn from ``generator``."""
        arguments: dict[str, Any] = self.arguments()
        arguments["grid_type"] = arguments.pop("type").lower()
        arguments["interpolation"] = arguments["interpolation"].lower()
        arguments["per_level_scale"] = self.growth
        return encodings.HashGrid(in_features, **arguments, generator=generator)


class TcnnNetwork(NetworkSettings):
    """tiny-cuda-nn's multilayer perceptron: no biases, ten activations.

    ``constant_inputs`` ones are appended to the features, as many as fill them up to a multiple of
    16 by default.
    """

    module: ClassVar[type[nn.Module]] = networks.TcnnMLP
    needs_encoding: ClassVar[bool] = True

    kind: Literal["tcnn_mlp"] = "tcnn_mlp"
    hidden_features: Width = 128
    hidden_layers: Depth = 5
    activation: Activation = "ReLU"
    output_activation: Activation = "None"
    constant_inputs: Annotated[int, Field(ge=0, le=65536)] | None = None
    l2_reg: Annotated[float, Field(ge=0, le=1e6)] = 0.0
