"""Compiled loops of the hash grid on the processor: the Jacobian and second derivatives.

Arrays are as in :mod:`_cpu_kernels`, but always of single float32 features. What is differentiated
is, per point and feature, ``sum_c (g + sum_k G_k d/dx_k) weight_c(x) row_c``: for the Jacobian's
gradient with g and G_k the gradients of feature and of its derivatives, for the gradient of a
gradient with g = 0 and G_k the gradient of feature times a direction v_k in ``x``.

A loop writes one row of one array: of two or more, LLVM no longer tries whether they overlap and
does not vectorise.
"""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled
from passband.inr.kernels.hashgrid._cpu_cells import (
    RUN,
    SMOOTHSTEP,
    find_cells,
    find_slopes,
    scratch,
)
from passband.inr.kernels.hashgrid._cpu_kernels import fold_slopes

_u64 = np.uint64
_f32 = np.float32


@compiled
@no_type_check
def _clear(values):
    flat = values.reshape(values.size)
    for i in range(values.size):
        flat[i] = _f32(0)


@compiled
@no_type_check
def _read_corners(row, n, table, value):
    """The features of every corner, (features, corners, RUN), in pairs."""
    features, corners, _ = value.shape
    for f in range(0, features, 2):
        first = value[f]
        second = value[min(f + 1, features - 1)]
        for c in range(corners):
            for i in range(n):
                j = _u64(row[c, i]) + _u64(f)
                first[c, i] = table[j]
                if f + 1 < features:
                    second[c, i] = table[j + _u64(1)]


@compiled
@no_type_check
def _add_to_corners(row, n, share, table):
    """The transpose of ``_read_corners``."""
    features, corners, _ = share.shape
    for f in range(0, features, 2):
        first = share[f]
        second = share[min(f + 1, features - 1)]
        for c in range(corners):
            for i in range(n):
                j = _u64(row[c, i]) + _u64(f)
                table[j] += first[c, i]
                if f + 1 < features:
                    table[j + _u64(1)] += second[c, i]


