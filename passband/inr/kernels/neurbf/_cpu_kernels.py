"""Compiled loops of the radial features; arrays as in the reference, all float32.

``cycles`` are the multipliers over 2 pi: phases are counted in turns, which are reduced to half a
turn by a subtraction.
"""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled

_f32 = np.float32


def _sine_coefficients() -> tuple[np.float32, ...]:
    """Of P in ``sin(2 pi u) = u (1/4 - u^2) P(u^2)`` for |u| <= 1/2; to 3e-7."""
    turns = 0.5 * np.sin(np.pi / 2 * np.linspace(-1, 1, 400))[1:-1]
    factor = turns * (0.25 - turns**2)
    powers = factor[:, None] * turns[:, None] ** (2 * np.arange(6))
    found, *_ = np.linalg.lstsq(powers, np.sin(2 * np.pi * turns), rcond=None)
    return tuple(np.float32(value) for value in found)


_SINE = _sine_coefficients()


@compiled
@no_type_check
def _normalise(values, n, softening):
    total = softening
    for k in range(values.shape[1]):
        total += values[n, k]
    for k in range(values.shape[1]):
        values[n, k] /= total


@compiled
@no_type_check
def inverse_quadratic(x, nearest, centres, shapes, values, softening, begin, end):
    """Normalised values of inverse quadratic kernels."""
    dims = x.shape[1]
    for n in range(begin, end):
        for k in range(nearest.shape[1]):
            at = nearest[n, k]
            total = _f32(1)
            entry = 0
            for a in range(dims):
                offset = x[n, a] - centres[at, a]
                total += shapes[at, entry] * offset * offset
                entry += 1
                for b in range(a + 1, dims):
                    other = x[n, b] - centres[at, b]
                    total += _f32(2) * shapes[at, entry] * offset * other
                    entry += 1
            values[n, k] = _f32(1) / total
        _normalise(values, n, softening)


@compiled
@no_type_check
def tent(x, nearest, centres, shapes, values, softening, begin, end):
    """Normalised values of tents."""
    for n in range(begin, end):
        for k in range(nearest.shape[1]):
            at = nearest[n, k]
            product = _f32(1)
            for a in range(x.shape[1]):
                side = _f32(1) - shapes[at, 0] * abs(x[n, a] - centres[at, a])
                product *= max(side, _f32(0))
            values[n, k] = product
        _normalise(values, n, softening)


@compiled
@no_type_check
def _waves(value, cycles, wave):
    c0, c1, c2, c3, c4, c5 = _SINE
    for f in range(cycles.shape[0]):
        turns = value * cycles[f]
        turns -= np.floor(turns + _f32(0.5))
        q = turns * turns
        series = c0 + q * (c1 + q * (c2 + q * (c3 + q * (c4 + q * c5))))
        wave[f] = turns * (_f32(0.25) - q) * series


@compiled
@no_type_check
def compose(values, nearest, weights, cycles, out, begin, end):
    """Rows ``begin`` to ``end`` of ``out``."""
    wave = np.empty(cycles.shape[0], np.float32)
    total = np.empty(cycles.shape[0], np.float32)
    for n in range(begin, end):
        total[:] = _f32(0)
        for k in range(nearest.shape[1]):
            if values[n, k] != 0:
                _waves(values[n, k], cycles, wave)
                row = weights[nearest[n, k]]
                for f in range(cycles.shape[0]):
                    total[f] += row[f] * wave[f]
        out[n] = total


@compiled
@no_type_check
def sort_pairs(kernels, begins, order):
    """Pairs of a point and a kernel in the order of kernels: ``order``, with one range each."""
    begins[:] = 0
    for pair in range(kernels.shape[0]):
        begins[kernels[pair] + 1] += 1
    for kernel in range(begins.shape[0] - 1):
        begins[kernel + 1] += begins[kernel]
    for pair in range(kernels.shape[0]):
        order[begins[kernels[pair]]] = pair
        begins[kernels[pair]] += 1
    for kernel in range(begins.shape[0] - 1, 0, -1):
        begins[kernel] = begins[kernel - 1]
    begins[0] = 0


@compiled
@no_type_check
def weight_gradient(values, grad, cycles, begins, order, out, first, last):
    """Rows ``first`` to ``last`` of the weights' gradient: a kernel's points in their order."""
    wave = np.empty(cycles.shape[0], np.float32)
    total = np.empty(cycles.shape[0], np.float32)
    neighbours = values.shape[1]
    for kernel in range(first, last):
        total[:] = _f32(0)
        for at in range(begins[kernel], begins[kernel + 1]):
            point, k = divmod(order[at], neighbours)
            if values[point, k] != 0:
                _waves(values[point, k], cycles, wave)
                for f in range(cycles.shape[0]):
                    total[f] += grad[point, f] * wave[f]
        out[kernel] = total
