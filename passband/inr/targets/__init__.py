"""Targets: real signals, on coordinates in [-1, 1], that fields are fitted to."""

from passband.inr.targets._audio import audio_target as audio_target
from passband.inr.targets._grid import GridTarget as GridTarget
from passband.inr.targets._grid import SignalInfo as SignalInfo
from passband.inr.targets._grid import evaluate_on_grid as evaluate_on_grid
from passband.inr.targets._grid import grid_coordinates as grid_coordinates
from passband.inr.targets._image import bundled_image as bundled_image
from passband.inr.targets._image import image_target as image_target
from passband.inr.targets._importance import grid_importance as grid_importance
from passband.inr.targets._mesh_points import sample_mesh as sample_mesh
from passband.inr.targets._shape import ShapeTarget as ShapeTarget
from passband.inr.targets._shape import shape_target as shape_target
from passband.inr.targets._shape import to_world as to_world
from passband.inr.targets._shape_distance import SignedDistance as SignedDistance
from passband.inr.targets._shape_grid import shape_grid as shape_grid
from passband.inr.targets._shape_sampling import ShapeSampler as ShapeSampler
from passband.inr.targets._shape_sampling import sample_near_surface as sample_near_surface
from passband.inr.targets._shape_sampling import sample_surface as sample_surface
from passband.inr.targets._shape_sampling import sample_volume as sample_volume
from passband.inr.targets._shape_sampling import shape_importance as shape_importance
from passband.inr.targets._shape_sampling import shape_samples as shape_samples

__all__ = [
    "GridTarget",
    "ShapeSampler",
    "ShapeTarget",
    "SignalInfo",
    "SignedDistance",
    "audio_target",
    "bundled_image",
    "evaluate_on_grid",
    "grid_coordinates",
    "grid_importance",
    "image_target",
    "sample_mesh",
    "sample_near_surface",
    "sample_surface",
    "sample_volume",
    "shape_grid",
    "shape_importance",
    "shape_samples",
    "shape_target",
    "to_world",
]