@compiled
@no_type_check
def jacobian(x, table, out, out_slopes, levels, features, interpolation, inside, begin, end):
    """``out[begin:end]`` and its derivatives ``out_slopes[begin:end]``, (points, columns, d)."""
    dims = x.shape[0]
    row, upper, slope, bend = scratch(dims)
    value = np.empty((features, row.shape[0], RUN), np.float32)
    along = np.empty((dims, row.shape[0] // 2, RUN), np.float32)
    for level in range(len(levels[0])):
        rows = table[levels[2][level] * features :]
        for start in range(begin, end, RUN):
            n = min(RUN, end - start)
            find_cells(x, start, n, inside, levels, level, features, interpolation, row, upper)
            find_slopes(x, start, n, levels[0][level], interpolation, slope, bend)
            _read_corners(row, n, rows, value)
            for feature in range(features):
                column = level * features + feature
                fold_slopes(value[feature], upper, slope, n, along)
                target = out[start:, column]
                for i in range(n):
                    target[i] = value[feature, 0, i]
                for k in range(dims):
                    target = out_slopes[start:, column, k]
                    for i in range(n):
                        target[i] = along[k, 0, i]


@compiled
@no_type_check
def directional(
    x, table, table_slopes, v, out, levels, features, interpolation, inside, begin, end
):
    """``out[begin:end]``: features of ``table_slopes`` plus those of ``table`` differentiated
    along ``v``, (d, points)."""
    dims = x.shape[0]
    row, upper, slope, bend = scratch(dims)
    value = np.empty((features, row.shape[0], RUN), np.float32)
    change = np.zeros(value.shape, np.float32)
    for level in range(len(levels[0])):
        first = levels[2][level] * features
        for start in range(begin, end, RUN):
            n = min(RUN, end - start)
            find_cells(x, start, n, inside, levels, level, features, interpolation, row, upper)
            find_slopes(x, start, n, levels[0][level], interpolation, slope, bend)
            _read_corners(row, n, table[first:], value)
            if len(table_slopes) > 0:
                _read_corners(row, n, table_slopes[first:], change)
            else:
                _clear(change)
            for feature in range(features):
                _fold_direction(value[feature], change[feature], upper, slope, v, start, n)
                target = out[start:, level * features + feature]
                for i in range(n):
                    target[i] = change[feature, 0, i]


@compiled
@no_type_check
def _fold_direction(value, change, upper, slope, v, start, n):
    for k in range(upper.shape[0] - 1, -1, -1):
        along = v[k, start:]
        for c in range(1 << k):
            twin = c + (1 << k)
            for i in range(n):
                step = slope[k, i] * along[i] * (value[twin, i] - value[c, i])
                change[c, i] += upper[k, i] * (change[twin, i] - change[c, i]) + step
            for i in range(n):
                value[c, i] += upper[k, i] * (value[twin, i] - value[c, i])


@compiled
@no_type_check
def _read_gradients(grad, grad_slopes, v, start, n, column, value, along):
    """g and G_k of a run; without ``grad_slopes``, g is 0 and G_k is ``grad`` times ``v``."""
    for i in range(n):
        value[i] = grad[_u64(start + i), _u64(column)]
    for k in range(along.shape[0]):
        if len(grad_slopes) > 0:
            for i in range(n):
                along[k, i] = grad_slopes[_u64(start + i), _u64(column), _u64(k)]
        else:
            direction = v[k, start:]
            for i in range(n):
                along[k, i] = value[i] * direction[i]
    if len(grad_slopes) == 0:
        for i in range(n):
            value[i] = _f32(0)


@compiled
@no_type_check
def table_backward(
    x, grad, grad_slopes, v, table_grad, levels, features, interpolation, inside, begin, end, level
):
    """Adds points ``begin`` to ``end`` to one level's part of the table's gradient."""
    dims = x.shape[0]
    row, upper, slope, bend = scratch(dims)
    weight = np.empty(row.shape, np.float32)
    share = np.empty((features, row.shape[0], RUN), np.float32)
    along = np.empty((dims, RUN), np.float32)
    rows = table_grad[levels[2][level] * features :]
    for start in range(begin, end, RUN):
        n = min(RUN, end - start)
        find_cells(x, start, n, inside, levels, level, features, interpolation, row, upper)
        find_slopes(x, start, n, levels[0][level], interpolation, slope, bend)
        for feature in range(features):
            column = level * features + feature
            _read_gradients(grad, grad_slopes, v, start, n, column, share[feature, 0], along)
            _spread_gradients(upper, slope, along, n, weight, share[feature])
        _add_to_corners(row, n, share, rows)


@compiled
@no_type_check
def _spread_gradients(upper, slope, along, n, weight, share):
    """From g in ``share[0]``, every corner's ``(g + sum_k G_k d/dx_k) weight_c``."""
    for i in range(n):
        weight[0, i] = _f32(1)
    for k in range(upper.shape[0]):
        for c in range(1 << k):
            twin = c + (1 << k)
            for i in range(n):
                step = weight[c, i] * slope[k, i] * along[k, i]
                share[twin, i] = share[c, i] * upper[k, i] + step
            for i in range(n):
                share[c, i] -= share[twin, i]
            for i in range(n):
                weight[twin, i] = weight[c, i] * upper[k, i]
            for i in range(n):
                weight[c, i] -= weight[twin, i]


@compiled
@no_type_check
def point_backward(
    x, table, grad, grad_slopes, v, x_grad, levels, features, interpolation, inside, begin, end
):
    """``x_grad[:, begin:end]``: ``_spread_gradients`` axis by axis, then back through each."""
    dims = x.shape[0]
    row, upper, slope, bend = scratch(dims)
    weight = np.empty(row.shape, np.float32)
    share = np.empty(row.shape, np.float32)
    value = np.empty((features, row.shape[0], RUN), np.float32)
    change = np.empty(row.shape, np.float32)
    along = np.empty((dims, RUN), np.float32)
    for k in range(dims):
        for i in range(begin, end):
            x_grad[k, i] = _f32(0)
    for level in range(len(levels[0])):
        rows = table[levels[2][level] * features :]
        for start in range(begin, end, RUN):
            n = min(RUN, end - start)
            find_cells(x, start, n, inside, levels, level, features, interpolation, row, upper)
            find_slopes(x, start, n, levels[0][level], interpolation, slope, bend)
            _read_corners(row, n, rows, value)
            for feature in range(features):
                column = level * features + feature
                _read_gradients(grad, grad_slopes, v, start, n, column, share[0], along)
                _spread_gradients(upper, slope, along, n, weight, share)
                _back(
                    upper, slope, bend, interpolation == SMOOTHSTEP, along, weight, share,
                    value[feature], change, x_grad, start, n,
                )  # fmt: skip


@compiled
@no_type_check
def _back(upper, slope, bend, bent, along, weight, share, value, change, x_grad, start, n):
    """``value`` and ``change``: how the sum changes with each corner's share and weight.

    The axes are undone from the last: the two corners that an axis made of one add up to it.
    """
    dims = upper.shape[0]
    for k in range(dims - 1, -1, -1):
        total = x_grad[k, start:]
        for c in range(1 << k):
            twin = c + (1 << k)
            for i in range(n):
                weight[c, i] += weight[twin, i]
            for i in range(n):
                share[c, i] += share[twin, i]
            for i in range(n):
                total[i] += slope[k, i] * share[c, i] * (value[twin, i] - value[c, i])
            if bent:
                for i in range(n):
                    step = weight[c, i] * (value[twin, i] - value[c, i])
                    total[i] += bend[k, i] * along[k, i] * step
            if k < dims - 1:
                for i in range(n):
                    turn = weight[c, i] * (change[twin, i] - change[c, i])
                    total[i] += slope[k, i] * turn
            if k > 0:
                _fold_back(upper[k], slope[k], along[k], value, change, c, twin, n, k < dims - 1)


@compiled
@no_type_check
def _fold_back(upper, slope, along, value, change, c, twin, n, changed):
    """One corner in place of two; before the last axis, nothing has changed yet."""
    for i in range(n):
        kept = change[c, i] + upper[i] * (change[twin, i] - change[c, i]) if changed else _f32(0)
        change[c, i] = kept + slope[i] * along[i] * (value[twin, i] - value[c, i])
    for i in range(n):
        value[c, i] += upper[i] * (value[twin, i] - value[c, i])
