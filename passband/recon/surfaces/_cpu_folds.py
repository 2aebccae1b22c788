"""Interpolation between the eight corners of cells, in vectors of eight points.

Corners are words, pairs of features, (8, TILE); read as float32, a vector of sixteen is eight
points. Weights of a point stand for both of its features. numba's own loops do a pair at a time,
which takes two to three times as long.
"""

from typing import Any, no_type_check

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from passband.inr.kernels._compiled import compiled
from passband.inr.kernels.hashgrid._cpu_words import add_scaled
from passband.recon.surfaces._cpu_products import INDEX, TILE, Emitter, pointers

_POINTS = 8
_POINT_VECTOR = ir.VectorType(ir.FloatType(), _POINTS)

_u64 = np.uint64
_f32 = np.float32


@compiled
@no_type_check
def gather(row, n, table, corners):
    """The words of the eight corners of ``n`` points."""
    for i in range(n):
        k = _u64(i)
        # All loads before the first store, which could otherwise change what they read.
        a, b = table[_u64(row[0, k])], table[_u64(row[1, k])]
        c, d = table[_u64(row[2, k])], table[_u64(row[3, k])]
        e, f = table[_u64(row[4, k])], table[_u64(row[5, k])]
        g, h = table[_u64(row[6, k])], table[_u64(row[7, k])]
        corners[0, k], corners[1, k], corners[2, k], corners[3, k] = a, b, c, d
        corners[4, k], corners[5, k], corners[6, k], corners[7, k] = e, f, g, h


@compiled
@no_type_check
def scatter(row, n, corners, table):
    """The transpose of :func:`gather`: adds the words of the corners to the rows they came from."""
    for i in range(n):
        k = _u64(i)
        for corner in range(8):
            c = _u64(corner)
            j = _u64(row[c, k])
            table[j] = add_scaled(table[j], corners[c, k], _f32(1))


@compiled
@no_type_check
def interpolate(corners, upper, slope, values, slopes):
    """Two rows of features, and six of their derivatives: along x, y, z, both of each."""
    pairs = corners.reshape(corners.size).view(np.float32)
    for i in range(0, TILE, _POINTS):
        _interpolate_block(pairs, upper, slope, values, slopes, i, values.shape[1])


@compiled
@no_type_check
def interpolate_along(corners, upper, slope, direction, values):
    """Two rows: derivatives of the features along ``direction``, (3, TILE)."""
    pairs = corners.reshape(corners.size).view(np.float32)
    for i in range(0, TILE, _POINTS):
        _along_block(pairs, upper, slope, direction, values, i, values.shape[1])


@compiled
@no_type_check
def spread(values, slopes, upper, slope, direction, corners):
    """What each corner's features get: its weight times the rows ``values``, and the derivative of
    its weight along ``direction`` times the rows ``slopes``."""
    pairs = corners.reshape(corners.size).view(np.float32)
    for i in range(0, TILE, _POINTS):
        _spread_block(values, slopes, upper, slope, direction, pairs, i, values.shape[1])


