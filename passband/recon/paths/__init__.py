"""Where to render from: camera paths and orbits."""

from passband.recon.paths._nerfstudio import CameraPath as CameraPath
from passband.recon.paths._nerfstudio import read_camera_path as read_camera_path
from passband.recon.paths._orbit import orbit as orbit

__all__ = ["CameraPath", "orbit", "read_camera_path"]
