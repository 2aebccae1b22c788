"""Which frequencies of a shape a field has: its distances near the surface, band by band."""

import torch

from passband.inr._field import Field
from passband.inr._quality import relative_band_error
from passband.inr.targets import ShapeTarget, evaluate_on_grid, shape_grid

_SIDE, _CELLS = 48, 1.0


class ShapeBands:
    """Error per octave band of the distances to a shape, on a grid.

    Distances are cut off one cell from the surface: further out, small errors of a smooth field
    outweigh what high bands hold of the shape.

    Args:
        target: the shape.
        side: samples per axis of the cube [-1, 1]^3.
    """

    def __init__(self, target: ShapeTarget, *, side: int = _SIDE) -> None:
        grid = shape_grid(target, side=side, cells=_CELLS)
        self._truth, self._size = grid.signal, grid.info.size
        self._reach = _CELLS * 2.0 / (side - 1)

    def __call__(self, field: Field, device: torch.device) -> tuple[list[float], list[float]]:
        """Edges in cycles per side, and in each band the error energy over the shape's, in dB."""
        found = evaluate_on_grid(field, self._size, device=device).cpu().float()
        return relative_band_error(self._truth, (found / self._reach).clamp(-1.0, 1.0))
