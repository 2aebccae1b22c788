"""Surfaces: a signed distance and a colour, as networks.

:class:`GridSurface` is the fast one, with normals by hand. :class:`EncodedSurface` takes any
network that gives a distance, with normals by autograd or from values around a point.
"""

from passband.recon.surfaces._color import ColorNetwork as ColorNetwork
from passband.recon.surfaces._encoded_surface import BoundedSurface as BoundedSurface
from passband.recon.surfaces._encoded_surface import EncodedSurface as EncodedSurface
from passband.recon.surfaces._footprint import FootprintTriPlane as FootprintTriPlane
from passband.recon.surfaces._geometric_mlp import GeometricMLP as GeometricMLP
from passband.recon.surfaces._grid_surface import GridSurface as GridSurface
from passband.recon.surfaces._grid_surface import fibonacci_sphere as fibonacci_sphere
from passband.recon.surfaces._matching import MatchedFrequency as MatchedFrequency
from passband.recon.surfaces._matching import image_frequency as image_frequency
from passband.recon.surfaces._matching import match_photographs as match_photographs
from passband.recon.surfaces._matching import pixel_footprint as pixel_footprint
from passband.recon.surfaces._normals import AnalyticNormals as AnalyticNormals
from passband.recon.surfaces._normals import Normals as Normals
from passband.recon.surfaces._normals import TapNormals as TapNormals
from passband.recon.surfaces._settings import BoundedSurfaceSettings as BoundedSurfaceSettings
from passband.recon.surfaces._settings import ColorSettings as ColorSettings
from passband.recon.surfaces._settings import FieldSurfaceSettings as FieldSurfaceSettings
from passband.recon.surfaces._settings import FrebisSurfaceSettings as FrebisSurfaceSettings
from passband.recon.surfaces._settings import GridSurfaceSettings as GridSurfaceSettings
from passband.recon.surfaces._settings import MlpSurfaceSettings as MlpSurfaceSettings
from passband.recon.surfaces._settings import SurfaceSettings as SurfaceSettings
from passband.recon.surfaces._sloped import blended_relu as blended_relu
from passband.recon.surfaces._sloped import sloped_network as sloped_network
from passband.recon.surfaces._sphere_residual import SphereResidual as SphereResidual

__all__ = [
    "AnalyticNormals",
    "BoundedSurface",
    "BoundedSurfaceSettings",
    "ColorNetwork",
    "ColorSettings",
    "EncodedSurface",
    "FieldSurfaceSettings",
    "FootprintTriPlane",
    "FrebisSurfaceSettings",
    "GeometricMLP",
    "GridSurface",
    "GridSurfaceSettings",
    "MatchedFrequency",
    "MlpSurfaceSettings",
    "Normals",
    "SphereResidual",
    "SurfaceSettings",
    "TapNormals",
    "blended_relu",
    "fibonacci_sphere",
    "image_frequency",
    "match_photographs",
    "pixel_footprint",
    "sloped_network",
]
