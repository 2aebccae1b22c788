"""Batches in groups of items, so that what an item needs in between stays small."""

import torch
from torch import Tensor

# Samples in a group: with a few spectra of it, about what a core's own cache holds. Fresh memory
# for a whole batch costs more than the work on it.
_SAMPLES = 1 << 18


def item_groups(x: Tensor) -> tuple[Tensor, ...]:
    """The signals of ``(*batch, time)`` as ``(items, time)``, a group at a time.

    A compiled or exported graph gets one group, which it can make the most of itself.

    Example:
        >>> [tuple(group.shape) for group in item_groups(torch.zeros(2, 3, 2**17))]
        [(2, 131072), (2, 131072), (2, 131072)]
    """
    flat = x.reshape(x.shape[:-1].numel(), x.shape[-1])
    if torch.compiler.is_compiling():
        return (flat,)
    return torch.split(flat, max(1, _SAMPLES // max(1, x.shape[-1])))
