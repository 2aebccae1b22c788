"""Posed cameras in the scene frame: rays, projection, lens distortion, conventions.

The scene frame: OpenCV cameras, the object inside the unit sphere at the origin. Pixels are
(x right, y down) with the centre of the first at (0.5, 0.5).
"""

from passband.recon.cameras._cameras import Cameras as Cameras
from passband.recon.cameras._conventions import flip_camera_axes as flip_camera_axes
from passband.recon.cameras._distortion import distort as distort
from passband.recon.cameras._distortion import fold_radius as fold_radius
from passband.recon.cameras._distortion import undistort as undistort
from passband.recon.cameras._projection import decompose_projection as decompose_projection
from passband.recon.cameras._rays import Rays as Rays
from passband.recon.cameras._rays import near_far as near_far

__all__ = [
    "Cameras",
    "Rays",
    "decompose_projection",
    "distort",
    "flip_camera_axes",
    "fold_radius",
    "near_far",
    "undistort",
]
