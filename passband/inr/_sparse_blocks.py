"""A field's values block by block, only where its surface can be."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from passband.errors import InputError

Floats = NDArray[np.floating[Any]]
Bits = NDArray[np.bool_]
Index = tuple[int, int, int]

BRICK = 8  # cells along the side of the smallest cube that is evaluated or skipped
_MARGIN = 1.5
_FEW = 8  # bricks along a side, too few to measure a slope between and cheap to evaluate
_BATCH = 2**16  # points at a time: a network 64 wide takes 16 MiB a layer


@dataclass(frozen=True)
class Lattice:
    """``cells + 1`` nodes along each axis of the cube ``[low, high]^3``, and the field on them."""

    sdf: Callable[[Tensor], Tensor]
    cells: int
    low: float
    high: float
    level: float
    device: torch.device | str

    @property
    def step(self) -> float:
        """Side of a cell."""
        return (self.high - self.low) / self.cells

    def values(self, nodes: Floats | NDArray[np.int64]) -> NDArray[np.float32]:
        """Field minus level at ``nodes``, ``(n, 3)`` in cells from the low corner."""
        found = np.empty(len(nodes), dtype=np.float32)
        for start in range(0, len(nodes), _BATCH):
            place = self.low + self.step * nodes[start : start + _BATCH]
            points = torch.from_numpy(place.astype(np.float32)).to(self.device)
            with torch.no_grad():
                batch = self.sdf(points).reshape(-1) - self.level
            found[start : start + len(place)] = batch.float().cpu().numpy()
        if not np.isfinite(found).all():
            raise InputError(
                "the field holds NaN or inf, and has no surface. Fit it again with a lower "
                "`training.optimizer.lr`."
            )
        return found


@dataclass(frozen=True)
class Block:
    """Part of a lattice.

    Attributes:
        start: node of its low corner.
        values: at its nodes; NaN where no brick that can hold the surface touches.
        active: which of its bricks can.
    """

    start: Index
    values: NDArray[np.float32]
    active: Bits


class SparseBlocks:
    """Blocks of a lattice that hold the surface.

    A brick of 8^3 cells is evaluated where ``|f(centre)| <= gradient * half its diagonal``. Where
    an evaluated neighbour shows that the surface enters a skipped brick, that brick is evaluated
    after all, so that a surface is never cut. A node is evaluated once, whatever number of blocks
    it belongs to: two evaluations may round to either side of the level.

    Args:
        lattice: nodes and field.
        block: cells along the side of a block, a multiple of 8.
        lipschitz: largest slope of the field; None measures it and takes 1.5 times that, and skips
            nothing in lattices of up to 64 cells.
    """

    def __init__(self, lattice: Lattice, block: int, lipschitz: float | None) -> None:
        self.lattice, self.block = lattice, block
        self.bricks = -(-lattice.cells // BRICK)
        self.blocks = -(-lattice.cells // block)
        centres = self._centres()
        self.extremes = float(centres.min()), float(centres.max())
        self.slope = _slope(centres, BRICK * lattice.step) or 1.0
        bound = _MARGIN * self.slope if lipschitz is None else lipschitz
        reach = bound * BRICK * lattice.step * 3**0.5 / 2
        few = lipschitz is None and self.bricks <= _FEW
        self._active = np.full(centres.shape, True) if few else np.abs(centres) <= reach
        self._shared: dict[Index, NDArray[np.float32]] = {}

    def __iter__(self) -> Iterator[tuple[int, int, Index, Block]]:
        """``(blocks done, blocks known of, index, block)``; a later block may replace an earlier.

        A block comes again, whole, when a neighbour has shown that more of its bricks matter.
        """
        per_block = self.block // BRICK
        seeds = np.unique(np.argwhere(self._active) // per_block, axis=0)
        waiting = deque[Index]((int(i), int(j), int(k)) for i, j, k in seeds)
        queued, known, done = set(waiting), len(waiting), 0
        while waiting:
            index = waiting.popleft()
            queued.remove(index)
            block = self._evaluate(index)
            for neighbour in self._entered(index, block):
                if neighbour not in queued:
                    queued.add(neighbour)
                    waiting.append(neighbour)
                    known += 1
            done += 1
            yield done, known, index, block

    def _centres(self) -> NDArray[np.float32]:
        edges = np.minimum(BRICK * np.arange(self.bricks + 1), self.lattice.cells)
        middles = (edges[1:] + edges[:-1]) / 2
        found = np.empty((self.bricks,) * 3, dtype=np.float32)
        for i, x in enumerate(middles):
            y, z = np.meshgrid(middles, middles, indexing="ij")
            nodes = np.stack((np.full_like(y, x), y, z), axis=-1)
            found[i] = self.lattice.values(nodes.reshape(-1, 3)).reshape(y.shape)
        return found

    def _slices(self, index: Index) -> tuple[slice, slice, slice]:
        per_block = self.block // BRICK
        i, j, k = (slice(a * per_block, min((a + 1) * per_block, self.bricks)) for a in index)
        return i, j, k

    def _evaluate(self, index: Index) -> Block:
        start = (self.block * index[0], self.block * index[1], self.block * index[2])
        shape = tuple(min(self.block, self.lattice.cells - s) + 1 for s in start)
        values = np.full(shape, np.nan, dtype=np.float32)
        parts = _parts(index, shape)
        for key, part in parts.items():
            if key in self._shared:
                values[part] = self._shared[key]
        active = self._active[self._slices(index)]  # a view: what is found here stays known
        while True:
            missing = np.argwhere(_nodes(active, values.shape) & np.isnan(values))
            values[tuple(missing.T)] = self.lattice.values(missing + np.array(start))
            entered = _crossed(values) & ~active
            if not entered.any():
                break
            active |= entered
        for key, part in parts.items():
            if not np.isnan(values[part]).all():
                self._shared[key] = values[part].copy()
        return Block(start, values, active.copy())

    def _entered(self, index: Index, block: Block) -> Iterator[Index]:
        """Neighbours in which the surface goes on where it was not expected."""
        for axis, side in product(range(3), (0, 1)):
            neighbour = list(index)
            neighbour[axis] += 2 * side - 1
            if not 0 <= neighbour[axis] < self.blocks:
                continue
            face = np.take(block.values, [-side], axis=axis)
            i, j, k = neighbour
            bricks = self._active[self._slices((i, j, k))]
            layer = np.take(bricks, [side - 1], axis=axis)
            entered = _crossed(face) & ~layer
            if entered.any():
                place: list[slice | list[int]] = [slice(None)] * 3
                place[axis] = [side - 1]
                bricks[tuple(place)] |= entered
                yield i, j, k


def _slope(centres: Floats, pitch: float) -> float:
    """Largest gradient between neighbouring bricks."""
    squares = np.zeros_like(centres)
    for axis in range(3):
        ends = np.take(centres, [-1], axis=axis)
        squares += np.diff(centres, axis=axis, append=ends) ** 2
    return float(np.sqrt(squares.max())) / pitch


def _nodes(active: Bits, shape: tuple[int, ...]) -> Bits:
    """Nodes that belong to an active brick."""
    nodes = np.zeros(shape, dtype=bool)
    for i, j, k in np.argwhere(active) * BRICK:
        nodes[i : i + BRICK + 1, j : j + BRICK + 1, k : k + BRICK + 1] = True
    return nodes


def _crossed(values: NDArray[np.float32]) -> Bits:
    """Bricks with known nodes of both signs; an axis of one node counts as one brick."""
    inside, outside = values < 0, values >= 0  # both false at NaN
    for axis in range(3):
        inside, outside = _any_in_bricks(inside, axis), _any_in_bricks(outside, axis)
    return inside & outside


def _any_in_bricks(nodes: Bits, axis: int) -> Bits:
    count = nodes.shape[axis]
    if count == 1:
        return nodes
    starts = np.arange(0, count - 1, BRICK)
    inner = np.logical_or.reduceat(nodes, starts, axis=axis)
    ends = np.minimum(starts + BRICK, count - 1)  # the node shared with the next brick
    joined: Bits = inner | np.take(nodes, ends, axis=axis)
    return joined


def _parts(index: Index, shape: tuple[int, ...]) -> dict[Index, tuple[slice, slice, slice]]:
    """Corners, edges and faces of a block, under keys that all blocks around them agree on."""
    ends = [(slice(0, 1), slice(1, n - 1), slice(n - 1, n)) for n in shape]
    return {
        (2 * index[0] + a, 2 * index[1] + b, 2 * index[2] + c): (ends[0][a], ends[1][b], ends[2][c])
        for a, b, c in product(range(3), repeat=3)
        if (a, b, c) != (1, 1, 1)
    }
