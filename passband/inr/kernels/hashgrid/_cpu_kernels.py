"""Compiled loops of the hash grid on the processor: values and first derivatives.

Arrays are ``x`` (d, points), ``table`` flat, ``out`` and ``grad`` (points, columns), and ``levels``
the columns of :mod:`_cpu_cells`. Table, ``out`` and ``grad`` hold words: pairs of features, or
single features where a row has an odd number of them; ``words`` is how many a row has.
"""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled
from passband.inr.kernels.hashgrid._cpu_cells import RUN, find_cells, find_slopes, scratch
from passband.inr.kernels.hashgrid._cpu_words import add_scaled, dot, lerp

_PAD = 12  # keeps the levels of a block from falling into the same cache sets

_u64 = np.uint64  # as an index: numba then leaves out its check for negative ones
_f32 = np.float32


@compiled
@no_type_check
def forward(x, table, out, levels, words, interpolation, inside, begin, end):
    """``out[begin:end]``; each level is written in one stream, then the levels are interleaved."""
    count = len(levels[0])
    pitch = end - begin + _PAD
    staged = np.empty(count * words * pitch, table.dtype)
    row, upper, _, _ = scratch(x.shape[0])
    for level in range(count):
        rows = table[levels[2][level] * words :]
        for start in range(begin, end, RUN):
            n = min(RUN, end - start)
            find_cells(x, start, n, inside, levels, level, words, interpolation, row, upper)
            for word in range(words):
                target = staged[(level * words + word) * pitch + start - begin :]
                if len(x) == 3:
                    _interpolate_3d(row, upper, n, rows[word:], target)
                elif len(x) == 2:
                    _interpolate_2d(row, upper, n, rows[word:], target)
                else:
                    _interpolate(row, upper, n, rows[word:], target)
    for i in range(end - begin):
        k = _u64(i)
        for column in range(count * words):
            out[_u64(begin + i), _u64(column)] = staged[k]
            k += _u64(pitch)


@compiled
@no_type_check
def _interpolate_2d(row, upper, n, table, out):
    for i in range(n):
        k = _u64(i)
        low = lerp(table[_u64(row[0, k])], table[_u64(row[1, k])], upper[0, k])
        high = lerp(table[_u64(row[2, k])], table[_u64(row[3, k])], upper[0, k])
        out[k] = lerp(low, high, upper[1, k])


@compiled
@no_type_check
def _interpolate_3d(row, upper, n, table, out):
    for i in range(n):
        k = _u64(i)
        share = upper[0, k]
        a = lerp(table[_u64(row[0, k])], table[_u64(row[1, k])], share)
        b = lerp(table[_u64(row[2, k])], table[_u64(row[3, k])], share)
        c = lerp(table[_u64(row[4, k])], table[_u64(row[5, k])], share)
        d = lerp(table[_u64(row[6, k])], table[_u64(row[7, k])], share)
        low = lerp(a, b, upper[1, k])
        high = lerp(c, d, upper[1, k])
        out[k] = lerp(low, high, upper[2, k])


@compiled
@no_type_check
def _interpolate(row, upper, n, table, out):
    """Any number of axes, folded one after the other from the last."""
    corners = row.shape[0]
    value = np.empty((corners, RUN), table.dtype)
    for c in range(corners):
        for i in range(n):
            value[c, i] = table[_u64(row[c, i])]
    for k in range(upper.shape[0] - 1, -1, -1):
        for c in range(1 << k):
            for i in range(n):
                value[c, i] = lerp(value[c, i], value[c + (1 << k), i], upper[k, i])
    for i in range(n):
        out[i] = value[0, i]


@compiled
@no_type_check
def corner_weights(upper, n, weight):
    """Products of the weights along each axis, (corners, RUN)."""
    for i in range(n):
        weight[0, i] = _f32(1)
    for k in range(upper.shape[0]):
        for c in range(1 << k):
            for i in range(n):
                product = weight[c, i] * upper[k, i]
                weight[c + (1 << k), i] = product
                weight[c, i] -= product


@compiled
@no_type_check
def table_backward(x, grad, table_grad, levels, words, interpolation, inside, begin, end, level):
    """Adds points ``begin`` to ``end`` to one level's part of the table's gradient."""
    row, upper, _, _ = scratch(x.shape[0])
    weight = np.empty(row.shape, np.float32)
    rows = table_grad[levels[2][level] * words :]
    for start in range(begin, end, RUN):
        n = min(RUN, end - start)
        find_cells(x, start, n, inside, levels, level, words, interpolation, row, upper)
        corner_weights(upper, n, weight)
        for word in range(words):
            _scatter(row, weight, n, grad[start:, level * words + word], rows[word:])


@compiled
@no_type_check
def _scatter(row, weight, n, grad, table_grad):
    """Adds each point's weighted gradient to the rows it read."""
    corners = row.shape[0]
    rows = row.reshape(row.size)
    weights = weight.reshape(weight.size)
    for i in range(n):
        word = grad[_u64(i)]
        k = _u64(i)
        for _ in range(corners):
            j = _u64(rows[k])
            table_grad[j] = add_scaled(table_grad[j], word, weights[k])
            k += _u64(RUN)


@compiled
@no_type_check
def point_backward(x, table, grad, x_grad, levels, words, interpolation, inside, begin, end):
    """``x_grad[:, begin:end]``: the slopes of each corner's gradient times table row, folded."""
    dims = x.shape[0]
    row, upper, slope, bend = scratch(dims)
    value = np.empty(row.shape, np.float32)
    along = np.empty((dims, row.shape[0] // 2, RUN), np.float32)
    for k in range(dims):
        for i in range(begin, end):
            x_grad[k, i] = _f32(0)
    for level in range(len(levels[0])):
        rows = table[levels[2][level] * words :]
        for start in range(begin, end, RUN):
            n = min(RUN, end - start)
            find_cells(x, start, n, inside, levels, level, words, interpolation, row, upper)
            find_slopes(x, start, n, levels[0][level], interpolation, slope, bend)
            for word in range(words):
                _corner_products(row, n, rows, grad[start:], level * words, word, value)
            fold_slopes(value, upper, slope, n, along)
            for k in range(dims):
                total = x_grad[k, start:]
                for i in range(n):
                    total[i] += along[k, 0, i]


@compiled
@no_type_check
def _corner_products(row, n, table, grad, column, word, value):
    """Adds gradient times table row of each corner to ``value``, which the first word starts."""
    corners = row.shape[0]
    rows = row.reshape(row.size)
    values = value.reshape(value.size)
    for i in range(n):
        given = grad[_u64(i), _u64(column + word)]
        k = _u64(i)
        for _ in range(corners):
            product = dot(table[_u64(rows[k]) + _u64(word)], given)
            values[k] = product if word == 0 else values[k] + product
            k += _u64(RUN)


@compiled
@no_type_check
def fold_slopes(value, upper, slope, n, along):
    """Interpolates the corners' values: into ``value[0]``, and its derivatives ``along[:, 0]``."""
    dims = upper.shape[0]
    for k in range(dims - 1, -1, -1):
        for c in range(1 << k):
            twin = c + (1 << k)
            for i in range(n):
                step = value[twin, i] - value[c, i]
                along[k, c, i] = slope[k, i] * step
                value[c, i] += upper[k, i] * step
            for axis in range(k + 1, dims):
                for i in range(n):
                    step = along[axis, twin, i] - along[axis, c, i]
                    along[axis, c, i] += upper[k, i] * step
