"""The compiled passes over points and levels, from tensors to tensors.

Values and coordinate gradients go over blocks of points in parallel; within a block level by level,
so that one level's part of the table stays in cache. The table's gradient goes over levels in
parallel: one thread owns one level's rows, so there are no locks and the sums come out the same,
bit for bit, every time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from passband.inr.kernels._parallel import run_tasks
from passband.inr.kernels.hashgrid import _cpu_kernels, _cpu_kernels_second
from passband.inr.kernels.hashgrid._cpu_cells import LINEAR, NEAREST, SMOOTHSTEP
from passband.inr.kernels.hashgrid._layout import HashGridLayout
from passband.inr.kernels.hashgrid._results import new_result

BLOCK = 4096  # points per task
JACOBIAN_BLOCK = 1024  # points per task where three derivatives of 32 features fill 384 KiB
CHUNK = 65536  # points whose feature gradients stay in the last-level cache from level to level
JACOBIAN_CHUNK = 16384

_INTERPOLATIONS = {"linear": LINEAR, "smoothstep": SMOOTHSTEP, "nearest": NEAREST}
_NO_SLOPES = np.empty((0, 0, 0), np.float32)
_NO_DIRECTION = np.empty((0, 0), np.float32)
_NO_TABLE = np.empty(0, np.float32)


@dataclass(frozen=True)
class Points:
    """Points on their way through a grid.

    Attributes:
        x: coordinates one axis after the other, (d, points).
        inside: all of them are in [0, 1].
        layout: of the grid.
    """

    x: np.ndarray
    inside: bool
    layout: HashGridLayout

    @classmethod
    def of(cls, x01: Tensor, layout: HashGridLayout) -> "Points":
        """Of a tensor (points, d)."""
        x = _columns(x01)
        return cls(x, bool(x.min() >= 0 and x.max() <= 1), layout)

    @property
    def count(self) -> int:
        """How many."""
        return int(self.x.shape[1])

    @property
    def interpolation(self) -> int:
        """Of the layout, as the compiled loops know it."""
        return _INTERPOLATIONS[self.layout.interpolation]


def features(points: Points, table: Tensor) -> Tensor:
    """Features (points, columns)."""
    out = new_result((points.count, points.layout.out_features))
    word, words = _word(points.layout)
    source, target = _words(table, word).reshape(-1), out.view(word)
    levels, interpolation = _level_arrays(points.layout), points.interpolation

    def block(begin: int, end: int) -> None:
        _cpu_kernels.forward(
            points.x, source, target, levels, words, interpolation, points.inside, begin, end
        )

    _over_points(block, points.count, BLOCK)
    return torch.from_numpy(out)


def points_gradient(points: Points, table: Tensor, grad: Tensor) -> Tensor:
    """Gradient of the points, (points, d), given that of the features."""
    x_grad = np.empty_like(points.x)
    word, words = _word(points.layout)
    source, given = _words(table, word).reshape(-1), _words(grad, word)
    levels, interpolation = _level_arrays(points.layout), points.interpolation

    def block(begin: int, end: int) -> None:
        _cpu_kernels.point_backward(
            points.x, source, given, x_grad, levels, words, interpolation, points.inside, begin, end
        )

    _over_points(block, points.count, BLOCK)
    return torch.from_numpy(x_grad.T.copy())


def table_gradient(points: Points, grad: Tensor) -> Tensor:
    """Gradient of the table, given that of the features."""
    table_grad = _new_table(points.layout)
    word, words = _word(points.layout)
    target, given = table_grad.view(word).reshape(-1), _words(grad, word)
    levels, interpolation = _level_arrays(points.layout), points.interpolation

    def level(begin: int, end: int, number: int) -> None:
        _cpu_kernels.table_backward(
            points.x, given, target, levels, words, interpolation, points.inside, begin, end, number
        )

    _over_levels(level, points, CHUNK)
    return torch.from_numpy(table_grad)


def features_and_jacobian(points: Points, table: Tensor) -> tuple[Tensor, Tensor]:
    """Features (points, columns) and their derivatives (points, columns, d)."""
    layout = points.layout
    out = new_result((points.count, layout.out_features))
    slopes = new_result((points.count, layout.out_features, layout.in_features))
    source, levels, interpolation = _flat(table), _level_arrays(layout), points.interpolation

    def block(begin: int, end: int) -> None:
        _cpu_kernels_second.jacobian(
            points.x, source, out, slopes, levels, layout.n_features_per_level, interpolation,
            points.inside, begin, end,
        )  # fmt: skip

    _over_points(block, points.count, JACOBIAN_BLOCK)
    return torch.from_numpy(out), torch.from_numpy(slopes)


def features_along(
    points: Points, table: Tensor, direction: Tensor | None, added: Tensor | None
) -> Tensor:
    """Derivatives of the features along ``direction`` (points, d), plus features of ``added``."""
    if direction is None:
        assert added is not None
        return features(points, added)
    layout = points.layout
    out = new_result((points.count, layout.out_features))
    source, v = _flat(table), _columns(direction)
    other = _NO_TABLE if added is None else _flat(added)
    levels, interpolation = _level_arrays(layout), points.interpolation

    def block(begin: int, end: int) -> None:
        _cpu_kernels_second.directional(
            points.x, source, other, v, out, levels, layout.n_features_per_level, interpolation,
            points.inside, begin, end,
        )  # fmt: skip

    _over_points(block, points.count, BLOCK)
    return torch.from_numpy(out)


@dataclass(frozen=True)
class SlopeGradients:
    """Gradients of features and of their derivatives, as :mod:`_cpu_kernels_second` takes them."""

    grad: np.ndarray
    slopes: np.ndarray
    direction: np.ndarray

    @classmethod
    def of_jacobian(cls, grad: Tensor, slopes: Tensor) -> "SlopeGradients":
        """Of features (points, columns) and Jacobian (points, columns, d)."""
        return cls(grad.contiguous().numpy(), slopes.contiguous().numpy(), _NO_DIRECTION)

    @classmethod
    def along(cls, grad: Tensor, direction: Tensor) -> "SlopeGradients":
        """Of derivatives along ``direction`` (points, d) alone, given that of the features."""
        return cls(grad.contiguous().numpy(), _NO_SLOPES, _columns(direction))


def second_points_gradient(points: Points, table: Tensor, given: SlopeGradients) -> Tensor:
    """Gradient of the points, (points, d)."""
    x_grad, layout = np.empty_like(points.x), points.layout
    source, levels, interpolation = _flat(table), _level_arrays(layout), points.interpolation

    def block(begin: int, end: int) -> None:
        _cpu_kernels_second.point_backward(
            points.x, source, given.grad, given.slopes, given.direction, x_grad, levels,
            layout.n_features_per_level, interpolation, points.inside, begin, end,
        )  # fmt: skip

    _over_points(block, points.count, JACOBIAN_BLOCK)
    return torch.from_numpy(x_grad.T.copy())


def second_table_gradient(points: Points, given: SlopeGradients) -> Tensor:
    """Gradient of the table."""
    layout = points.layout
    table_grad = _new_table(layout)
    target, levels, interpolation = (
        table_grad.reshape(-1), _level_arrays(layout), points.interpolation
    )  # fmt: skip

    def level(begin: int, end: int, number: int) -> None:
        _cpu_kernels_second.table_backward(
            points.x, given.grad, given.slopes, given.direction, target, levels,
            layout.n_features_per_level, interpolation, points.inside, begin, end, number,
        )  # fmt: skip

    _over_levels(level, points, CHUNK if len(given.slopes) == 0 else JACOBIAN_CHUNK)
    return torch.from_numpy(table_grad)


def _over_points(task: Callable[[int, int], None], count: int, size: int) -> None:
    def block(number: int) -> None:
        task(number * size, min((number + 1) * size, count))

    run_tasks(block, -(-count // size))


def _over_levels(task: Callable[[int, int, int], None], points: Points, size: int) -> None:
    for begin in range(0, points.count, size):
        end = min(begin + size, points.count)

        def level(number: int, begin: int = begin, end: int = end) -> None:
            task(begin, end, number)

        run_tasks(level, len(points.layout.levels))


def _new_table(layout: HashGridLayout) -> np.ndarray:
    return np.zeros((layout.total_entries, layout.n_features_per_level), np.float32)


def _columns(x01: Tensor) -> np.ndarray:
    return np.ascontiguousarray(x01.detach().numpy().T)


def _flat(table: Tensor) -> np.ndarray:
    flat: np.ndarray = table.detach().contiguous().view(-1).numpy()
    return flat


def _word(layout: HashGridLayout) -> tuple[type[np.floating], int]:
    """What the loops read at once, one feature or two, and how many of it a row has."""
    features = layout.n_features_per_level
    return (np.float32, features) if features % 2 else (np.float64, features // 2)


def _words(tensor: Tensor, word: type[np.floating]) -> np.ndarray:
    # A parameter in the midst of a larger buffer may start at an odd multiple of four bytes.
    return np.require(tensor.detach().contiguous().numpy().view(word), requirements="A")


@lru_cache(maxsize=64)
def _level_arrays(layout: HashGridLayout) -> tuple[np.ndarray, ...]:
    levels = layout.levels
    tiled = [
        level.dense and level.entries < level.resolution**layout.in_features for level in levels
    ]
    return (
        np.array([level.scale for level in levels], np.float32),
        np.array([level.resolution for level in levels], np.uint32),
        np.array([level.offset for level in levels], np.int64),
        np.array([level.entries for level in levels], np.uint32),
        np.array([level.dense for level in levels], np.bool_),
        np.array(tiled, np.bool_),
    )
