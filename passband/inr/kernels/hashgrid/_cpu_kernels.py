"""Compiled loops of the hash grid on the processor.

Points pass in runs of ``RUN``. First the table row and the weight of every corner of every point
of a run, in loops that vectorise; then the table itself, one point at a time. Arrays are ``x``
(d, points), ``table`` flat, ``out`` and ``grad`` (points, levels * features), and ``levels`` the
columns scale, resolution, offset, entries, dense of the layout.
"""

from typing import Any, no_type_check

import numba
import numpy as np

from passband.inr.kernels.hashgrid._layout import PRIMES

RUN = 256  # corners and weights of a run of points in 3-D: 16 KiB, half of a first-level cache
TILE = 64  # points interleaved at a time
_PAD = 24  # keeps the levels of a block from falling into the same cache sets

_PRIMES = np.array(PRIMES, np.uint32)
_u32 = np.uint32
_u64 = np.uint64  # as an index: numba then leaves out its check for negative ones
_f32 = np.float32


def _compiled(function: Any) -> Any:
    """Compile at first call, keep the result on disk, run without the interpreter's lock."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder it may write to
        return numba.njit(**options)(function)


@_compiled
@no_type_check
def _corners(x, start, n, inside, scale, resolution, entries, dense, scratch):
    """Rows and weights of the corners around ``n`` points; bit k of a corner: its side along k."""
    row, weight, low, high, fraction = scratch
    dims = x.shape[0]
    wide_scale = np.float64(scale)
    mask = _u32(0xFFFFFFFF) if dense else _u32(entries - _u32(1))
    step = _u32(1)
    for k in range(dims):
        factor = step if dense else _PRIMES[k]
        for i in range(n):
            position = _f32(wide_scale * np.float64(x[k, start + i]) + 0.5)
            cell = np.floor(position)
            fraction[i] = position - cell
            term = _u32(_u32(np.int32(cell)) * factor)
            low[i] = term & mask
            high[i] = _u32(term + factor) & mask
        if k == 0:
            for i in range(n):
                row[0, i] = low[i]
                row[1, i] = high[i]
                weight[0, i] = _f32(1) - fraction[i]
                weight[1, i] = fraction[i]
        for c in range(1 << k if k > 0 else 0):
            twin = c + (1 << k)
            if dense:
                for i in range(n):
                    partial = row[c, i]
                    row[twin, i] = partial + high[i]
                    row[c, i] = partial + low[i]
            else:
                for i in range(n):
                    partial = row[c, i]
                    row[twin, i] = partial ^ high[i]
                    row[c, i] = partial ^ low[i]
            for i in range(n):
                product = weight[c, i] * fraction[i]
                weight[twin, i] = product
                weight[c, i] -= product
        step = _u32(step * resolution)
    if dense:
        _wrap(row, n, inside, entries)


@_compiled
@no_type_check
def _wrap(row, n, inside, entries):
    """Rows modulo ``entries``; those of points inside the unit cube stay below twice that."""
    for c in range(row.shape[0]):
        if inside:
            for i in range(n):
                row[c, i] = min(row[c, i], _u32(row[c, i] - entries))
        else:
            for i in range(n):
                row[c, i] %= entries


@_compiled
@no_type_check
def _scratch(dims):
    corners = 1 << dims
    return (
        np.empty((corners, RUN), np.uint32),
        np.empty((corners, RUN), np.float32),
        np.empty(RUN, np.uint32),
        np.empty(RUN, np.uint32),
        np.empty(RUN, np.float32),
    )


@_compiled
@no_type_check
def _gather(row, weight, n, table, features, out, begin):
    """Weighted sums of table rows, features in pairs; ``out`` is filled from ``begin`` on."""
    corners = row.shape[0]
    rows = row.reshape(row.size)
    weights = weight.reshape(weight.size)
    for f in range(0, features, 2):
        at = _u64(begin + f)
        paired = f + 1 < features
        for i in range(n):
            first = _f32(0)
            second = _f32(0)
            k = _u64(i)
            for _ in range(corners):
                j = _u64(rows[k]) * _u64(features) + _u64(f)
                first += weights[k] * table[j]
                if paired:
                    second += weights[k] * table[j + _u64(1)]
                k += _u64(RUN)
            out[at] = first
            if paired:
                out[at + _u64(1)] = second
            at += _u64(features)


@_compiled
@no_type_check
def forward(x, table, out, levels, features, inside, begin, end):
    """``out[begin:end]``; each level is written in one stream, then the levels are interleaved."""
    scale, resolution, offset, entries, dense = levels
    pitch = (end - begin + _PAD) * features
    staged = np.empty(len(scale) * pitch, np.float32)
    scratch = _scratch(x.shape[0])
    row, weight = scratch[0], scratch[1]
    for level in range(len(scale)):
        rows = table[offset[level] * features :]
        for start in range(begin, end, RUN):
            n = min(RUN, end - start)
            _corners(
                x, start, n, inside, scale[level], resolution[level], entries[level], dense[level],
                scratch,
            )  # fmt: skip
            _gather(
                row, weight, n, rows, features, staged, level * pitch + (start - begin) * features
            )
    for start in range(begin, end, TILE):
        for level in range(len(scale)):
            source = level * pitch + (start - begin) * features
            _interleave(staged, source, min(TILE, end - start), features, out, start, level)


@_compiled
@no_type_check
def _interleave(staged, source, n, features, out, start, level):
    """Copies ``n`` points of one level to their columns, features in pairs."""
    for f in range(0, features, 2):
        paired = f + 1 < features
        column = _u64(level * features + f)
        at = _u64(source + f)
        for i in range(n):
            out[_u64(start + i), column] = staged[at]
            if paired:
                out[_u64(start + i), column + _u64(1)] = staged[at + _u64(1)]
            at += _u64(features)


@_compiled
@no_type_check
def _scatter(row, weight, n, grad, start, column, features, table_grad):
    """The transpose of ``_gather``: adds each point's weighted gradient to the rows it read."""
    corners = row.shape[0]
    rows = row.reshape(row.size)
    weights = weight.reshape(weight.size)
    for f in range(0, features, 2):
        paired = f + 1 < features
        for i in range(n):
            point = _u64(start + i)
            first = grad[point, _u64(column + f)]
            second = grad[point, _u64(column + f + 1)] if paired else _f32(0)
            k = _u64(i)
            for _ in range(corners):
                j = _u64(rows[k]) * _u64(features) + _u64(f)
                table_grad[j] += weights[k] * first
                if paired:
                    table_grad[j + _u64(1)] += weights[k] * second
                k += _u64(RUN)


