"""Compiled loops of a colour network: two ReLU layers and a sigmoid, tile by tile.

A layer's inputs are rows of a tile with a row of ones behind them, for which its matrix has the
biases. Kept for the way back, per tile: the inputs of all three layers.
"""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled
from passband.recon.surfaces._cpu_products import PITCH, TILE, add_products, multiply

_f32 = np.float32


@compiled
@no_type_check
def _read(x, start, n, ones, tile):
    """Points as columns, with zeros behind the last, and a row of ones."""
    for j in range(len(tile)):
        row = tile[j]
        if j < x.shape[1]:
            for i in range(n):
                row[i] = x[start + i, j]
            for i in range(n, TILE):
                row[i] = _f32(0)
        else:
            for i in range(TILE):
                row[i] = _f32(1) if j == ones else _f32(0)


@compiled
@no_type_check
def _rectify(tile, units):
    for j in range(units):
        row = tile[j]
        for i in range(TILE):
            row[i] = max(row[i], _f32(0))
    row = tile[units]
    for i in range(TILE):
        row[i] = _f32(1)


@compiled
@no_type_check
def forward(x, first, second, third, units, begin, end, inputs, hidden, out):
    """``out[begin:end]``, colours before the sigmoid, and what is kept of the points."""
    values = np.zeros((len(third), PITCH), np.float32)
    for start in range(begin, end, TILE):
        n = min(TILE, end - start)
        tile = start // TILE
        given, low, high = inputs[tile], hidden[tile, 0], hidden[tile, 1]
        _read(x, start, n, x.shape[1], given)
        multiply(first, given, low, len(first), len(given), TILE)
        _rectify(low, units)
        multiply(second, low, high, len(second), units + 1, TILE)
        _rectify(high, units)
        multiply(third, high, values, len(third), units + 1, TILE)
        for j in range(3):
            for i in range(n):
                out[start + i, j] = values[j, i]


@compiled
@no_type_check
def _mask(grad, value, units):
    for j in range(units):
        row, active = grad[j], value[j]
        for i in range(TILE):
            row[i] = row[i] * _f32(active[i] > _f32(0))


@compiled
@no_type_check
def backward(
    grad, first_t, second_t, third_t, units, begin, end, inputs, hidden,
    x_grad, first_grad, second_grad, third_grad,
):  # fmt: skip
    """Gradients of inputs and matrices, given those of the colours before the sigmoid."""
    columns = x_grad.shape[1]
    values = np.zeros((len(third_grad), PITCH), np.float32)
    high_grad = np.zeros((hidden.shape[2], PITCH), np.float32)
    low_grad = np.zeros(high_grad.shape, np.float32)
    given_grad = np.zeros((inputs.shape[1], PITCH), np.float32)
    for start in range(begin, end, TILE):
        n = min(TILE, end - start)
        tile = start // TILE
        given, low, high = inputs[tile], hidden[tile, 0], hidden[tile, 1]
        _read(grad, start, n, len(values), values)
        add_products(values, high, third_grad, len(values), len(high), TILE)
        multiply(third_t, values, high_grad, len(third_t), len(values), TILE)
        _mask(high_grad, high, units)
        add_products(high_grad, low, second_grad, len(second_grad), len(low), TILE)
        multiply(second_t, high_grad, low_grad, len(second_t), units, TILE)
        _mask(low_grad, low, units)
        add_products(low_grad, given, first_grad, len(first_grad), len(given), TILE)
        multiply(first_t, low_grad, given_grad, len(first_t), units, TILE)
        for j in range(columns):
            row = given_grad[j]
            for i in range(n):
                x_grad[start + i, j] = row[i]
