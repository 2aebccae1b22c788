"""The search tree on the processor.

A cell is halved along every axis until few centres can be among the nearest of any of its points:
with q its middle, r half its diagonal and D the distance from q to the ``count``-th nearest centre,
those within ``D + 2 r`` of q. They are found among the candidates of the cell it is part of.
"""

from itertools import product

import numpy as np
import torch
from torch import Tensor

from passband.inr.kernels._parallel import run_tasks
from passband.inr.kernels.nearest import _cpu_kernels

BLOCK = 4096  # points per task
DEEPEST = 14
LEAF = 2, 8  # times the count, or this many: a list that is not worth splitting
CLOSE = 1.0  # of D: the diagonal of a cell whose list would hardly be shortened


class Tree:
    """Cells over the cube that holds the ``centres`` and [-1, 1]^d; points outside see them all."""

    def __init__(self, centres: Tensor, count: int) -> None:
        self._centres = centres.contiguous().numpy()
        self._count = count
        low = np.minimum(self._centres.min(axis=0), -1)
        high = np.maximum(self._centres.max(axis=0), 1)
        self._root = ((low + high) / 2).astype(np.float32)
        self._side = np.float32((high - low).max() / 2 * (1 + 1e-6))
        self._child, self._lists, self._members = self._build()

    def query(self, points: Tensor) -> Tensor:
        """The nearest centres of ``points``."""
        x = points.contiguous().numpy()
        found = np.empty((len(x), self._count), np.int64)

        def block(number: int) -> None:
            begin, end = number * BLOCK, min((number + 1) * BLOCK, len(x))
            _cpu_kernels.query(
                x, self._centres, self._root, self._side, self._child, self._lists, self._members,
                found, begin, end,
            )  # fmt: skip

        run_tasks(block, -(-len(x) // BLOCK))
        return torch.from_numpy(found)

    def _build(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        dims, total = self._centres.shape[1], len(self._centres)
        toward = np.array(list(product((-1, 1), repeat=dims)), np.float32)[:, ::-1]
        everything = members = np.arange(total, dtype=np.int32)
        middles, lists = self._root[None], np.array([[0, total]])
        spacing = np.full(1, -1, np.float32)
        children, leaves, kept, nodes, used = [], [], [], 1, 0
        for depth in range(DEEPEST + 1):
            half = float(self._side) * 0.5**depth
            lengths = lists[:, 1] - lists[:, 0]
            split = (lengths > max(LEAF[0] * self._count, LEAF[1])) & (
                2 * half * dims**0.5 > CLOSE * spacing
            )
            split &= depth < DEEPEST
            first = nodes + np.cumsum(split) * len(toward) - len(toward)
            children.append(np.where(split, first, -1))
            packed = _packed(members, np.where(split[:, None], 0, lists))
            kept.append(packed)
            ends = used + np.cumsum(np.where(split, 0, lengths))
            leaves.append(np.stack((ends - np.where(split, 0, lengths), ends), axis=-1))
            if not split.any():
                break
            used, nodes = used + len(packed), nodes + len(toward) * int(split.sum())
            middles = (middles[split, None] + half / 2 * toward).reshape(-1, dims)
            lists = np.repeat(lists[split], len(toward), axis=0)
            members, lists, spacing = self._narrow(members, lists, middles, half)
        outside = used + len(packed)
        leaves.append(np.array([[outside, outside + total]]))
        return np.concatenate(children), np.concatenate(leaves), np.concatenate([*kept, everything])

    def _narrow(
        self, parents: np.ndarray, lists: np.ndarray, middles: np.ndarray, diagonal_half: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lists of cells, out of those of the cells they are part of, and D of each."""
        lengths = lists[:, 1] - lists[:, 0]
        begins = np.cumsum(lengths) - lengths
        table = np.stack((lists[:, 0], lists[:, 1], begins, begins), axis=-1)
        kept = np.empty(int(lengths.sum()), np.int32)
        spacing = np.empty(len(lists), np.float32)
        diagonal = np.float32(diagonal_half * middles.shape[1] ** 0.5)

        def block(number: int) -> None:
            start, stop = number * 64, min((number + 1) * 64, len(lists))
            _cpu_kernels.candidates(
                self._centres, parents, table, middles, diagonal, self._count, kept, spacing,
                start, stop,
            )  # fmt: skip

        run_tasks(block, -(-len(lists) // 64))
        return kept, table[:, 2:], spacing


def _packed(members: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """The listed ranges of ``members``, one after the other."""
    lengths = lists[:, 1] - lists[:, 0]
    shift = np.repeat(lists[:, 0] - (np.cumsum(lengths) - lengths), lengths)
    packed: np.ndarray = members[np.arange(len(shift)) + shift]
    return packed
