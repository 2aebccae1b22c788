"""Large result arrays, used again once nobody holds them.

The first touch of fresh memory costs a page fault each time; for the features of 2^18 points that
is a sixth of the time of computing them.
"""

import sys
from math import prod
from threading import Lock

import numpy as np

SMALLEST = 2**18  # values, 1 MiB: below it the allocator itself keeps memory
LARGEST = 2**25  # values kept in all, 128 MiB

_kept: list[np.ndarray] = []
_lock = Lock()


def new_result(shape: tuple[int, ...]) -> np.ndarray:
    """A float32 array of any values, which is the caller's as long as a view of it lives."""
    size = prod(shape)
    # Without waiting: in a child forked while another thread held the lock, it stays held.
    if not SMALLEST <= size <= LARGEST or not _lock.acquire(blocking=False):
        return np.empty(shape, np.float32)
    try:
        for place in range(len(_kept)):
            if _kept[place].size == size and _references(_kept, place) == _UNUSED:
                _kept.append(_kept.pop(place))  # the last used is dropped last
                return _kept[-1].reshape(shape)
        _kept.append(np.empty(size, np.float32))
        while sum(array.size for array in _kept) > LARGEST:
            del _kept[0]
        return _kept[-1].reshape(shape)
    finally:
        _lock.release()


def _references(arrays: list[np.ndarray], place: int) -> int:
    return sys.getrefcount(arrays[place])


_UNUSED = _references([np.empty(0)], 0)  # by anything but the list
