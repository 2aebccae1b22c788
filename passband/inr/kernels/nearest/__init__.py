"""Nearest centres of points: compiled on the processor, by brute force elsewhere."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from passband.errors import InputError

__all__ = ["NearestIndex"]

_CHUNK = 2**24  # distances held at a time


class NearestIndex:
    """The ``count`` nearest of ``centres`` to points, by Euclidean distance, the nearest first.

    For float32 on the processor, where numba is installed, from a tree of cells that list their
    candidates; otherwise from all distances, a chunk of points at a time. Both are exact up to the
    rounding of a distance, anywhere in space.

    Args:
        centres: what is searched; copied, so later changes do not reach the index.
        count: how many per point.

    Raises:
        InputError: fewer centres than ``count``, or centres that are not finite.

    Example:
        >>> index = NearestIndex(torch.tensor([[0.0], [1.0], [4.0]]), 2)
        >>> index(torch.tensor([[0.9], [3.0]]))
        tensor([[1, 0],
                [2, 1]])
    """

    def __init__(self, centres: Float[Tensor, "centres d"], count: int) -> None:
        if not 1 <= count <= len(centres):
            raise InputError(
                f"`count` (={count}) must be between 1 and the number of centres, {len(centres)}."
            )
        if not centres.isfinite().all():
            raise InputError("`centres` must be finite.")
        self.count = count
        self._centres = centres.detach().clone()
        able = centres.device.type == "cpu" and centres.dtype == torch.float32
        self._tree: Any = None
        if able and find_spec("numba") is not None:
            # Imported here: numba takes half a second, and few fields search.
            self._tree = import_module(f"{__name__}._cpu").Tree(self._centres, count)

    def __call__(self, points: Float[Tensor, "points d"]) -> Int[Tensor, "points {self.count}"]:
        """Indices into the centres; equal distances in no particular order."""
        points = points.detach()
        if self._tree is not None and points.dtype == torch.float32:
            found: Tensor = self._tree.query(points)
            return found
        rows = max(1, _CHUNK // len(self._centres))
        centres = self._centres.to(points.dtype)
        parts = [self._among_all(part, centres) for part in points.split(rows)]
        return torch.cat(parts) if parts else points.new_zeros((0, self.count), dtype=torch.int64)

    def _among_all(self, points: Tensor, centres: Tensor) -> Tensor:
        # The product form of cdist loses the digits that tell close centres apart.
        distances = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist")
        return distances.topk(self.count, largest=False).indices
