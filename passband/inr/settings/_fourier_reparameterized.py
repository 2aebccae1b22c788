"""Settings of networks in Fourier-reparameterised training."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from passband.inr import networks
from passband.inr.settings._base import Depth, Match, Omega, Width
from passband.inr.settings._networks import NetworkSettings

Phases = Annotated[int, Field(ge=2, le=256)]
Scale = Annotated[float, Field(gt=0, le=1e4)]


class ReparameterizedReluNetwork(NetworkSettings):
    """ReLU network whose inner weights are trained in a Fourier basis."""

    module: ClassVar[type[nn.Module]] = networks.ReparameterizedRelu
    needs_encoding: ClassVar[bool] = True

    kind: Literal["fr_relu"] = "fr_relu"
    hidden_features: Width = 128
    hidden_layers: Depth = 3
    phases: Phases = 2
    basis_scale: Scale = 0.3


class ReparameterizedSirenNetwork(NetworkSettings):
    """Sine network whose inner weights are trained in a Fourier basis."""

    module: ClassVar[type[nn.Module]] = networks.ReparameterizedSiren

    kind: Literal["fr_siren"] = "fr_siren"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    first_omega: Omega | Match = "match"
    hidden_omega: Omega = 30.0
    phases: Phases = 2
    basis_scale: Scale = 0.05
