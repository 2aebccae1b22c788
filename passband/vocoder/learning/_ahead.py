"""The batches of the next steps, made while the present one is learned from."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from torch import Tensor


class Ahead:
    """A function of the step whose next values are computed in threads before they are asked for.

    Args:
        function: of the step alone, safe to call from several threads.
        workers: threads, and steps to be ahead; 0 computes each when it is asked for.

    Example:
        >>> import torch
        >>> with Ahead(lambda step: torch.tensor(step), 2) as batches:
        ...     [int(batches(step)) for step in (0, 1, 5)]
        [0, 1, 5]
    """

    def __init__(self, function: Callable[[int], Tensor], workers: int) -> None:
        self._function, self._workers = function, workers
        self._pool = ThreadPoolExecutor(workers, "passband-clips") if workers else None
        self._coming: dict[int, Future[Tensor]] = {}

    def __call__(self, step: int) -> Tensor:
        """The function's value at ``step``; those after it are begun."""
        if self._pool is None:
            return self._function(step)
        for wanted in range(step, step + self._workers + 1):
            if wanted not in self._coming:
                self._coming[wanted] = self._pool.submit(self._function, wanted)
        self._coming = {key: value for key, value in self._coming.items() if key >= step}
        return self._coming.pop(step).result()

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
