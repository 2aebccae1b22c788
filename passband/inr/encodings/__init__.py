"""Encodings: what a network sees of a coordinate in [-1, 1]."""

from passband.inr.encodings._band_encoder import BandEncoder as BandEncoder
from passband.inr.encodings._composite import Composite as Composite
from passband.inr.encodings._coordinate_digits import CoordinateDigits as CoordinateDigits
from passband.inr.encodings._fone import FoNE as FoNE
from passband.inr.encodings._fourier import RandomFourier as RandomFourier
from passband.inr.encodings._frebis import FreBIS as FreBIS
from passband.inr.encodings._frebis import geometric_frebis as geometric_frebis
from passband.inr.encodings._frebis import matched_single_encoder as matched_single_encoder
from passband.inr.encodings._frebis_weights import LearnedSoftmax as LearnedSoftmax
from passband.inr.encodings._frebis_weights import RedundancySoftmax as RedundancySoftmax
from passband.inr.encodings._frequency import Frequency as Frequency
from passband.inr.encodings._frustum import frustum_vertices as frustum_vertices
from passband.inr.encodings._frustum import frustum_weights as frustum_weights
from passband.inr.encodings._hashgrid import HashGrid as HashGrid
from passband.inr.encodings._identity import Identity as Identity
from passband.inr.encodings._neurbf import NeuRBF as NeuRBF
from passband.inr.encodings._neurbf import kernels_for_budget as kernels_for_budget
from passband.inr.encodings._one_blob import OneBlob as OneBlob
from passband.inr.encodings._panorama import PanoramaHarmonics as PanoramaHarmonics
from passband.inr.encodings._positional import Positional as Positional
from passband.inr.encodings._quantized import QuantizedCoordinates as QuantizedCoordinates
from passband.inr.encodings._spherical_harmonics import SphericalHarmonics as SphericalHarmonics
from passband.inr.encodings._triangle_wave import TriangleWave as TriangleWave
from passband.inr.encodings._triplane import TriPlane as TriPlane
from passband.inr.encodings._unit_identity import UnitIdentity as UnitIdentity

__all__ = [
    "BandEncoder",
    "Composite",
    "CoordinateDigits",
    "FoNE",
    "FreBIS",
    "Frequency",
    "HashGrid",
    "Identity",
    "LearnedSoftmax",
    "NeuRBF",
    "OneBlob",
    "PanoramaHarmonics",
    "Positional",
    "QuantizedCoordinates",
    "RandomFourier",
    "RedundancySoftmax",
    "SphericalHarmonics",
    "TriPlane",
    "TriangleWave",
    "UnitIdentity",
    "frustum_vertices",
    "frustum_weights",
    "geometric_frebis",
    "kernels_for_budget",
    "matched_single_encoder",
]
