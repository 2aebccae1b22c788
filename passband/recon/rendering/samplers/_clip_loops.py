"""The compiled loop that cuts rays to occupied cells."""

from typing import no_type_check

from passband.inr.kernels._compiled import compiled


@compiled
@no_type_check
def _cell(position, n):
    return min(max(int((position + 1) * (n / 2)), 0), n - 1)


@compiled
@no_type_check
def _occupied(occupied, origins, directions, ray, depth):
    n = occupied.shape[0]
    return occupied[
        _cell(origins[ray, 0] + depth * directions[ray, 0], n),
        _cell(origins[ray, 1] + depth * directions[ray, 1], n),
        _cell(origins[ray, 2] + depth * directions[ray, 2], n),
    ]


@compiled
@no_type_check
def clip(occupied, origins, directions, near, far, first, last, begin, end):
    """Fill ``first`` and ``last`` of the rays ``begin`` to ``end``."""
    one = near.dtype.type(1)
    step = one * 2 / occupied.shape[0]
    for ray in range(begin, end):
        first[ray] = last[ray] = near[ray]
        if not far[ray] > near[ray]:
            continue
        count = int((far[ray] - near[ray]) / step) + 1
        low = 0
        while low < count and not _occupied(
            occupied, origins, directions, ray, near[ray] + low * step
        ):
            low += 1
        if low == count:
            continue
        high = count - 1
        while not _occupied(occupied, origins, directions, ray, near[ray] + high * step):
            high -= 1
        first[ray] = max(near[ray], near[ray] + (low - 1) * step)
        last[ray] = min(far[ray], near[ray] + (high + 1) * step)
