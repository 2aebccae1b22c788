"""One function over many items in processes, where even a crash costs one item only."""

import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Generic, TypeVar

import torch

I = TypeVar("I")  # noqa: E741  an item
R = TypeVar("R")

_LOOK_AROUND = 0.2  # seconds between looks at whether to stop


@dataclass(frozen=True)
class Crash:
    """How the process that worked on an item ended."""

    exit_code: int | None

    def __str__(self) -> str:
        code = self.exit_code or 0
        if code == -signal.SIGKILL:
            return "its process was killed, most likely for want of memory. Use fewer --jobs."
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its process crashed ({how}). The file may be damaged; leave it out."


class _Worker(Generic[I]):
    def __init__(self, function: Callable[[I], object]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.item: I | None = None
        self.ready = False
        self.process: BaseProcess = context.Process(
            target=_serve, args=(theirs, function), daemon=True
        )
        with _interrupts_blocked():
            self.process.start()
        theirs.close()

    def stop(self, *, at_once: bool) -> None:
        if at_once:
            self.process.terminate()
        self.connection.close()
        self.process.join()


def run_in_workers(
    function: Callable[[I], R],
    items: Sequence[I],
    *,
    jobs: int,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[tuple[I, R | Crash]]:
    """``function(item)`` for every item in turn, in ``jobs`` processes of one thread each.

    Args:
        function: importable by name; must not raise.
        items: what to apply it to.
        jobs: most processes at a time, at least 1.
        stop: asked again and again; once true, what is begun is finished and no more begun.

    Yields:
        Items with their results as they come, or with the `Crash` of their process.

    Raises:
        RuntimeError: if a process cannot start, as in a script without a main guard.
    """
    waiting = deque(items)
    workers: list[_Worker[I]] = []
    ended = False
    try:
        while (waiting and not stop()) or any(worker.item is not None for worker in workers):
            if waiting and len(workers) < min(jobs, len(items)) and not stop():
                workers.append(_Worker(function))
            by_connection = {worker.connection: worker for worker in workers}
            for connection in wait(list(by_connection), _LOOK_AROUND):
                assert isinstance(connection, Connection)
                worker = by_connection[connection]
                done = _receive(worker, workers)
                item, worker.item = worker.item, None
                if done is not None and item is not None:
                    yield item, done[0]
                if worker in workers and waiting and not stop():
                    worker.item = waiting.popleft()
                    worker.connection.send(worker.item)
        ended = True
    finally:
        for worker in workers:
            worker.stop(at_once=not ended)


def _receive(worker: _Worker[I], workers: list[_Worker[I]]) -> tuple[R | Crash] | None:
    """The result that has come, None for the sign of being ready; a dead worker is let go."""
    try:
        message = worker.connection.recv()
    except (EOFError, ConnectionError):
        workers.remove(worker)
        worker.stop(at_once=False)
        if not worker.ready:
            raise RuntimeError(
                f"a working process cannot start (exit code {worker.process.exitcode}). Call from "
                "a file whose own code stands under: if __name__ == '__main__'."
            ) from None
        return (Crash(worker.process.exitcode),)
    if worker.ready:
        return (message,)
    worker.ready = True
    return None


def _serve(connection: Connection, function: Callable[[I], object]) -> None:
    """Answer every item that comes until the other end closes, be it by the death of its owner."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)  # leaving by an exception cleans up half files
    with suppress(EOFError, ConnectionError):
        connection.send(None)
        while True:
            connection.send(function(connection.recv()))


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A process begun in here never hears Ctrl-C; its owner decides when it ends."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Begun first: it would unblock the signals on its way.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
