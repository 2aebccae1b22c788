"""Where a run of points lies in a level: rows of the corners, and weights along each axis.

Points pass in runs of ``RUN``, in loops over points that vectorise. A level is one place in the
columns scale, resolution, offset, entries, dense, tiled of the layout; bit k of a corner is its
side along axis k. Zeros are written in loops: numba takes a second to compile ``a[:] = 0``.
"""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled
from passband.inr.kernels.hashgrid._cpu_words import multiply_add
from passband.inr.kernels.hashgrid._layout import PRIMES

RUN = 256  # rows of the corners of a run in 3-D: 8 KiB, a quarter of a first-level cache

LINEAR, SMOOTHSTEP, NEAREST = range(3)

_PRIMES = np.array(PRIMES, np.uint32)
_u32 = np.uint32
_f32 = np.float32
_HALF = np.float32(0.5)


@compiled
@no_type_check
def scratch(dims):
    """Rows (corners, RUN), and per axis: upper weight, its first and its second derivative."""
    corners = 1 << dims
    return (
        np.empty((corners, RUN), np.uint32),
        np.empty((dims, RUN), np.float32),
        np.empty((dims, RUN), np.float32),
        np.empty((dims, RUN), np.float32),
    )


@compiled
@no_type_check
def find_cells(x, start, n, inside, levels, level, words, interpolation, row, upper):
    """Where in ``words`` per row the corners of ``n`` points are read, and their upper weights."""
    scale, resolution, _, entries, dense, tiled = levels
    dims = x.shape[0]
    _rows(x, start, n, scale[level], resolution[level], dense[level], row, upper)
    _wrap(row, n, inside and not tiled[level], entries[level], dense[level], words)
    if interpolation == SMOOTHSTEP:
        for k in range(dims):
            for i in range(n):
                f = upper[k, i]
                upper[k, i] = f * f * (_f32(3) - _f32(2) * f)
    elif interpolation == NEAREST:
        for k in range(dims):
            for i in range(n):
                upper[k, i] = _f32(0)


@compiled
@no_type_check
def find_slopes(x, start, n, scale, interpolation, slope, bend):
    """First and second derivatives of the upper weights in the coordinates."""
    for k in range(x.shape[0]):
        axis = x[k, start:]
        for i in range(n):
            if interpolation == SMOOTHSTEP:
                position = multiply_add(scale, axis[i], _HALF)
                f = position - np.floor(position)
                slope[k, i] = scale * (_f32(6) * f * (_f32(1) - f))
                bend[k, i] = scale * scale * (_f32(6) - _f32(12) * f)
            else:
                slope[k, i] = scale if interpolation == LINEAR else _f32(0)
                bend[k, i] = _f32(0)


@compiled
@no_type_check
def _join(a, b, dense):
    return _u32(a + b) if dense else _u32(a ^ b)


@compiled
@no_type_check
def _rows(x, start, n, scale, resolution, dense, row, fraction):
    """Axis after axis, each of which doubles the corners."""
    step = _u32(1)
    for i in range(n):
        row[0, i] = _u32(0)
    for k in range(x.shape[0]):
        factor = step if dense else _PRIMES[k]
        axis = x[k, start:]
        for c in range(1 << k):
            twin = c + (1 << k)
            for i in range(n):
                position = multiply_add(scale, axis[i], _HALF)
                cell = np.floor(position)
                fraction[k, i] = position - cell
                low = _u32(_u32(np.int32(cell)) * factor)
                partial = row[c, i]
                row[twin, i] = _join(partial, _u32(low + factor), dense)
                row[c, i] = _join(partial, low, dense)
        step = _u32(step * resolution)


@compiled
@no_type_check
def _wrap(row, n, inside, entries, dense, words):
    """Rows modulo ``entries``, times ``words``; a hashed level has a power of two of them."""
    for c in range(row.shape[0]):
        if not dense:
            for i in range(n):
                row[c, i] = _u32((row[c, i] & _u32(entries - _u32(1))) * words)
        elif inside:  # of the unit cube, where they are below twice the entries
            for i in range(n):
                row[c, i] = _u32(min(row[c, i], _u32(row[c, i] - entries)) * words)
        else:
            for i in range(n):
                row[c, i] = _u32((row[c, i] % entries) * words)
