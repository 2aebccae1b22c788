"""Compiled loops of a surface on the processor: hash grid and small network in one pass.

Everything is done tile by tile (see :mod:`_cpu_products`). A tile's inputs are the rows of the
matrix ``[features, x, y, z, 1, 0 ..]`` of ``depth`` rows; ``hidden`` holds a weight for each, the
bias as that of the one. Matrices come padded to fours of rows, and with their transposes.

Kept for the way back, per tile: ``inputs``, ``sums`` (of the hidden layer, before its activation)
and ``slopes``, the derivatives of the distance by the inputs.
"""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled
from passband.inr.kernels.hashgrid._cpu_cells import find_cells, find_slopes, scratch
from passband.inr.kernels.hashgrid._cpu_kernels import _interpolate_3d
from passband.recon.surfaces._cpu_folds import (
    gather,
    interpolate,
    interpolate_along,
    scatter,
    spread,
)
from passband.recon.surfaces._cpu_products import PITCH, TILE, add_products, multiply

_f32 = np.float32


@compiled
@no_type_check
def _scratch():
    """With numbers behind the last point too: what is computed there is multiplied by 0."""
    row, upper, slope, bend = scratch(3)
    for k in range(3):
        for i in range(TILE):
            upper[k, i] = slope[k, i] = _f32(0)
    return row, upper, slope, bend


@compiled
@no_type_check
def activate(total, width, out):
    """Blended ReLU of a row: 0, ``(a + w)^2 / 4 w`` where ``|a| < w``, then a."""
    scale = _f32(0.5) / width
    for i in range(TILE):
        part = min(max((total[i] + width) * scale, _f32(0)), _f32(1))
        out[i] = width * part * part + max(total[i] - width, _f32(0))


@compiled
@no_type_check
def activation_slope(total, width, factor, out):
    """``factor`` times the derivative of :func:`activate`."""
    scale = _f32(0.5) / width
    for i in range(TILE):
        out[i] = factor * min(max((total[i] + width) * scale, _f32(0)), _f32(1))


@compiled
@no_type_check
def _place(x, start, n, levels, inputs):
    """Rows of the coordinates in [-1, 1] and of ones, behind the features."""
    first = 2 * len(levels[0])
    for k in range(first, len(inputs)):
        for i in range(TILE):
            inputs[k, i] = _f32(1) if k == first + 3 else _f32(0)
    for k in range(3):
        for i in range(n):
            inputs[first + k, i] = _f32(2) * x[k, start + i] - _f32(1)


@compiled
@no_type_check
def distances(
    x, table, hidden, output, bias, width, levels, interpolation, inside, begin, end, out
):
    """``out[begin:end]``: the distances alone."""
    row, upper, _, _ = scratch(3)
    depth = hidden.shape[1]
    inputs = np.zeros((depth, PITCH), np.float32)
    sums = np.zeros((len(hidden), PITCH), np.float32)
    words = np.zeros(TILE, np.float64)
    active = np.zeros(TILE, np.float32)
    for start in range(begin, end, TILE):
        n = min(TILE, end - start)
        for level in range(len(levels[0])):
            find_cells(x, start, n, inside, levels, level, 1, interpolation, row, upper)
            _interpolate_3d(row, upper, n, table[levels[2][level] :], words)
            _split(words, inputs[2 * level], inputs[2 * level + 1])
        _place(x, start, n, levels, inputs)
        multiply(hidden, inputs, sums, len(hidden), depth, TILE)
        target = out[start:]
        for i in range(n):
            target[i] = bias
        for j in range(len(hidden)):
            activate(sums[j], width, active)
            factor = output[0, j]
            for i in range(n):
                target[i] += factor * active[i]


@compiled
@no_type_check
def forward(
    x, table, hidden, hidden_t, output, bias, width, levels, interpolation, inside, begin, end,
    inputs, sums, slopes, distance, gradient, features,
):  # fmt: skip
    """Distance, gradient and features of points ``begin`` to ``end``, and what is kept of them."""
    count = len(levels[0])
    units, depth = hidden.shape
    row, upper, slope, bend = _scratch()
    corners = np.zeros((8, TILE), np.float64)
    jacobian = np.zeros((count, 6, TILE), np.float32)
    active = np.zeros((units, PITCH), np.float32)
    outputs = np.zeros((len(output), PITCH), np.float32)
    for start in range(begin, end, TILE):
        n = min(TILE, end - start)
        tile = start // TILE
        given, total, found = inputs[tile], sums[tile], slopes[tile]
        for level in range(count):
            find_cells(x, start, n, inside, levels, level, 1, interpolation, row, upper)
            find_slopes(x, start, n, levels[0][level], interpolation, slope, bend)
            gather(row, n, table[levels[2][level] :], corners)
            interpolate(corners, upper, slope, given[2 * level :], jacobian[level])
        _place(x, start, n, levels, given)
        multiply(hidden, given, total, units, depth, TILE)
        for j in range(units):
            activate(total[j], width, active[j])
        multiply(output, active, outputs, len(output), units, TILE)
        _slopes(total, width, output[0], active)
        multiply(hidden_t, active, found, depth, units, TILE)
        for k in range(3):
            along = found[2 * count + k]
            for level in range(count):
                _add_slopes(jacobian[level, 2 * k :], found[2 * level :], along)
            for i in range(n):
                gradient[start + i, k] = along[i]
        _write(outputs, bias, start, n, distance, features)


@compiled
@no_type_check
def _add_slopes(slopes, rates, total):
    """In units of the scene, where the unit cube's are two wide."""
    first, second = slopes[0], slopes[1]
    rate, other = rates[0], rates[1]
    for i in range(TILE):
        total[i] += _f32(0.5) * (first[i] * rate[i] + second[i] * other[i])


