"""Networks: from a coordinate, or its encoding, to the values there.

``ReluMLP`` goes behind an encoding; the others bring their own frequencies and take coordinates.
"""

from passband.inr.networks._finer import Finer as Finer
from passband.inr.networks._gauss import Gauss as Gauss
from passband.inr.networks._mlp import ReluMLP as ReluMLP
from passband.inr.networks._siren import Siren as Siren
from passband.inr.networks._wire import Wire as Wire

__all__ = ["Finer", "Gauss", "ReluMLP", "Siren", "Wire"]