@_compiled
@no_type_check
def table_backward(x, grad, table_grad, levels, features, inside, begin, end, level):
    """Adds points ``begin`` to ``end`` to one level's part of the table's gradient."""
    scale, resolution, offset, entries, dense = levels
    scratch = _scratch(x.shape[0])
    rows = table_grad[offset[level] * features :]
    if begin == 0:
        for j in range(entries[level] * features):
            rows[j] = _f32(0)
    for start in range(begin, end, RUN):
        n = min(RUN, end - start)
        _corners(
            x, start, n, inside, scale[level], resolution[level], entries[level], dense[level],
            scratch,
        )  # fmt: skip
        _scatter(scratch[0], scratch[1], n, grad, start, level * features, features, rows)


@_compiled
@no_type_check
def _corner_slopes(row, n, table, grad, start, column, features, value):
    """How much the loss changes with the weight of each corner: gradient times table row."""
    corners = row.shape[0]
    rows = row.reshape(row.size)
    values = value.reshape(value.size)
    for f in range(0, features, 2):
        paired = f + 1 < features
        for i in range(n):
            point = _u64(start + i)
            first = grad[point, _u64(column + f)]
            second = grad[point, _u64(column + f + 1)] if paired else _f32(0)
            k = _u64(i)
            for _ in range(corners):
                j = _u64(rows[k]) * _u64(features) + _u64(f)
                slope = table[j] * first
                if paired:
                    slope += table[j + _u64(1)] * second
                values[k] = slope if f == 0 else values[k] + slope
                k += _u64(RUN)


@_compiled
@no_type_check
def point_backward(x, table, grad, x_grad, levels, features, inside, begin, end):
    """``x_grad[:, begin:end]``: along k, the weights of two corners that differ only there add up
    to the weight of their edge, along which the loss changes by the difference of their slopes."""
    scale, resolution, offset, entries, dense = levels
    dims = x.shape[0]
    corners = 1 << dims
    scratch = _scratch(dims)
    row, weight = scratch[0], scratch[1]
    slope = np.empty((corners, RUN), np.float32)
    total = np.zeros((dims, RUN), np.float32)
    for start in range(begin, end, RUN):
        n = min(RUN, end - start)
        for level in range(len(scale)):
            cells = scale[level]
            rows = table[offset[level] * features :]
            _corners(
                x, start, n, inside, cells, resolution[level], entries[level], dense[level], scratch
            )
            _corner_slopes(row, n, rows, grad, start, level * features, features, slope)
            for k in range(dims):
                for c in range(corners):
                    twin = c + (1 << k)
                    if c & (1 << k) == 0:
                        for i in range(n):
                            edge = (weight[c, i] + weight[twin, i]) * cells
                            total[k, i] += edge * (slope[twin, i] - slope[c, i])
        for k in range(dims):
            for i in range(n):
                x_grad[k, start + i] = total[k, i]
                total[k, i] = _f32(0)
