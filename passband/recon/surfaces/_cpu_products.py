"""Products of small matrices with a tile of points, from compiled loops.

A tile is a matrix (rows, points): numba's own loops over it reach a third of what two vector units
can do, these blocks two thirds or more. Rows come in fours, points in ``STRIDE``; matrices are
padded to that by whoever makes them.
"""

from typing import Any, no_type_check

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

from passband.inr.kernels._compiled import compiled

TILE = 256  # points: what two networks and 16 levels need of a tile stays in a second-level cache
PITCH = TILE + 16  # rows whose distance is no power of two do not fall into the same cache sets
ROWS = 4  # of a block: 4 x 2 vectors of sums fill half of the registers
STRIDE = 32  # points of a block
_LANES = 16
_VECTOR = ir.VectorType(ir.FloatType(), _LANES)
INDEX = ir.IntType(64)
_CONTRACT = ("contract",)  # a product and a sum may be rounded once


@compiled
@no_type_check
def multiply(weight, tile, out, rows, depth, points):
    """``out[:rows, :points] = weight[:rows, :depth] tile[:depth, :points]``."""
    for i in range(0, points, STRIDE):
        for j in range(0, rows, ROWS):
            _multiply_block(
                weight, tile, out, j, i, depth, weight.shape[1], tile.shape[1], out.shape[1]
            )


@compiled
@no_type_check
def add_products(first, second, out, rows, columns, points):
    """``out[:rows, :columns] += first[:rows, :points] second[:columns, :points]^T``."""
    for j in range(0, rows, ROWS):
        for k in range(0, columns, 2):
            _products_block(
                first, second, out, j, k, points, first.shape[1], second.shape[1], out.shape[1]
            )


class Emitter:
    """Writes vector instructions on arrays whose rows lie ``pitch`` apart."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def at(self, row: Any, step: int, pitch: Any, column: Any) -> Any:
        """Index of ``[row + step, column]``."""
        line = self.builder.add(row, ir.Constant(INDEX, step))
        return self.builder.add(self.builder.mul(line, pitch), column)

    def pointer(self, base: Any, index: Any) -> Any:
        address = self.builder.gep(base, [index])
        return self.builder.bitcast(address, _VECTOR.as_pointer())

    def load(self, base: Any, index: Any) -> Any:
        return self.builder.load(self.pointer(base, index), align=4)

    def spread(self, base: Any, index: Any) -> Any:
        """One value in all lanes."""
        value = self.builder.load(self.builder.gep(base, [index]))
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        return self.lanes(first, [0] * _LANES)

    def sums(self, rows: int, columns: int) -> list[list[Any]]:
        """Vectors that start at zero."""
        found = [
            [cgutils.alloca_once(self.builder, _VECTOR) for _ in range(columns)]
            for _ in range(rows)
        ]
        for vector in (vector for row in found for vector in row):
            self.builder.store(ir.Constant(_VECTOR, [0.0] * _LANES), vector)
        return found

    def add(self, total: Any, a: Any, b: Any) -> None:
        """``total += a b``, in memory."""
        value = self.plus_product(self.builder.load(total), a, b)
        self.builder.store(value, total)

    def plus_product(self, total: Any, a: Any, b: Any) -> Any:
        """``total + a b``, rounded once where the processor can."""
        product = self.builder.fmul(a, b, flags=_CONTRACT)
        return self.builder.fadd(total, product, flags=_CONTRACT)

    def across(self, total: Any) -> Any:
        """The sum of the lanes, halves onto halves."""
        vector = self.builder.load(total)
        width = _LANES
        while width > 1:
            width //= 2
            low = self.lanes(vector, list(range(width)))
            high = self.lanes(vector, list(range(width, 2 * width)))
            vector = self.builder.fadd(low, high)
        return self.builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    def lanes(self, vector: Any, places: list[int]) -> Any:
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
        return self.builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def pointers(context: Any, builder: Any, signature: Any, values: Any, count: int) -> list[Any]:
    """Where the data of the first ``count`` arguments, arrays, begins."""
    arrays = zip(signature.args[:count], values[:count], strict=True)
    return [context.make_array(kind)(context, builder, value).data for kind, value in arrays]


_SIX_INDICES = (types.int64,) * 6


@intrinsic
@no_type_check
def _multiply_block(context, weight, tile, out, j, i, depth, weight_pitch, tile_pitch, out_pitch):
    """Four rows of :func:`multiply` at ``STRIDE`` points."""

    def generate(context, builder, signature, values):
        weight, tile, out = pointers(context, builder, signature, values, 3)
        j, i, depth, weight_pitch, tile_pitch, out_pitch = values[3:]
        emit = Emitter(builder)
        shifts = [ir.Constant(INDEX, start) for start in range(0, STRIDE, _LANES)]
        sums = emit.sums(ROWS, len(shifts))
        with cgutils.for_range(builder, depth, intp=INDEX) as loop:
            begin = emit.at(loop.index, 0, tile_pitch, i)
            vectors = [emit.load(tile, builder.add(begin, shift)) for shift in shifts]
            for row, totals in enumerate(sums):
                factor = emit.spread(weight, emit.at(j, row, weight_pitch, loop.index))
                for total, vector in zip(totals, vectors, strict=True):
                    emit.add(total, factor, vector)
        for row, totals in enumerate(sums):
            begin = emit.at(j, row, out_pitch, i)
            for total, shift in zip(totals, shifts, strict=True):
                place = emit.pointer(out, builder.add(begin, shift))
                builder.store(builder.load(total), place, align=4)
        return context.get_dummy_value()

    return types.void(weight, tile, out, *_SIX_INDICES), generate


@intrinsic
@no_type_check
def _products_block(context, first, second, out, j, k, points, first_pitch, second_pitch, pitch):
    """Four rows and two columns of :func:`add_products`."""

    def generate(context, builder, signature, values):
        first, second, out = pointers(context, builder, signature, values, 3)
        j, k, points, first_pitch, second_pitch, pitch = values[3:]
        emit = Emitter(builder)
        sums = emit.sums(ROWS, 2)
        bounds = (ir.Constant(INDEX, 0), points, ir.Constant(INDEX, _LANES))
        with cgutils.for_range_slice(builder, *bounds, intp=INDEX) as (i, _):
            rows = [emit.load(first, emit.at(j, r, first_pitch, i)) for r in range(ROWS)]
            columns = [emit.load(second, emit.at(k, c, second_pitch, i)) for c in range(2)]
            for row, totals in zip(rows, sums, strict=True):
                for column, total in zip(columns, totals, strict=True):
                    emit.add(total, row, column)
        for row, totals in enumerate(sums):
            for column, total in enumerate(totals):
                index = builder.add(emit.at(j, row, pitch, k), ir.Constant(INDEX, column))
                place = builder.gep(out, [index])
                builder.store(builder.fadd(builder.load(place), emit.across(total)), place)
        return context.get_dummy_value()

    return types.void(first, second, out, *_SIX_INDICES), generate
