"""Settings of FINER++: Gaussians and wavelets of variable-periodic sines."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from passband.inr import networks
from passband.inr.settings._base import Depth, Match, Omega, Width
from passband.inr.settings._networks import NetworkSettings

Scale = Annotated[float, Field(gt=0, le=1e4)]
BiasScale = Annotated[float, Field(ge=0, le=1e3)]


class FinerGaussNetwork(NetworkSettings):
    """Gaussian layers ``exp(-(scale y)^2)`` of ``y = sin(omega (|z| + 1) z)``."""

    module: ClassVar[type[nn.Module]] = networks.FinerGauss

    kind: Literal["finer_gauss"] = "finer_gauss"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    scale: Scale = 3.0
    omega: Omega | Match = 10.0
    first_bias_scale: BiasScale | Match | None = 1.0


class FinerWaveletNetwork(NetworkSettings):
    """Complex layers ``exp(j omega_w y - |scale y|^2)`` of ``y = sin(omega (|z| + 1) z)``."""

    module: ClassVar[type[nn.Module]] = networks.FinerWavelet

    kind: Literal["finer_wavelet"] = "finer_wavelet"
    hidden_features: Annotated[int, Field(ge=2, le=65536)] = 256
    hidden_layers: Depth = 2
    scale: Scale = 2.0
    omega_w: Omega = 4.0
    omega: Omega | Match = 5.0
    first_bias_scale: BiasScale | Match | None = 1.0
