"""Settings of multiplicative filter networks and their band-limited kind."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from passband.inr import networks
from passband.inr.settings._base import Depth, Match, Width
from passband.inr.settings._networks import NetworkSettings

Frequency = Annotated[float, Field(gt=0, le=1e6)]


class FourierFilterNetwork(NetworkSettings):
    """Products of sines; ``input_scale`` in cycles per unit."""

    module: ClassVar[type[nn.Module]] = networks.FourierNet

    kind: Literal["mfn_fourier"] = "mfn_fourier"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    input_scale: Frequency | Match = "match"


class GaborFilterNetwork(FourierFilterNetwork):
    """Products of Gabor wavelets; ``input_scale`` in cycles per unit."""

    module: ClassVar[type[nn.Module]] = networks.GaborNet

    kind: Literal["mfn_gabor"] = "mfn_gabor"  # type: ignore[assignment]


class BaconNetwork(NetworkSettings):
    """Products of sines of whole cycles: the band of every layer's output is known.

    ``max_frequency`` in cycles per side, which is two units; ``period`` in units.
    """

    module: ClassVar[type[nn.Module]] = networks.Bacon

    kind: Literal["bacon"] = "bacon"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    max_frequency: Annotated[float, Field(ge=1, le=1e6)] | Match = "match"
    period: Annotated[float, Field(ge=2, le=1e3)] = 2.5
