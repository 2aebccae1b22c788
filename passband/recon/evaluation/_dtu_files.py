"""The files that come with DTU's evaluation data."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from passband.errors import InputError, MissingDependencyError


@dataclass(frozen=True, eq=False)
class ObservedVolume:
    """Where DTU's scanner saw: a grid of cells, and the box it lies in.

    Attributes:
        cells: which cells count.
        low: centre of the first cell, in millimetres.
        width: of a cell, in millimetres.

    Example:
        >>> low = torch.zeros(3, dtype=torch.float64)
        >>> volume = ObservedVolume(torch.ones(2, 2, 2, dtype=torch.bool), low, 10.0)
        >>> volume(torch.tensor([[0.0, 4.0, 14.0], [0.0, 4.0, 16.0]]).double()).tolist()
        [True, False]
    """

    cells: Bool[Tensor, "x y z"]
    low: Float64[Tensor, "3"]
    width: float

    def __call__(self, points: Float[Tensor, "n 3"]) -> Bool[Tensor, " n"]:
        """Whether each point lies in a cell that counts."""
        place = ((points.double() - self.low) / self.width).round().long()
        size = torch.tensor(self.cells.shape)
        known = ((place >= 0) & (place < size)).all(dim=1)
        x, y, z = torch.where(known[:, None], place, 0).unbind(dim=1)
        return known & self.cells[x, y, z]


def read_observed(path: str | os.PathLike[str]) -> ObservedVolume:
    """The volume that counts for accuracy, from ``ObsMask/ObsMask65_10.mat``.

    Args:
        path: MATLAB file with ``ObsMask`` (x, y, z), ``BB`` (2x3, low and high corner in mm) and
            ``Res`` (mm).

    Raises:
        InputError: the file is missing, of another kind, or lacks one of these.
    """
    found = _matlab(path, ("ObsMask", "BB", "Res"))
    cells, box, width = (np.asarray(found[name]) for name in ("ObsMask", "BB", "Res"))
    if cells.ndim != 3 or box.shape != (2, 3) or width.size != 1 or not float(width.item()) > 0:
        raise InputError(
            f"{path} must hold ObsMask with three axes, BB of 2x3 and a positive Res; it has "
            f"{cells.shape}, {box.shape} and {width.shape}. Pass DTU's ObsMask<scan>_10.mat."
        )
    low = torch.from_numpy(box[0].astype(np.float64))
    return ObservedVolume(torch.from_numpy(cells.astype(bool)), low, float(width.item()))


def read_plane(path: str | os.PathLike[str]) -> Float64[Tensor, "4"]:
    """The table's plane p, above which ``p . (x, 1) > 0``, from ``ObsMask/Plane65.mat``.

    Args:
        path: MATLAB file with ``P`` of four numbers.

    Raises:
        InputError: the file is missing, of another kind, or lacks ``P``.
    """
    plane = np.asarray(_matlab(path, ("P",))["P"], dtype=np.float64).reshape(-1)
    if plane.shape != (4,):
        raise InputError(f"{path} must hold four numbers in P. Pass DTU's Plane<scan>.mat.")
    return torch.from_numpy(plane)


def read_cloud(path: str | os.PathLike[str]) -> Float64[Tensor, "n 3"]:
    """Points of a PLY file, such as DTU's ``Points/stl/stl065_total.ply``, or of a mesh's corners.

    Args:
        path: .ply, .xyz, .obj or whatever else trimesh reads points from.

    Returns:
        In the units of the file; DTU's are millimetres.

    Raises:
        InputError: the file is missing, cannot be read, or holds no points or NaN.
        MissingDependencyError: without trimesh.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "a.xyz").write_text("0 0 1\\n0 2 0\\n")
        ...     read_cloud(Path(folder) / "a.xyz").tolist()
        [[0.0, 0.0, 1.0], [0.0, 2.0, 0.0]]
    """
    try:
        import trimesh  # noqa: PLC0415  an extra, and half a second
    except ImportError as error:
        raise MissingDependencyError(
            "Clouds need the package trimesh. Install it with: pip install 'passband[mesh]'"
        ) from error
    if not Path(path).is_file():
        raise InputError(f"{path} does not exist, or is no file. Check the path.")
    try:
        points = np.asarray(trimesh.load(path, process=False).vertices, dtype=np.float64)
    except Exception as error:  # whatever the reader trips over
        raise InputError(
            f"{path} cannot be read as points ({type(error).__name__}: {error}). Pass a PLY file."
        ) from error
    if points.ndim != 2 or not len(points) or not np.isfinite(points).all():
        raise InputError(f"{path} must hold points with finite coordinates. Repair the file.")
    return torch.from_numpy(points.copy())


def _matlab(path: str | os.PathLike[str], names: tuple[str, ...]) -> dict[str, Any]:
    from scipy.io import loadmat  # noqa: PLC0415  only those who ask pay for loading it

    if not Path(path).is_file():
        raise InputError(f"{path} does not exist, or is no file. Check the path.")
    try:
        found: dict[str, Any] = loadmat(path)
    except Exception as error:  # whatever the reader trips over
        raise InputError(
            f"{path} cannot be read as a MATLAB file ({type(error).__name__}: {error}). "
            "Pass one of DTU's .mat files."
        ) from error
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}. Pass the file of DTU's that has it.")
    return found
