"""A shape on a regular grid, as spectra are taken of it."""

from dataclasses import replace

import torch

from passband.inr.targets._grid import GridTarget, grid_coordinates
from passband.inr.targets._shape import ShapeTarget

_CHUNK = 2**18


def shape_grid(target: ShapeTarget, *, side: int = 128, cells: float = 4.0) -> GridTarget:
    """Signed distances on a grid of ``side`` samples per axis, cut off ``cells`` from the surface.

    Uncut, a distance is a cone far from the surface: its spectrum tells of the room around a shape
    and hardly of its detail.

    Args:
        target: the shape.
        side: samples per axis of the cube [-1, 1]^3.
        cells: distance in grid cells at which values reach 1 and stay there.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from passband.inr.targets import shape_target
        >>> corners = "v 0 0 0\\nv 1 0 0\\nv 0 1 0\\nv 0 0 1\\n"
        >>> file = Path(tempfile.mkdtemp()) / "corner.obj"
        >>> _ = file.write_text(corners + "f 1 3 2\\nf 1 2 4\\nf 1 4 3\\nf 2 3 4\\n")
        >>> grid = shape_grid(shape_target(str(file)), side=16)
        >>> grid.signal.shape, grid.signal.max()
        (torch.Size([1, 16, 16, 16]), tensor(1.))
    """
    size = (side, side, side)
    reach = cells * 2.0 / (side - 1)
    indices = torch.arange(side**3)
    distances = torch.cat(
        [target.distance(grid_coordinates(part, size)) for part in indices.split(_CHUNK)]
    )
    signal = (distances / reach).clamp(-1.0, 1.0).reshape(1, *size)
    return GridTarget(replace(target.info, size=size), signal)
