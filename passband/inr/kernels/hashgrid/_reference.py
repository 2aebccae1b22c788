"""The hash grid in plain torch: the definition the kernels are tested against."""

from collections.abc import Iterator
from itertools import product
from math import prod

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from passband.inr.kernels.hashgrid._layout import (
    PRIMES,
    HashGridLayout,
    HashGridLevel,
    Interpolation,
)


def encode(
    x01: Float[Tensor, "points d"],
    table: Float[Tensor, "entries features"],
    layout: HashGridLayout,
) -> Float[Tensor, "points encoded"]:
    """Features of each level, side by side; twice differentiable in coordinates and table."""
    encoded = []
    for level in layout.levels:
        cell, fraction = _cell(x01, level)
        upper, _ = _upper_weights(fraction, layout.interpolation)
        total = x01.new_zeros(())
        for corner, features in _vertices(cell, table, level):
            total = total + prod(_weights(upper, corner)) * features
        encoded.append(total)
    return torch.cat(encoded, dim=-1)


def encode_with_jacobian(
    x01: Float[Tensor, "points d"],
    table: Float[Tensor, "entries features"],
    layout: HashGridLayout,
) -> tuple[Float[Tensor, "points encoded"], Float[Tensor, "points encoded d"]]:
    """Features and the derivatives of their weights by the product rule, axis by axis."""
    encoded, jacobian = [], []
    for level in layout.levels:
        cell, fraction = _cell(x01, level)
        upper, slope = _upper_weights(fraction, layout.interpolation)
        total = x01.new_zeros(())
        rates = [x01.new_zeros(()) for _ in upper]
        for corner, features in _vertices(cell, table, level):
            weights = _weights(upper, corner)
            total = total + prod(weights) * features
            for axis, bit in enumerate(corner):
                rate = level.scale * (slope[axis] if bit else -slope[axis])
                others = prod(weights[:axis] + weights[axis + 1 :])
                rates[axis] = rates[axis] + rate * others * features
        encoded.append(total)
        jacobian.append(torch.stack(rates, dim=-1))
    return torch.cat(encoded, dim=-1), torch.cat(jacobian, dim=-2)


def _cell(
    x01: Float[Tensor, "points d"], level: HashGridLevel
) -> tuple[list[Tensor], list[Tensor]]:
    """Lowest vertex of the cell around each point and where in the cell it is, axis by axis."""
    # Rounded once, as a fused multiply-add rounds; MPS has no float64 for it.
    wide = x01 if x01.device.type == "mps" else x01.double()
    position = (wide * level.scale + 0.5).to(x01.dtype)
    low = position.detach().floor()
    fraction = (position - low).unsqueeze(-1).unbind(-2)
    return list(low.to(torch.int64).unbind(-1)), list(fraction)


def _upper_weights(
    fraction: list[Tensor], interpolation: Interpolation
) -> tuple[list[Tensor], list[Tensor]]:
    """Per axis, the weight of the upper vertex and its derivative in the fraction."""
    if interpolation == "smoothstep":
        return [f * f * (3 - 2 * f) for f in fraction], [6 * f * (1 - f) for f in fraction]
    # Times zero and not zeros: constant weights have a gradient too, which is zero.
    none = [0 * f for f in fraction]
    if interpolation == "nearest":
        return none, none
    return fraction, [1 + zero for zero in none]


def _weights(upper: list[Tensor], corner: tuple[int, ...]) -> list[Tensor]:
    return [part if bit else 1 - part for part, bit in zip(upper, corner, strict=True)]


def _vertices(
    cell: list[Tensor], table: Tensor, level: HashGridLevel
) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """The corners of each point's cell and the features of the table row of each."""
    rows = table[level.offset : level.offset + level.entries]
    for corner in product((0, 1), repeat=len(cell)):
        vertex = [index + bit for index, bit in zip(cell, corner, strict=True)]
        # F.embedding and not rows[...], whose backward on a CPU adds in no fixed order.
        yield corner, F.embedding(_row(vertex, level), rows)


def _row(vertex: list[Tensor], level: HashGridLevel) -> Tensor:
    """Row of each vertex, in arithmetic modulo 2^32 (int64 overflow keeps the low 32 bits)."""
    if level.dense:
        terms = [index * level.resolution**axis for axis, index in enumerate(vertex)]
        row = torch.stack(terms).sum(dim=0)
    else:
        row = vertex[0]
        for index, prime in zip(vertex[1:], PRIMES[1:], strict=False):
            row = row ^ (index * prime)
    return (row & 0xFFFFFFFF) % level.entries
