"""Arithmetic that numba lacks: fused multiply-add, and two float32 features held in one float64.

A table with an even number of features is read as float64, so that one load fetches two features.
The operations below take such pairs and single float32 values alike.
"""

from typing import Any, no_type_check

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

_PAIR = ir.VectorType(ir.FloatType(), 2)
_CONTRACT = ("contract",)  # a product and a sum may be rounded once


def _unpack(builder: Any, word: Any) -> Any:
    return builder.bitcast(word, _PAIR) if word.type == ir.DoubleType() else word


def _spread(builder: Any, factor: Any, like: Any) -> Any:
    if like.type != _PAIR:
        return factor
    vector = ir.Constant(_PAIR, ir.Undefined)
    for lane in range(2):
        vector = builder.insert_element(vector, factor, ir.Constant(ir.IntType(32), lane))
    return vector


@intrinsic
@no_type_check
def multiply_add(context, a, b, c):
    """``a b + c`` in float32, rounded once."""

    def generate(_, builder, signature, values):
        return builder.fma(*values)

    return types.float32(types.float32, types.float32, types.float32), generate


@intrinsic
@no_type_check
def lerp(context, low, high, share):
    """``low + share (high - low)``, feature by feature."""

    def generate(_, builder, signature, values):
        low, high = (_unpack(builder, word) for word in values[:2])
        step = builder.fsub(high, low)
        step = builder.fmul(step, _spread(builder, values[2], low), flags=_CONTRACT)
        return builder.bitcast(builder.fadd(low, step, flags=_CONTRACT), values[0].type)

    return low(low, high, types.float32), generate


@intrinsic
@no_type_check
def add_scaled(context, total, word, factor):
    """``total + factor word``, feature by feature."""

    def generate(_, builder, signature, values):
        total, word = (_unpack(builder, value) for value in values[:2])
        step = builder.fmul(word, _spread(builder, values[2], word), flags=_CONTRACT)
        return builder.bitcast(builder.fadd(total, step, flags=_CONTRACT), values[0].type)

    return total(total, total, types.float32), generate


@intrinsic
@no_type_check
def dot(context, a, b):
    """Sum of products of the features of two words, a float32."""

    def generate(_, builder, signature, values):
        a, b = (_unpack(builder, value) for value in values)
        products = builder.fmul(a, b)
        if products.type != _PAIR:
            return products
        first, second = (
            builder.extract_element(products, ir.Constant(ir.IntType(32), lane)) for lane in (0, 1)
        )
        return builder.fadd(first, second)

    return types.float32(a, a), generate
