"""Settings of Fourier analysis networks."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from torch import nn

from passband.inr import networks
from passband.inr.settings._base import Match, Omega, Width
from passband.inr.settings._networks import NetworkSettings


class FanNetwork(NetworkSettings):
    """Layers ``[cos omega W_p x, sin omega W_p x, gelu(W_g x + b_g)]`` between linear ones."""

    module: ClassVar[type[nn.Module]] = networks.Fan

    kind: Literal["fan"] = "fan"
    hidden_features: Width = 256
    hidden_layers: Annotated[int, Field(ge=1, le=64)] = 2
    p_ratio: Annotated[float, Field(gt=0, lt=0.5)] = 0.25
    first_omega: Omega | Match = "match"

    @model_validator(mode="after")
    def _has_waves(self) -> "FanNetwork":
        if int(self.hidden_features * self.p_ratio) < 1:
            raise ValueError(
                f"hidden_features (={self.hidden_features}) leaves no wave "
                f"at p_ratio {self.p_ratio:g}; widen the network"
            )
        return self


class GatedFanNetwork(FanNetwork):
    """The same with a trained gate between waves and GELUs in each layer."""

    module: ClassVar[type[nn.Module]] = networks.GatedFan

    kind: Literal["gated_fan"] = "gated_fan"  # type: ignore[assignment]
