"""Targets: real signals, on coordinates in [-1, 1], that fields are fitted to."""

from passband.inr.targets._audio import audio_target as audio_target
from passband.inr.targets._grid import GridTarget as GridTarget
from passband.inr.targets._grid import SignalInfo as SignalInfo
from passband.inr.targets._grid import evaluate_on_grid as evaluate_on_grid
from passband.inr.targets._grid import grid_coordinates as grid_coordinates
from passband.inr.targets._image import bundled_image as bundled_image
from passband.inr.targets._image import image_target as image_target

__all__ = [
    "GridTarget",
    "SignalInfo",
    "audio_target",
    "bundled_image",
    "evaluate_on_grid",
    "grid_coordinates",
    "image_target",
]
