"""Batches in groups of items, so that what an item needs in between stays in cache."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from passband.frequency._fresh import fresh

# Samples in a group: with a few spectra of it, about what a core's own cache holds. Fresh memory
# for a whole batch costs more than the work on it.
_SAMPLES = 1 << 18


def item_groups(x: Tensor, growth: float = 1.0) -> tuple[Tensor, ...]:
    """The signals of ``(*batch, time)`` as ``(items, time)``, a group at a time.

    ``growth`` is how many values a sample becomes on the way, where that is more than a few.

    Only a CPU has caches to mind: elsewhere, and in a compiled or exported graph, all items make
    one group.

    Example:
        >>> [tuple(group.shape) for group in item_groups(torch.zeros(2, 3, 2**17))]
        [(2, 131072), (2, 131072), (2, 131072)]
    """
    # Not Size.numel(), which would fix the batch of an exported program.
    flat = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    if torch.compiler.is_compiling() or x.device.type != "cpu":
        return (flat,)
    return torch.split(flat, max(1, int(_SAMPLES / (growth * max(1, x.shape[-1])))))


def by_items(function: Callable[[Tensor], Tensor], x: Tensor, *, growth: float = 1.0) -> Tensor:
    """``function`` of ``(*batch, time)``, a group of items at a time; its result keeps the batch.

    ``growth`` as in `item_groups`.

    Example:
        >>> by_items(lambda x: x.cumsum(-1), torch.ones(2, 3, 2**17)).shape
        torch.Size([2, 3, 131072])
    """
    # A compiled graph is one for any number of items.
    if x.ndim < 2 or torch.compiler.is_compiling():
        return function(x)
    groups = item_groups(x, growth)
    if len(groups) <= 1:
        return function(x)
    if torch.is_grad_enabled() and x.requires_grad:
        joined = torch.cat([function(group) for group in groups])
        return joined.reshape(*x.shape[:-1], *joined.shape[1:])
    first = function(groups[0])
    joined = fresh((x.shape[:-1].numel(), *first.shape[1:]), first)
    done = len(first)
    joined[:done] = first
    for group in groups[1:]:
        joined[done : done + len(group)] = function(group)
        done += len(group)
    return joined.reshape(*x.shape[:-1], *joined.shape[1:])
