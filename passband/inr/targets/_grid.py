"""Signals on regular grids: what a field is fitted to."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor


def grid_coordinates(
    indices: Int[Tensor, " n"], size: Sequence[int]
) -> Float[Tensor, "n {len(size)}"]:
    """Coordinates in [-1, 1] of the samples ``indices`` of a grid, first and last at the ends.

    Args:
        indices: flat indices into the grid, last axis fastest.
        size: samples per axis, e.g. ``(height, width)``; an axis of one sample sits at 0.

    Returns:
        ``(n, d)`` coordinates in the order x, y, z: the last axis of the grid comes first.

    Example:
        >>> grid_coordinates(torch.tensor([0, 2, 5]), (2, 3))
        tensor([[-1., -1.],
                [ 1., -1.],
                [ 1.,  1.]])
    """
    columns = []
    rest = indices
    for count in reversed(size):
        along = rest % count
        rest = torch.div(rest, count, rounding_mode="floor")
        step = 2.0 / (count - 1) if count > 1 else 0.0
        start = -1.0 if count > 1 else 0.0
        columns.append(start + step * along.to(torch.float32))
    return torch.stack(columns, dim=-1)


def evaluate_on_grid(
    field: Callable[[Tensor], Tensor],
    size: Sequence[int],
    *,
    device: torch.device | str = "cpu",
    chunk: int = 2**17,
) -> Float[Tensor, "..."]:
    """Values of ``field`` on the whole grid ``size``, computed ``chunk`` points at a time.

    Returns:
        ``(channels, *size)`` on ``device``, without gradient.

    Example:
        >>> evaluate_on_grid(lambda x: x[:, :1], (2, 3))
        tensor([[[-1.,  0.,  1.],
                 [-1.,  0.,  1.]]])
    """
    total = math.prod(size)
    parts = []
    with torch.no_grad():
        for start in range(0, total, chunk):
            indices = torch.arange(start, min(start + chunk, total), device=device)
            parts.append(field(grid_coordinates(indices, size)))
    flat = torch.cat(parts)
    return flat.T.reshape(flat.shape[1], *size)


@dataclass(frozen=True)
class SignalInfo:
    """What is known of a signal without its samples; stays with the field that was fitted to it.

    ``physical = trained * scale + center``: pictures map [0, 1] to [-1, 1], sounds and unbounded
    pictures are scaled by their own range. A shape's distances and its coordinates are scaled
    alike, ``world = coordinates * scale + offset``.

    Attributes:
        kind: what the signal is.
        source: where it came from, for people.
        channels: numbers per sample.
        size: samples per axis, ``(height, width)`` or ``(time,)``; of a shape, those of the
            grid its surface is sought on unless another is asked for.
        center: physical value of 0.
        scale: physical size of 1.
        bounded: whether physical values lie in [0, 1], as in an 8- or 16-bit picture.
        sample_rate: in Hz for a sound, else None.
        bit_depth: of the file, where it has one.
        offset: of a shape, where in its world the origin of its coordinates lies.
    """

    kind: Literal["image", "audio", "shape"]
    source: str
    channels: int
    size: tuple[int, ...]
    center: float
    scale: float
    bounded: bool
    sample_rate: int | None = None
    bit_depth: int | None = None
    offset: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        """Samples of the grid, channels not counted."""
        return math.prod(self.size)


@dataclass(frozen=True)
class GridTarget:
    """A signal on a regular grid, in the units a field is trained in.

    Attributes:
        info: what is known of the signal.
        signal: ``(channels, *grid)`` float32, within [-1, 1].
    """

    info: SignalInfo
    signal: Float[Tensor, "channels *grid"]
