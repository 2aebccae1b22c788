"""Settings of encodings and networks: each describes a module and builds it."""

from typing import Annotated

from pydantic import Field

from passband.inr.settings._bandlimited import BaconNetwork as BaconNetwork
from passband.inr.settings._bandlimited import FourierFilterNetwork as FourierFilterNetwork
from passband.inr.settings._bandlimited import GaborFilterNetwork as GaborFilterNetwork
from passband.inr.settings._base import Depth as Depth
from passband.inr.settings._base import Match as Match
from passband.inr.settings._base import Omega as Omega
from passband.inr.settings._base import Settings as Settings
from passband.inr.settings._base import Width as Width
from passband.inr.settings._composite import CompositeEncoding as CompositeEncoding
from passband.inr.settings._composite import CompositePart as CompositePart
from passband.inr.settings._encodings import FourierEncoding as FourierEncoding
from passband.inr.settings._encodings import HashGridEncoding as HashGridEncoding
from passband.inr.settings._encodings import IdentityEncoding as IdentityEncoding
from passband.inr.settings._encodings import PositionalEncoding as PositionalEncoding
from passband.inr.settings._fan import FanNetwork as FanNetwork
from passband.inr.settings._fan import GatedFanNetwork as GatedFanNetwork
from passband.inr.settings._finer_plus import FinerGaussNetwork as FinerGaussNetwork
from passband.inr.settings._finer_plus import FinerWaveletNetwork as FinerWaveletNetwork
from passband.inr.settings._fone import FoneEncoding as FoneEncoding
from passband.inr.settings._fourier_reparameterized import (
    ReparameterizedReluNetwork as ReparameterizedReluNetwork,
)
from passband.inr.settings._fourier_reparameterized import (
    ReparameterizedSirenNetwork as ReparameterizedSirenNetwork,
)
from passband.inr.settings._frebis import FrebisEncoding as FrebisEncoding
from passband.inr.settings._frebis import LearnedFrebisEncoding as LearnedFrebisEncoding
from passband.inr.settings._frebis import SphereNetwork as SphereNetwork
from passband.inr.settings._networks import FinerNetwork as FinerNetwork
from passband.inr.settings._networks import GaussNetwork as GaussNetwork
from passband.inr.settings._networks import NetworkSettings as NetworkSettings
from passband.inr.settings._networks import ReluNetwork as ReluNetwork
from passband.inr.settings._networks import SirenNetwork as SirenNetwork
from passband.inr.settings._networks import WireNetwork as WireNetwork
from passband.inr.settings._neurbf import NeuRBFEncoding as NeuRBFEncoding
from passband.inr.settings._neurbf import NeuRBFNetwork as NeuRBFNetwork
from passband.inr.settings._panorama import PanoramaEncoding as PanoramaEncoding
from passband.inr.settings._progressive import ProgressiveNetwork as ProgressiveNetwork
from passband.inr.settings._quantized import QuantizedEncoding as QuantizedEncoding
from passband.inr.settings._tcnn import FrequencyEncoding as FrequencyEncoding
from passband.inr.settings._tcnn import GridEncoding as GridEncoding
from passband.inr.settings._tcnn import OneBlobEncoding as OneBlobEncoding
from passband.inr.settings._tcnn import SphericalHarmonicsEncoding as SphericalHarmonicsEncoding
from passband.inr.settings._tcnn import TcnnNetwork as TcnnNetwork
from passband.inr.settings._tcnn import TriangleWaveEncoding as TriangleWaveEncoding
from passband.inr.settings._tcnn import UnitIdentityEncoding as UnitIdentityEncoding
from passband.inr.settings._triplane import TriPlaneEncoding as TriPlaneEncoding

Encoding = Annotated[
    IdentityEncoding
    | PositionalEncoding
    | FourierEncoding
    | HashGridEncoding
    | FrequencyEncoding
    | GridEncoding
    | OneBlobEncoding
    | SphericalHarmonicsEncoding
    | TriangleWaveEncoding
    | UnitIdentityEncoding
    | CompositeEncoding
    | TriPlaneEncoding
    | QuantizedEncoding
    | NeuRBFEncoding
    | FrebisEncoding
    | LearnedFrebisEncoding
    | FoneEncoding
    | PanoramaEncoding,
    Field(discriminator="kind"),
]
Network = Annotated[
    ReluNetwork
    | SirenNetwork
    | FinerNetwork
    | WireNetwork
    | GaussNetwork
    | FanNetwork
    | GatedFanNetwork
    | FinerGaussNetwork
    | FinerWaveletNetwork
    | TcnnNetwork
    | NeuRBFNetwork
    | SphereNetwork
    | ProgressiveNetwork
    | FourierFilterNetwork
    | GaborFilterNetwork
    | BaconNetwork
    | ReparameterizedReluNetwork
    | ReparameterizedSirenNetwork,
    Field(discriminator="kind"),
]

# Some encodings hold others, and the union of all exists only now.
CompositePart.model_rebuild(_types_namespace={"Encoding": Encoding})
CompositeEncoding.model_rebuild()
QuantizedEncoding.model_rebuild(_types_namespace={"Encoding": Encoding})

__all__ = [
    "BaconNetwork",
    "CompositeEncoding",
    "CompositePart",
    "Depth",
    "Encoding",
    "FanNetwork",
    "FinerGaussNetwork",
    "FinerNetwork",
    "FinerWaveletNetwork",
    "FoneEncoding",
    "FourierEncoding",
    "FourierFilterNetwork",
    "FrebisEncoding",
    "FrequencyEncoding",
    "GaborFilterNetwork",
    "GatedFanNetwork",
    "GaussNetwork",
    "GridEncoding",
    "HashGridEncoding",
    "IdentityEncoding",
    "LearnedFrebisEncoding",
    "Match",
    "Network",
    "NetworkSettings",
    "NeuRBFEncoding",
    "NeuRBFNetwork",
    "Omega",
    "OneBlobEncoding",
    "PanoramaEncoding",
    "PositionalEncoding",
    "ProgressiveNetwork",
    "QuantizedEncoding",
    "ReluNetwork",
    "ReparameterizedReluNetwork",
    "ReparameterizedSirenNetwork",
    "Settings",
    "SirenNetwork",
    "SphereNetwork",
    "SphericalHarmonicsEncoding",
    "TcnnNetwork",
    "TriPlaneEncoding",
    "TriangleWaveEncoding",
    "UnitIdentityEncoding",
    "Width",
    "WireNetwork",
]