@compiled
@no_type_check
def _split(words, first, second):
    """The features of pairs, each in a row of its own."""
    pairs = words.view(np.float32)
    for i in range(TILE):
        first[i] = pairs[2 * i]
    for i in range(TILE):
        second[i] = pairs[2 * i + 1]


@compiled
@no_type_check
def _write(outputs, bias, start, n, distance, features):
    for i in range(n):
        distance[start + i] = outputs[0, i] + bias[0]
    for j in range(features.shape[1]):
        source = outputs[j + 1]
        for i in range(n):
            features[start + i, j] = source[i] + bias[j + 1]


@compiled
@no_type_check
def _read(distance, gradient, features, start, n, outputs, direction):
    """Gradients of a tile's results, with zeros behind its last point."""
    for i in range(TILE):
        outputs[0, i] = distance[start + i] if i < n else _f32(0)
    for j in range(features.shape[1]):
        target = outputs[j + 1]
        for i in range(TILE):
            target[i] = features[start + i, j] if i < n else _f32(0)
    for k in range(3):
        for i in range(TILE):
            direction[k, i] = gradient[start + i, k] if i < n else _f32(0)


@compiled
@no_type_check
def backward(
    x, table, hidden, hidden_t, output, output_t, width, levels, interpolation, inside, begin, end,
    inputs, sums, distance, gradient, features, inputs_grad, hidden_grad, output_grad,
):  # fmt: skip
    """Gradients of inputs (per tile) and weights, given those of the results.

    The gradient by x is ``hidden_t (t w)`` on the inputs' Jacobian, with t the slopes of the
    activation and w the first row of ``output``: what it passes on goes through both factors.
    """
    count = len(levels[0])
    units, depth = hidden.shape
    row, upper, slope, bend = _scratch()
    corners = np.zeros((8, TILE), np.float64)
    direction = np.zeros((3, TILE), np.float32)
    outputs = np.zeros((len(output), PITCH), np.float32)
    slopes_grad = np.zeros((depth, PITCH), np.float32)
    first = np.zeros((units, PITCH), np.float32)
    second = np.zeros((units, PITCH), np.float32)
    ones = np.ones((2, PITCH), np.float32)
    share = np.zeros((units, 2), np.float32)
    for start in range(begin, end, TILE):
        n = min(TILE, end - start)
        given, total = inputs[start // TILE], sums[start // TILE]
        _read(distance, gradient, features, start, n, outputs, direction)
        for k in range(3):
            for i in range(TILE):
                slopes_grad[2 * count + k, i] = direction[k, i]
                direction[k, i] *= _f32(0.5)
        for level in range(count):
            find_cells(x, start, n, inside, levels, level, 1, interpolation, row, upper)
            find_slopes(x, start, n, levels[0][level], interpolation, slope, bend)
            gather(row, n, table[levels[2][level] :], corners)
            interpolate_along(corners, upper, slope, direction, slopes_grad[2 * level :])
        for j in range(units):
            activate(total[j], width, first[j])
        add_products(outputs, first, output_grad, len(output), units, TILE)
        multiply(hidden, slopes_grad, first, units, depth, TILE)
        multiply(output_t, outputs, second, units, len(output), TILE)
        _through_activation(total, width, output[0], first, second)
        add_products(first, ones, share, units, 2, TILE)
        _slopes(total, width, output[0], first)
        add_products(first, slopes_grad, hidden_grad, units, depth, TILE)
        add_products(second, given, hidden_grad, units, depth, TILE)
        multiply(hidden_t, second, inputs_grad[start // TILE], depth, units, TILE)
    for j in range(units):
        output_grad[0, j] += share[j, 0]


@compiled
@no_type_check
def _through_activation(total, width, output, first, second):
    """``first`` becomes the gradient of ``output`` per point, ``second`` that of ``total``."""
    scale = _f32(0.5) / width
    for j in range(len(total)):
        a, factor, into, back = total[j], output[j], first[j], second[j]
        for i in range(TILE):
            part = (a[i] + width) * scale
            inner = _f32(part > _f32(0)) * _f32(part < _f32(1)) * (scale * factor)
            back[i] = back[i] * min(max(part, _f32(0)), _f32(1)) + into[i] * inner
        for i in range(TILE):
            into[i] *= min(max((a[i] + width) * scale, _f32(0)), _f32(1))


@compiled
@no_type_check
def _slopes(total, width, output, out):
    for j in range(len(total)):
        activation_slope(total[j], width, output[j], out[j])


@compiled
@no_type_check
def table_backward(
    x, inputs_grad, slopes, gradient, levels, interpolation, inside, begin, end, level, table_grad
):
    """Adds points ``begin`` to ``end``, whole tiles, to one level's part of the gradient."""
    row, upper, slope, bend = _scratch()
    corners = np.zeros((8, TILE), np.float64)
    direction = np.zeros((3, TILE), np.float32)
    rows = table_grad[levels[2][level] :]
    for start in range(begin, end, TILE):
        n = min(TILE, end - start)
        tile = start // TILE
        for k in range(3):
            for i in range(n):
                direction[k, i] = _f32(0.5) * gradient[start + i, k]
        find_cells(x, start, n, inside, levels, level, 1, interpolation, row, upper)
        find_slopes(x, start, n, levels[0][level], interpolation, slope, bend)
        values, along = inputs_grad[tile, 2 * level :], slopes[tile, 2 * level :]
        spread(values, along, upper, slope, direction, corners)
        scatter(row, n, corners, rows)
