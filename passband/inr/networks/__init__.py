"""Networks: from a coordinate, or its encoding, to the values there.

``ReluMLP`` goes behind an encoding; the others bring their own frequencies and take coordinates.
"""

from passband.inr.networks._bandlimited import Bacon as Bacon
from passband.inr.networks._fan import Fan as Fan
from passband.inr.networks._fan import GatedFan as GatedFan
from passband.inr.networks._finer import Finer as Finer
from passband.inr.networks._finer_plus import FinerGauss as FinerGauss
from passband.inr.networks._finer_plus import FinerWavelet as FinerWavelet
from passband.inr.networks._fourier_reparameterized import (
    ReparameterizedRelu as ReparameterizedRelu,
)
from passband.inr.networks._fourier_reparameterized import (
    ReparameterizedSiren as ReparameterizedSiren,
)
from passband.inr.networks._fused_mlp import FusedMLP as FusedMLP
from passband.inr.networks._gauss import Gauss as Gauss
from passband.inr.networks._mlp import ReluMLP as ReluMLP
from passband.inr.networks._multiplicative import FourierNet as FourierNet
from passband.inr.networks._multiplicative import GaborNet as GaborNet
from passband.inr.networks._neurbf_mlp import NeuRBFMLP as NeuRBFMLP
from passband.inr.networks._progressive import Progressive as Progressive
from passband.inr.networks._siren import Siren as Siren
from passband.inr.networks._sphere_head import SphereHead as SphereHead
from passband.inr.networks._tcnn_mlp import TcnnMLP as TcnnMLP
from passband.inr.networks._wire import Wire as Wire

__all__ = [
    "Bacon",
    "Fan",
    "Finer",
    "FinerGauss",
    "FinerWavelet",
    "FourierNet",
    "FusedMLP",
    "GaborNet",
    "GatedFan",
    "Gauss",
    "NeuRBFMLP",
    "Progressive",
    "ReluMLP",
    "ReparameterizedRelu",
    "ReparameterizedSiren",
    "Siren",
    "SphereHead",
    "TcnnMLP",
    "Wire",
]
