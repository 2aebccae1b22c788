"""Settings of frequency-banded encoders, and of the head that makes a sphere of them."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from passband.inr import encodings, networks
from passband.inr.settings._base import Depth, Match, Settings, Width
from passband.inr.settings._networks import NetworkSettings


class FrebisEncoding(Settings):
    """Three encoders of low, middle and high octaves, weighted against redundancy.

    ``tau`` says how soft the weighting is; ``start = "sphere"`` is for shapes, in front of the
    network ``sphere``.
    """

    kind: Literal["frebis"] = "frebis"
    octaves: Annotated[int, Field(ge=1, le=24)] | Match = "match"
    out_features: Width = 64
    hidden_features: Width = 64
    hidden_layers: Depth = 2
    tau: Annotated[float, Field(gt=0, le=1e4)] = 1.0
    penalty_weight: Annotated[float, Field(ge=0, le=1e4)] = 0.0
    start: Literal["random", "sphere"] = "random"

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates, initial values drawn from ``generator``."""
        arguments: dict[str, Any] = self.arguments()
        start, tau = arguments.pop("start"), arguments.pop("tau")
        build = encodings.geometric_frebis if start == "sphere" else encodings.FreBIS
        weighting = encodings.RedundancySoftmax(tau)
        return build(in_features, **arguments, weighting=weighting, generator=generator)


class LearnedFrebisEncoding(Settings):
    """The same with weights that a small network learns from the cosines between the features."""

    kind: Literal["frebis_learned"] = "frebis_learned"
    octaves: Annotated[int, Field(ge=1, le=24)] | Match = "match"
    out_features: Width = 64
    hidden_features: Width = 64
    hidden_layers: Depth = 2
    penalty_weight: Annotated[float, Field(ge=0, le=1e4)] = 0.0
    start: Literal["random", "sphere"] = "random"

    def build(self, in_features: int, *, generator: torch.Generator | None = None) -> nn.Module:
        """The module for ``in_features`` coordinates, initial values drawn from ``generator``."""
        arguments: dict[str, Any] = self.arguments()
        build = (
            encodings.geometric_frebis if arguments.pop("start") == "sphere" else encodings.FreBIS
        )
        weighting = encodings.LearnedSoftmax(generator=generator)
        return build(in_features, **arguments, weighting=weighting, generator=generator)


class SphereNetwork(NetworkSettings):
    """A linear map that starts as the distance to a sphere, behind a FreBIS that starts as one."""

    module: ClassVar[type[nn.Module]] = networks.SphereHead
    needs_encoding: ClassVar[bool] = True

    kind: Literal["sphere"] = "sphere"
    radius: Annotated[float, Field(gt=0, le=1e3)] = 0.5