class _Folds(Emitter):
    """Vectors of eight points and two features."""

    def corner_place(self, corners: Any, number: int, i: Any) -> Any:
        start = self.builder.mul(i, ir.Constant(INDEX, 2))
        return self.pointer(corners, self.builder.add(start, ir.Constant(INDEX, 2 * TILE * number)))

    def corner(self, corners: Any, number: int, i: Any) -> Any:
        return self.builder.load(self.corner_place(corners, number, i), align=4)

    def weight(self, rows: Any, axis: int, i: Any) -> Any:
        """Row ``axis`` of (3, TILE), each value twice."""
        index = self.builder.add(i, ir.Constant(INDEX, TILE * axis))
        address = self.builder.gep(rows, [index])
        address = self.builder.bitcast(address, _POINT_VECTOR.as_pointer())
        values = self.builder.load(address, align=4)
        return self.lanes(values, [lane // 2 for lane in range(2 * _POINTS)])

    def minus(self, a: Any, b: Any) -> Any:
        return self.builder.fsub(a, b)

    def times(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b)

    def between(self, low: Any, high: Any, share: Any) -> Any:
        return self.plus_product(low, self.minus(high, low), share)

    def pair(self, rows: Any, pitch: Any, i: Any) -> Any:
        """The first two rows, feature beside feature."""
        parts = []
        for row in range(2):
            address = self.builder.gep(rows, [self.at(ir.Constant(INDEX, 0), row, pitch, i)])
            address = self.builder.bitcast(address, _POINT_VECTOR.as_pointer())
            parts.append(self.builder.load(address, align=4))
        lanes = [point + _POINTS * feature for point in range(_POINTS) for feature in range(2)]
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
        return self.builder.shuffle_vector(*parts, mask)

    def put(self, vector: Any, rows: Any, row: int, pitch: Any, i: Any) -> None:
        """The two features into rows ``row`` and the next."""
        for feature in range(2):
            part = self.lanes(vector, [2 * point + feature for point in range(_POINTS)])
            index = self.at(ir.Constant(INDEX, row), feature, pitch, i)
            address = self.builder.gep(rows, [index])
            address = self.builder.bitcast(address, _POINT_VECTOR.as_pointer())
            self.builder.store(part, address, align=4)


@intrinsic
@no_type_check
def _interpolate_block(context, corners, upper, slope, values, slopes, i, pitch):
    """Each axis halves the corners, of which neighbours differ along it."""

    def generate(context, builder, signature, arguments):
        corners, upper, slope, values, slopes = pointers(context, builder, signature, arguments, 5)
        i, pitch = arguments[5:]
        emit = _Folds(builder)
        value = [emit.corner(corners, number, i) for number in range(8)]
        along = []
        for axis in range(3):
            share = emit.weight(upper, axis, i)
            pairs = list(zip(value[::2], value[1::2], strict=True))
            steps = [emit.minus(high, low) for low, high in pairs]
            along = [
                [emit.between(low, high, share) for low, high in zip(a[::2], a[1::2], strict=True)]
                for a in along
            ]
            along.append(steps)
            value = [
                emit.plus_product(low, step, share)
                for (low, _), step in zip(pairs, steps, strict=True)
            ]
        emit.put(value[0], values, 0, pitch, i)
        for axis, (change,) in enumerate(along):
            turned = emit.times(change, emit.weight(slope, axis, i))
            emit.put(turned, slopes, 2 * axis, ir.Constant(INDEX, TILE), i)
        return context.get_dummy_value()

    index = types.int64
    return types.void(corners, upper, slope, values, slopes, index, index), generate


@intrinsic
@no_type_check
def _along_block(context, corners, upper, slope, direction, values, i, pitch):
    """The same for the derivative along one direction."""

    def generate(context, builder, signature, arguments):
        corners, upper, slope, direction, values = pointers(
            context, builder, signature, arguments, 5
        )
        i, pitch = arguments[5:]
        emit = _Folds(builder)
        value = [emit.corner(corners, number, i) for number in range(8)]
        change = None
        for axis in range(3):
            share = emit.weight(upper, axis, i)
            rate = emit.times(emit.weight(slope, axis, i), emit.weight(direction, axis, i))
            pairs = list(zip(value[::2], value[1::2], strict=True))
            steps = [emit.minus(high, low) for low, high in pairs]
            turned = [emit.times(step, rate) for step in steps]
            if change is not None:
                halves = zip(change[::2], change[1::2], turned, strict=True)
                turned = [
                    emit.builder.fadd(emit.between(low, high, share), turn)
                    for low, high, turn in halves
                ]
            change = turned
            value = [
                emit.plus_product(low, step, share)
                for (low, _), step in zip(pairs, steps, strict=True)
            ]
        emit.put(change[0], values, 0, pitch, i)
        return context.get_dummy_value()

    index = types.int64
    return types.void(corners, upper, slope, direction, values, index, index), generate


@intrinsic
@no_type_check
def _spread_block(context, values, slopes, upper, slope, direction, corners, i, pitch):
    """From the last axis to the first, each doubles the corners."""

    def generate(context, builder, signature, arguments):
        values, slopes, upper, slope, direction, corners = pointers(
            context, builder, signature, arguments, 6
        )
        i, pitch = arguments[6:]
        emit = _Folds(builder)
        share, weight = [emit.pair(values, pitch, i)], [emit.pair(slopes, pitch, i)]
        for axis in (2, 1, 0):
            part = emit.weight(upper, axis, i)
            rate = emit.times(emit.weight(slope, axis, i), emit.weight(direction, axis, i))
            halves = []
            for total, turn in zip(share, weight, strict=True):
                high = emit.plus_product(emit.times(total, part), turn, rate)
                halves += [emit.minus(total, high), high]
            share = halves
            if axis > 0:
                tops = [emit.times(turn, part) for turn in weight]
                pairs = zip(weight, tops, strict=True)
                weight = [half for turn, top in pairs for half in (emit.minus(turn, top), top)]
        for number, vector in enumerate(share):
            builder.store(vector, emit.corner_place(corners, number, i), align=4)
        return context.get_dummy_value()

    index = types.int64
    rows = (values, slopes, upper, slope, direction, corners)
    return types.void(*rows, index, index), generate
