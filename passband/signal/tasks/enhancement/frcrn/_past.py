"""What layers have seen: the one thing in which a stream differs from a whole signal."""

import torch
from torch import Tensor


class Past:
    """The last frames that each layer was given, zeros before the first.

    A new one makes a whole signal of what comes; one that is kept makes the next block of it.

    Example:
        >>> past, layer = Past(), object()
        >>> past.extend(layer, torch.tensor([[1.0, 2.0]]), 1)
        tensor([[0., 1., 2.]])
        >>> past.extend(layer, torch.tensor([[3.0]]), 1)
        tensor([[2., 3.]])
    """

    def __init__(self) -> None:
        self._kept: dict[int, Tensor] = {}

    def extend(self, layer: object, x: Tensor, frames: int) -> Tensor:
        """``x`` ``(..., time)`` with the ``frames`` before it; its end is kept for ``layer``."""
        before = self._kept.get(id(layer))
        if before is None:
            before = x.new_zeros(*x.shape[:-1], frames)
        whole = torch.cat((before, x), dim=-1)
        self._kept[id(layer)] = whole[..., whole.shape[-1] - frames :]
        return whole
