"""What a run says while it goes on: to its folder and to the person who waits."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from passband.training._events import EventLog
from passband.training._progress import ProgressReporter


class Record:
    """`EventLog` and `ProgressReporter` at once, or neither.

    Args:
        folder: the run's folder.
        steps: length of the run.
        start: step the run goes on from.
        quiet: write and say nothing, as the helpers of a main process do.

    Example:
        >>> with Record(Path("nowhere"), 10, quiet=True) as record:
        ...     record.write(1, 0.5, {})
    """

    def __init__(self, folder: Path, steps: int, *, start: int = 0, quiet: bool = False) -> None:
        self._stack = ExitStack()
        self._events = None if quiet else EventLog(folder, step=start)
        self._progress = None if quiet else ProgressReporter(steps, start=start)

    def write(self, done: int, loss: float, measures: Mapping[str, float]) -> None:
        """Record the last of ``done`` steps."""
        if self._events is not None:
            self._events.write(done - 1, loss=loss, **measures)
        if self._progress is not None:
            self._progress.update(done, loss=loss, measures=measures)

    def __enter__(self) -> "Record":
        for part in (self._events, self._progress):
            if part is not None:
                self._stack.enter_context(part)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
