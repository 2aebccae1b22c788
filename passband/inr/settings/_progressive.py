"""Settings of progressive implicit networks."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from torch import nn

from passband.inr import networks
from passband.inr.settings._base import Match, Width
from passband.inr.settings._networks import NetworkSettings


class ProgressiveNetwork(NetworkSettings):
    """Levels of a residual network that open one by one, each with higher Fourier features.

    ``sigma`` is in cycles per unit; all levels are open after ``opened_by`` of the run; lower
    levels are trained by their own loss too, with a weight of ``lower_share``.
    """

    module: ClassVar[type[nn.Module]] = networks.Progressive

    kind: Literal["progressive"] = "progressive"
    hidden_features: Width = 128
    levels: Annotated[int, Field(ge=1, le=64)] = 4
    layers_per_level: Annotated[int, Field(ge=1, le=64)] = 1
    num_bands: Annotated[int, Field(ge=1, le=65536)] = 128
    sigma: Annotated[float, Field(gt=0, le=1e6)] | Match = "match"
    opened_by: Annotated[float, Field(ge=0, le=1)] = 0.1
    lower_share: Annotated[float, Field(ge=0, le=1)] = 0.03

    @model_validator(mode="after")
    def _bands_for_all(self) -> "ProgressiveNetwork":
        if self.num_bands < self.levels:
            raise ValueError(
                f"num_bands (={self.num_bands}) must be at least levels (={self.levels})"
            )
        return self
