"""Settings of adaptive radial basis functions and the network behind them."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import nn

from passband.inr import encodings, networks
from passband.inr.kernels.neurbf import InverseQuadratic, Tent
from passband.inr.settings._base import Depth, Settings, Width
from passband.inr.settings._encodings import HashGridEncoding
from passband.inr.settings._networks import NetworkSettings

Multiplier = Annotated[float, Field(gt=0, le=1e6)]
_KERNELS = {"inverse_quadratic": InverseQuadratic, "tent": Tent}


class NeuRBFEncoding(Settings):
    """Kernels where the signal has detail: as they stand here for pictures.

    For shapes the paper has ``kernel = "tent"``, 8 neighbours, 16 features, multipliers from 1
    to 8, and a grid of 16 levels of one feature with a finest resolution of 2048. In runs of a
    minute 4 neighbours, a finest resolution of 1024 and a ReLU network do better. ``grid`` may be
    left out of a scene for the usual one, and is ``false`` for none.
    """

    kind: Literal["neurbf"] = "neurbf"
    n_kernels: Annotated[int, Field(ge=1, le=2**24)] = 4096
    n_features: Annotated[int, Field(ge=1, le=1024)] = 32
    neighbours: Annotated[int, Field(ge=1, le=64)] = 4
    multipliers: tuple[Multiplier, Multiplier] = (2.0**-3, 2.0**12)
    kernel: Literal["inverse_quadratic", "tent"] = "inverse_quadratic"
    grid: HashGridEncoding | Literal[False] = HashGridEncoding(n_levels=2, finest_resolution=64)
    backend: Literal["auto", "reference", "cpu"] = "auto"

    @model_validator(mode="after")
    def _enough_kernels(self) -> "NeuRBFEncoding":
        if self.n_kernels < self.neighbours:
            raise ValueError(
                f"n_kernels (={self.n_kernels}) must be at least neighbours (={self.neighbours})"
            )
        return self

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates, its kernels scattered evenly."""
        arguments: dict[str, Any] = self.arguments()
        arguments["kernel"] = _KERNELS[self.kernel]()
        arguments["grid"] = self.grid.build(in_features, generator=generator) if self.grid else None
        return encodings.NeuRBF(in_features, **arguments, generator=generator)


class NeuRBFNetwork(NetworkSettings):
    """First layer ``h + sin(m h)``, then ReLU."""

    module: ClassVar[type[nn.Module]] = networks.NeuRBFMLP
    needs_encoding: ClassVar[bool] = True

    kind: Literal["neurbf"] = "neurbf"
    hidden_features: Width = 64
    hidden_layers: Annotated[Depth, Field(ge=1)] = 2
    multipliers: tuple[Multiplier, Multiplier] = (10.0, 100.0)
