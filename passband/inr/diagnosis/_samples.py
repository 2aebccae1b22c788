"""Points and pairs of points of a fitted signal: where a diagnosis looks."""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from passband.inr.targets import GridTarget, ShapeTarget, grid_coordinates

_PATCH = 3  # samples along each side of a patch
_NEAR, _FAR = 25 / 64, 35 / 64  # where the two opposite corners end and begin
_REGION_POINTS = 4096


@dataclass(frozen=True)
class SignalPoints:
    """Points of a signal.

    Attributes:
        x: coordinates in [-1, 1].
        y: the signal there, in the units a field is trained in.
    """

    x: Float[Tensor, "n d"]
    y: Float[Tensor, "n channels"]


@dataclass(frozen=True)
class SignalPairs:
    """Pairs of points of a signal, ``(points.x[first[i]], points.x[second[i]])``.

    Attributes:
        points: the points, each once however many pairs it is in, those of a pair near each other.
        first: index of one end.
        second: index of the other.
    """

    points: SignalPoints
    first: Int[Tensor, " pairs"]
    second: Int[Tensor, " pairs"]

    def among(self, count: int) -> "SignalPairs":
        """The pairs that both lie among the first ``count`` points."""
        kept = (self.first < count) & (self.second < count)
        points = SignalPoints(self.points.x[:count], self.points.y[:count])
        return SignalPairs(points, self.first[kept], self.second[kept])


@runtime_checkable
class SignalSamples(Protocol):
    """What a diagnosis asks of a signal; a kind of target is added by a class with these."""

    def points(self, count: int, generator: torch.Generator) -> SignalPoints:
        """Up to ``count`` points, none twice."""

    def local_pairs(self, patches: int, generator: torch.Generator) -> SignalPairs:
        """All pairs of neighbours within each of ``patches`` small patches."""

    def global_pairs(self, count: int, generator: torch.Generator) -> SignalPairs:
        """``count`` pairs whose ends lie in opposite parts of the signal."""


class GridSamples:
    """Points and pairs of a signal on a regular grid, a shape's on the grid of its volume.

    Local pairs are all pairs within random patches of 3 samples along each axis: 36 in each patch
    of a picture, 3 in one of a sound. Global pairs have one end in the first 25/64 of every axis
    and the other beyond 35/64, the corners that the paper takes of its pictures of 64 pixels.

    Args:
        target: the signal.

    Example:
        >>> from passband.inr.targets import image_target
        >>> samples = GridSamples(image_target("skimage:astronaut"))
        >>> pairs = samples.local_pairs(100, torch.Generator().manual_seed(0))
        >>> pairs.points.x.shape, pairs.points.y.shape, len(pairs.first)
        (torch.Size([900, 2]), torch.Size([900, 3]), 3600)

    Reference: Lazzari & Liu, *Understanding the Spectral Bias of Coordinate Based MLPs Via Training
    Dynamics*, arXiv 2301.05816, 2023. The extent along axes of other lengths than 64 is ours.
    """

    def __init__(self, target: GridTarget | ShapeTarget) -> None:
        self._target = target
        self._size = target.info.size
        self._count = target.info.count

    def points(self, count: int, generator: torch.Generator) -> SignalPoints:
        """Up to ``count`` samples of the grid, none twice, in random order."""
        if self._count <= 2**22:
            return self._at(torch.randperm(self._count, generator=generator)[:count])
        drawn: dict[int, None] = {}
        while len(drawn) < count:  # a permutation of a long signal would take its memory over again
            indices = torch.randint(self._count, (count,), generator=generator)
            drawn |= dict.fromkeys(indices.tolist())
        return self._at(torch.tensor(list(drawn)[:count]))

    def local_pairs(self, patches: int, generator: torch.Generator) -> SignalPairs:
        """All pairs within each of ``patches`` patches, patch after patch."""
        sides = [min(_PATCH, count) for count in self._size]
        corners = self._inside([(0, count - side + 1) for count, side in self._axes(sides)],
                               patches, generator)  # fmt: skip
        offsets = torch.cartesian_prod(*(torch.arange(side) for side in sides)).reshape(
            -1, len(sides)
        )
        indices = self._flat(corners[:, None] + offsets).flatten()
        ends = torch.combinations(torch.arange(len(offsets)))
        starts = len(offsets) * torch.arange(patches)[:, None]
        first, second = ((starts + end).flatten() for end in ends.unbind(-1))
        return SignalPairs(self._at(indices), first, second)

    def global_pairs(self, count: int, generator: torch.Generator) -> SignalPairs:
        """``count`` pairs of a sample near the first corner of the grid and one near the last."""
        near = [(0, max(1, math.floor(_NEAR * size))) for size in self._size]
        far = [(min(size - 1, math.ceil(_FAR * size)), size) for size in self._size]
        ends = [self._flat(self._inside(bounds, count, generator)) for bounds in (near, far)]
        first = 2 * torch.arange(count)
        return SignalPairs(self._at(torch.stack(ends, dim=-1).flatten()), first, first + 1)

    def _axes(self, sides: list[int]) -> list[tuple[int, int]]:
        return list(zip(self._size, sides, strict=True))

    @staticmethod
    def _inside(
        bounds: list[tuple[int, int]], count: int, generator: torch.Generator
    ) -> Int[Tensor, "n d"]:
        """Grid indices drawn evenly between ``bounds``, the upper ones excluded."""
        columns = [torch.randint(low, high, (count,), generator=generator) for low, high in bounds]
        return torch.stack(columns, dim=-1)

    def _flat(self, indices: Int[Tensor, "*n d"]) -> Int[Tensor, "*n"]:
        flat = torch.zeros_like(indices[..., 0])
        for axis, size in enumerate(self._size):
            flat = flat * size + indices[..., axis]
        return flat

    def _at(self, indices: Int[Tensor, " n"]) -> SignalPoints:
        x = grid_coordinates(indices, self._size)
        if isinstance(self._target, GridTarget):
            return SignalPoints(x, self._target.signal.flatten(1).T[indices])
        return SignalPoints(x, self._target.distance(x)[:, None])


def region_grid(d: int) -> Float[Tensor, "n {d}"]:
    """The even grid that regions are counted on: 4096 points, 64 x 64, or 16 x 16 x 16.

    Example:
        >>> region_grid(2).shape, region_grid(3).shape
        (torch.Size([4096, 2]), torch.Size([4096, 3]))
    """
    side = round(_REGION_POINTS ** (1 / d))
    return grid_coordinates(torch.arange(side**d), (side,) * d)
