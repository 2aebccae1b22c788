"""FRCRN: complex U-Nets with memories along frequency and time, whole clips or streams."""

from passband.signal.tasks.enhancement.frcrn._complex import ComplexConv2d as ComplexConv2d
from passband.signal.tasks.enhancement.frcrn._complex import (
    ComplexConvTranspose2d as ComplexConvTranspose2d,
)
from passband.signal.tasks.enhancement.frcrn._complex import stacked as stacked
from passband.signal.tasks.enhancement.frcrn._complex import unstacked as unstacked
from passband.signal.tasks.enhancement.frcrn._gates import ClipGate as ClipGate
from passband.signal.tasks.enhancement.frcrn._gates import FrameGate as FrameGate
from passband.signal.tasks.enhancement.frcrn._memory import ComplexFSMN as ComplexFSMN
from passband.signal.tasks.enhancement.frcrn._model import FRCRN as FRCRN
from passband.signal.tasks.enhancement.frcrn._model import CausalFRCRN as CausalFRCRN
from passband.signal.tasks.enhancement.frcrn._model import Masked as Masked
from passband.signal.tasks.enhancement.frcrn._model import build_frcrn as build_frcrn
from passband.signal.tasks.enhancement.frcrn._model import load_frcrn as load_frcrn
from passband.signal.tasks.enhancement.frcrn._past import Past as Past
from passband.signal.tasks.enhancement.frcrn._settings import FRCRNSettings as FRCRNSettings
from passband.signal.tasks.enhancement.frcrn._stream import FRCRNStream as FRCRNStream

__all__ = [
    "FRCRN",
    "CausalFRCRN",
    "ClipGate",
    "ComplexConv2d",
    "ComplexConvTranspose2d",
    "ComplexFSMN",
    "FRCRNSettings",
    "FRCRNStream",
    "FrameGate",
    "Masked",
    "Past",
    "build_frcrn",
    "load_frcrn",
    "stacked",
    "unstacked",
]
