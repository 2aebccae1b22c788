"""Compiled loops of the nearest-centre search.

The tree of cells is ``child``, the first of a node's ``2^d`` children or -1 at a leaf, and where
the list of a leaf begins and ends in ``members``.
"""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled

_SLACK = np.float32(1 + 1e-5)  # far above the rounding of a distance
_f32 = np.float32


@compiled
@no_type_check
def _squared(centres, at, point):
    total = _f32(0)
    for k in range(point.shape[0]):
        offset = point[k] - centres[at, k]
        total += offset * offset
    return total


@compiled
@no_type_check
def candidates(centres, parents, lists, middles, diagonal, count, kept, spacing, start, stop):
    """For cells ``start`` to ``stop``, the members of their parents' lists that they need.

    A row of ``lists`` is where the parent's list begins and ends in ``parents``, where the cell's
    own begins in ``kept`` and, on return, where it ends.
    """
    best = np.empty(count, np.float32)
    for cell in range(start, stop):
        begin, end, out, _ = lists[cell]
        best[:] = np.inf
        for j in range(begin, end):
            distance = _squared(centres, parents[j], middles[cell])
            if distance < best[-1]:
                place = count - 1
                while place > 0 and best[place - 1] > distance:
                    best[place] = best[place - 1]
                    place -= 1
                best[place] = distance
        spacing[cell] = np.sqrt(best[-1])
        reach = (spacing[cell] + diagonal) * _SLACK
        for j in range(begin, end):
            if _squared(centres, parents[j], middles[cell]) <= reach * reach:
                kept[out] = parents[j]
                out += 1
        lists[cell, 3] = out


@compiled
@no_type_check
def query(points, centres, root, side, child, lists, members, found, start, stop):
    """Rows ``start`` to ``stop`` of ``found``: the nearest centres, the nearest first."""
    count, dims = found.shape[1], points.shape[1]
    best = np.empty(count, np.float32)
    middle = np.empty(dims, np.float32)
    for n in range(start, stop):
        inside = True
        for k in range(dims):
            middle[k] = root[k]
            inside &= abs(points[n, k] - root[k]) <= side
        node = 0
        half = side
        while inside and child[node] >= 0:
            half *= _f32(0.5)
            part = 0
            for k in range(dims):
                above = points[n, k] > middle[k]
                part |= above << k
                middle[k] += half if above else -half
            node = child[node] + part
        # The last list has all centres.
        begin, end = lists[node if inside else lists.shape[0] - 1]
        for k in range(count):
            best[k] = np.inf
            found[n, k] = 0
        for j in range(begin, end):
            at = members[j]
            distance = _squared(centres, at, points[n])
            if distance < best[count - 1]:
                place = count - 1
                while place > 0 and best[place - 1] > distance:
                    best[place] = best[place - 1]
                    found[n, place] = found[n, place - 1]
                    place -= 1
                best[place] = distance
                found[n, place] = at
