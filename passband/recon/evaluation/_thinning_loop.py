"""The compiled loop of `thinned`."""

from typing import no_type_check

import numpy as np
from numpy.typing import NDArray

from passband.inr.kernels._compiled import compiled


@compiled
@no_type_check
def visit(
    points: NDArray[np.float64],
    order: NDArray[np.int64],
    cell: NDArray[np.int64],
    occupied: NDArray[np.int64],
    stride: int,
    limit: float,
) -> NDArray[np.bool_]:
    """Which points are kept, in order, where none kept before is within ``sqrt(limit)``.

    Cells are as wide as that, so only the 27 around a point are searched: nine rows of three, whose
    numbers follow one another, the point's own first. The kept points of a cell are a chain: its
    latest, and from each the one before.
    """
    kept = np.zeros(len(points), dtype=np.bool_)
    latest = np.full(len(occupied), -1)
    before = np.full(len(points), -1)
    for index in order:
        near = False
        home = occupied[cell[index]]
        for turn in range(9):
            row = (turn + 4) % 9
            first = home + ((row // 3 - 1) * stride + row % 3 - 1) * stride - 1
            place = cell[index] - 1 if turn == 0 else np.searchsorted(occupied, first)
            place = max(place, 0)
            while place < len(occupied) and occupied[place] <= first + 2 and not near:
                other = latest[place]
                while other >= 0 and not near:
                    gap = 0.0
                    for axis in range(3):
                        gap += (points[index, axis] - points[other, axis]) ** 2
                    near = gap <= limit
                    other = before[other]
                place += 1
            if near:
                break
        if not near:
            kept[index] = True
            before[index] = latest[cell[index]]
            latest[cell[index]] = index
    return kept
