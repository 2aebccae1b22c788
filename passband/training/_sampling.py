"""Which samples a step sees."""

import torch
from jaxtyping import Int
from torch import Tensor

from passband.training._seed import make_generator

_STREAM = 1  # keeps the sampler's numbers apart from those of the initial weights


class ShuffledSampler:
    """Batches of indices without replacement, a function of the step number alone.

    Every epoch is a permutation of ``0 .. count - 1`` drawn from its own seed; a batch is the next
    ``batch_size`` of the endless sequence of epochs, so no sample is seen twice before all are.

    Args:
        count: number of samples, at least 1.
        batch_size: indices per step; capped at ``count``.
        seed: seed of the permutations.
        device: where the indices are made.

    Example:
        >>> sampler = ShuffledSampler(5, 2, seed=0)
        >>> sorted(torch.cat([sampler(0), sampler(1), sampler(2)[:1]]).tolist())
        [0, 1, 2, 3, 4]
    """

    def __init__(
        self, count: int, batch_size: int, *, seed: int, device: torch.device | str = "cpu"
    ) -> None:
        self.count = count
        self.batch_size = min(batch_size, count)
        self.seed = seed
        self.device = torch.device(device)
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64, device=self.device)

    def __call__(self, step: int) -> Int[Tensor, " batch"]:
        """Indices of step ``step`` (from 0), shape ``(batch_size,)``."""
        if self.batch_size == self.count:
            return torch.arange(self.count, device=self.device)
        epoch, start = divmod(step * self.batch_size, self.count)
        parts = []
        needed = self.batch_size
        while needed > 0:
            part = self._permutation(epoch)[start : start + needed]
            parts.append(part)
            needed -= part.numel()
            epoch, start = epoch + 1, 0
        return torch.cat(parts)

    def _permutation(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            generator = make_generator(self.seed, _STREAM, epoch, device=self.device)
            self._order = torch.randperm(self.count, generator=generator, device=self.device)
            self._epoch = epoch
        return self._order
