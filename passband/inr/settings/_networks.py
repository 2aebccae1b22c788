"""Settings of the multilayer perceptron and of the networks with activations of their own."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from passband.inr import networks
from passband.inr.settings._base import Depth, Match, Omega, Settings, Width


class NetworkSettings(Settings):
    """Base of the networks' settings; ``module`` is what they describe."""

    module: ClassVar[type[nn.Module]]
    needs_encoding: ClassVar[bool] = False

    def build(
        self, in_features: int, out_features: int, *, generator: torch.Generator | None = None
    ) -> nn.Module:
        """The network, its initial values drawn from ``generator``."""
        arguments: dict[str, Any] = self.arguments()
        return self.module(in_features, out_features, **arguments, generator=generator)


class ReluNetwork(NetworkSettings):
    """Multilayer perceptron with ReLU."""

    module: ClassVar[type[nn.Module]] = networks.ReluMLP
    needs_encoding: ClassVar[bool] = True

    kind: Literal["relu"] = "relu"
    hidden_features: Width = 64
    hidden_layers: Depth = 2


class SirenNetwork(NetworkSettings):
    """Sine layers ``sin(omega (W x + b))``: omega outside the bias."""

    module: ClassVar[type[nn.Module]] = networks.Siren

    kind: Literal["siren"] = "siren"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    first_omega: Omega | Match = "match"
    hidden_omega: Omega = 30.0


class FinerNetwork(NetworkSettings):
    """Variable-periodic sine layers ``sin(omega (|z| + 1) z)``."""

    module: ClassVar[type[nn.Module]] = networks.Finer

    kind: Literal["finer"] = "finer"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    first_omega: Omega | Match = "match"
    hidden_omega: Omega = 30.0
    first_bias_scale: Annotated[float, Field(ge=0, le=1e3)] | Match | None = None


class WireNetwork(NetworkSettings):
    """Complex Gabor layers ``exp(j omega z - |scale z|^2)``."""

    module: ClassVar[type[nn.Module]] = networks.Wire

    kind: Literal["wire"] = "wire"
    hidden_features: Width = 256
    hidden_layers: Depth = 2
    omega: Omega | Match = 20.0
    scale: Annotated[float, Field(gt=0, le=1e4)] = 10.0


class GaussNetwork(NetworkSettings):
    """Gaussian layers ``exp(-(scale z)^2)``."""

    module: ClassVar[type[nn.Module]] = networks.Gauss

    kind: Literal["gauss"] = "gauss"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    scale: Annotated[float, Field(gt=0, le=1e4)] | Match = 30.0
