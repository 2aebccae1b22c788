"""The compiled march through a grid of signed distances: see ``_march.py``."""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled
from passband.recon.rendering.samplers import _march

_PIECES, _FEWEST = _march.PIECES, _march.FEWEST
_CAUTION, _LARGEST_LOG = _march.CAUTION, _march.LARGEST_LOG
_OPAQUE, _LEAST, _LINGERING = _march.OPAQUE, _march.LEAST, _march.LINGERING


@compiled
@no_type_check
def _mix(a, b, t):
    return a + t * (b - a)


@compiled
@no_type_check
def _value(grid, scale, origins, directions, ray, depth):
    n = grid.shape[0]
    one, top = grid.dtype.type(1), grid.dtype.type(n - 1)
    x = min(max((origins[ray, 0] + depth * directions[ray, 0] + one) * scale, 0 * one), top)
    y = min(max((origins[ray, 1] + depth * directions[ray, 1] + one) * scale, 0 * one), top)
    z = min(max((origins[ray, 2] + depth * directions[ray, 2] + one) * scale, 0 * one), top)
    i, j, k = min(int(x), n - 2), min(int(y), n - 2), min(int(z), n - 2)
    tx, ty, tz = x - grid.dtype.type(i), y - grid.dtype.type(j), z - grid.dtype.type(k)
    front = _mix(
        _mix(grid[i, j, k], grid[i, j, k + 1], tz),
        _mix(grid[i, j + 1, k], grid[i, j + 1, k + 1], tz),
        ty,
    )
    back = _mix(
        _mix(grid[i + 1, j, k], grid[i + 1, j, k + 1], tz),
        _mix(grid[i + 1, j + 1, k], grid[i + 1, j + 1, k + 1], tz),
        ty,
    )
    return _mix(front, back, tx)


@compiled
@no_type_check
def _walk(grid, origins, directions, ray, near, far, sharpness, pieces, weights):
    """Fill edges and weights of the pieces of a ray; their number and the sum of the weights."""
    one = grid.dtype.type(1)
    scale = grid.dtype.type((grid.shape[0] - 1) / 2)
    limit, opaque, caution = one * _LARGEST_LOG, one * _OPAQUE, one * _CAUTION
    least = min(max((far - near) / _PIECES, one / (grid.shape[0] - 1)), far - near)
    most = max((far - near) / _FEWEST, least)
    depth, passing, total, number = near, one, 0 * one, 0
    pieces[0] = near
    f = _value(grid, scale, origins, directions, ray, depth)
    front = np.exp(min(-sharpness * f, limit))
    while depth < far:
        if passing < opaque:
            depth, weights[number] = far, 0
        else:
            ahead = depth + min(max(caution * abs(f), least), most)
            ahead = far if ahead >= far or number == _PIECES - 1 else ahead
            depth, length = ahead, ahead - depth
            f = _value(grid, scale, origins, directions, ray, depth)
            back = np.exp(min(-sharpness * f, limit))
            stopped = max((back - front) / (one + back), 0 * one)
            lingers = sharpness * length * (front / (one + front) + back / (one + back)) / 2
            weights[number] = passing * max(stopped, one * _LINGERING * lingers / (one + lingers))
            passing *= one - stopped
            total += weights[number]
            front = back
        number += 1
        pieces[number] = depth
    return number, total


@compiled
@no_type_check
def sections(
    grid, origins, directions, near, far, shift, sharpness, uniform, depths, lengths, begin, end
):
    """Fill ``depths`` and ``lengths`` of the rays ``begin`` to ``end``."""
    one = grid.dtype.type(1)
    pieces, weights = np.empty(_PIECES + 1, grid.dtype), np.empty(_PIECES, grid.dtype)
    last = depths.shape[1] - 1
    for ray in range(begin, end):
        start, stop = near[ray], max(near[ray], far[ray])
        count, total = _walk(
            grid, origins, directions, ray, start, stop, sharpness, pieces, weights
        )
        seen = total > _LEAST
        by_weight = (one - uniform) / total if seen else 0 * one
        by_length = (uniform if seen else one) / max(stop - start, one * _LEAST)
        piece, low, high, edge = 0, 0 * one, 0 * one, start
        if count > 0:
            high = by_weight * weights[0] + by_length * (pieces[1] - pieces[0])
        for k in range(last + 1):
            quantile, before, edge = (k + shift[ray]) / last, edge, stop
            if k < last and count > 0:
                while piece < count - 1 and quantile >= high:
                    piece += 1
                    low = high
                    length = pieces[piece + 1] - pieces[piece]
                    high += by_weight * weights[piece] + by_length * length
                share = (quantile - low) / max(high - low, one * _LEAST)
                edge = _mix(pieces[piece], pieces[piece + 1], min(max(share, 0 * one), one))
            depths[ray, k] = (before + edge) / 2
            lengths[ray, k] = edge - before
