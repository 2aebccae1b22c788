"""Compiled loops of the renderer, over the points of rays."""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled


@compiled
@no_type_check
def composite(weights, values, ray, sums):
    """Add ``w_i v_i`` to the row of ``sums`` of point i's ray."""
    for i in range(weights.shape[0]):
        for k in range(values.shape[1]):
            sums[ray[i], k] += weights[i] * values[i, k]


@compiled
@no_type_check
def composite_gradient(weights, values, ray, grad, weights_grad, values_grad):
    """Fill the gradients in weights and values from that in the sums."""
    for i in range(weights.shape[0]):
        total = weights.dtype.type(0)
        for k in range(values.shape[1]):
            total += grad[ray[i], k] * values[i, k]
            values_grad[i, k] = grad[ray[i], k] * weights[i]
        weights_grad[i] = total


@compiled
@no_type_check
def place(x, index, out):
    """Copy row i of ``x`` to row ``index[i]`` of ``out``."""
    for i in range(index.shape[0]):
        row = index[i]
        for k in range(x.shape[1]):
            out[row, k] = x[i, k]


@compiled
@no_type_check
def normals(gradient, index, out, lengths):
    """Fill ``out`` with rows of ``gradient`` made unit, and ``lengths`` with what they were."""
    least = gradient.dtype.type(1e-12)
    for i in range(index.shape[0]):
        row = index[i]
        x, y, z = gradient[row, 0], gradient[row, 1], gradient[row, 2]
        lengths[i] = max(np.sqrt(x * x + y * y + z * z), least)
        out[i, 0], out[i, 1], out[i, 2] = x / lengths[i], y / lengths[i], z / lengths[i]


@compiled
@no_type_check
def normals_gradient(grad, index, normals, lengths, out):
    """``(g - n (n . g)) / length``, at the rows of ``out`` that ``index`` says."""
    for i in range(index.shape[0]):
        row = index[i]
        along = grad[i, 0] * normals[i, 0] + grad[i, 1] * normals[i, 1] + grad[i, 2] * normals[i, 2]
        for k in range(3):
            out[row, k] = (grad[i, k] - along * normals[i, k]) / lengths[i]


@compiled
@no_type_check
def slopes(gradient, directions, filled, out):
    """``gradient . direction`` of points at the places ``filled`` of ``out``; at all if empty."""
    samples, flat = out.shape[1], out.reshape(-1)
    for i in range(gradient.shape[0]):
        at = filled[i] if filled.shape[0] > 0 else i
        ray = at // samples
        flat[at] = (
            gradient[i, 0] * directions[ray, 0]
            + gradient[i, 1] * directions[ray, 1]
            + gradient[i, 2] * directions[ray, 2]
        )


@compiled
@no_type_check
def slopes_gradient(grad, directions, filled, out):
    """Fill ``out``, the gradient in the points' gradients, from ``grad``, that in the slopes."""
    samples, flat = grad.shape[1], grad.reshape(-1)
    for i in range(out.shape[0]):
        at = filled[i] if filled.shape[0] > 0 else i
        ray = at // samples
        for k in range(3):
            out[i, k] = flat[at] * directions[ray, k]


@compiled
@no_type_check
def eikonal(gradient, shortest):
    """Sum of ``(|g| - 1)^2`` over the rows g, in float64."""
    total = 0.0
    for i in range(gradient.shape[0]):
        x, y, z = gradient[i, 0], gradient[i, 1], gradient[i, 2]
        over = np.sqrt(max(x * x + y * y + z * z, gradient.dtype.type(shortest))) - 1
        total += over * over
    return total


@compiled
@no_type_check
def eikonal_gradient(gradient, out, shortest, scale):
    """Fill ``out`` with ``scale (|g| - 1) g / |g|``; 0 where g is too short to have a direction."""
    one = gradient.dtype.type(1)
    for i in range(gradient.shape[0]):
        x, y, z = gradient[i, 0], gradient[i, 1], gradient[i, 2]
        square = x * x + y * y + z * z
        factor = one * scale * (one - one / np.sqrt(square)) if square > shortest else 0 * one
        out[i, 0], out[i, 1], out[i, 2] = factor * x, factor * y, factor * z
