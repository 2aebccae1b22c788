"""The hash grid in plain torch: the definition the kernels are tested against."""

from itertools import product

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from passband.inr.kernels.hashgrid._layout import PRIMES, HashGridLayout, HashGridLevel


def encode(
    x01: Float[Tensor, "points d"],
    table: Float[Tensor, "entries features"],
    layout: HashGridLayout,
) -> Float[Tensor, "points encoded"]:
    """Features of each level, side by side; twice differentiable in coordinates and table."""
    return torch.cat([_encode_level(x01, table, level) for level in layout.levels], dim=-1)


def _encode_level(
    x01: Float[Tensor, "points d"], table: Float[Tensor, "entries features"], level: HashGridLevel
) -> Float[Tensor, "points features"]:
    rows = table[level.offset : level.offset + level.entries]
    position = _position(x01, level.scale)
    low = position.detach().floor()
    fraction = (position - low).unbind(-1)
    cell = low.to(torch.int64).unbind(-1)
    encoded = x01.new_zeros(())
    for corner in product((0, 1), repeat=len(cell)):
        vertex = [index + bit for index, bit in zip(cell, corner, strict=True)]
        weight = x01.new_ones(())
        for part, bit in zip(fraction, corner, strict=True):
            weight = weight * (part if bit else 1 - part)
        # F.embedding and not rows[...], whose backward on a CPU adds in no fixed order.
        encoded = encoded + weight[:, None] * F.embedding(_row(vertex, level), rows)
    return encoded


def _position(x01: Float[Tensor, "points d"], scale: float) -> Float[Tensor, "points d"]:
    """``scale x + 0.5`` rounded once, as a fused multiply-add rounds; MPS has no float64 for it."""
    wide = x01 if x01.device.type == "mps" else x01.double()
    return (wide * scale + 0.5).to(x01.dtype)


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
