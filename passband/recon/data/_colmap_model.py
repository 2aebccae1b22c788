"""What a COLMAP model holds."""

from dataclasses import dataclass

import numpy as np

from passband.errors import InputError
from passband.recon.data._listing import Floats

# Name and count of parameters by COLMAP's number of the model.
MODELS = {
    0: ("SIMPLE_PINHOLE", 3),
    1: ("PINHOLE", 4),
    2: ("SIMPLE_RADIAL", 4),
    3: ("RADIAL", 5),
    4: ("OPENCV", 8),
}
COUNTS = dict(MODELS.values())


@dataclass(frozen=True, eq=False)
class Lens:
    """One camera of COLMAP: model, picture size and parameters."""

    model: str
    width: int
    height: int
    parameters: Floats

    def matrix(self) -> Floats:
        """K; COLMAP's first pixel has its centre at (0.5, 0.5), as here."""
        values = self.parameters
        if self.model in ("PINHOLE", "OPENCV"):
            focal_x, focal_y, cx, cy = values[:4]
        else:
            focal_x, cx, cy = values[:3]
            focal_y = focal_x
        return np.array([[focal_x, 0, cx], [0, focal_y, cy], [0, 0, 1]])

    def distortion(self) -> Floats:
        """k1, k2, p1, p2, k3, k4."""
        lens = np.zeros(6)
        rest = self.parameters[4 if self.model in ("PINHOLE", "OPENCV") else 3 :]
        lens[: len(rest)] = rest
        return lens


@dataclass(frozen=True, eq=False)
class Shot:
    """One registered picture: world to camera as quaternion (w first) and translation."""

    name: str
    camera: int
    quaternion: Floats
    translation: Floats


@dataclass(frozen=True, eq=False)
class Model:
    """Cameras by number, pictures, and points (m, 3) with the lengths of their tracks (m,)."""

    cameras: dict[int, Lens]
    images: list[Shot]
    points: Floats
    tracks: Floats


def refuse_model(file: object, model: object) -> InputError:
    """The error for a camera model that is not read."""
    return InputError(
        f"{file}: camera model {model} must be one of {', '.join(COUNTS)}. "
        f"Undistort with `colmap image_undistorter` first."
    )
