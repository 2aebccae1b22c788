"""Ctrl-C and SIGTERM that wait for the step in progress."""

import signal
import threading
from types import FrameType, TracebackType


class InterruptGuard:
    """Context in which the first SIGINT or SIGTERM only sets :attr:`requested`.

    A step interrupted half way would leave some weights updated and others not; the loop looks at
    :attr:`requested` between steps instead. A second signal acts at once, as it always did.

    Example:
        >>> with InterruptGuard() as guard:
        ...     guard.requested
        False
    """

    def __init__(self) -> None:
        self.requested = False
        self._signals = (signal.SIGINT, signal.SIGTERM)

    def __enter__(self) -> "InterruptGuard":
        # Python lets only the main thread set handlers; elsewhere the signals do not arrive either.
        self._armed = threading.current_thread() is threading.main_thread()
        if self._armed:
            self._before = [signal.signal(number, self._on_signal) for number in self._signals]
        return self

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in zip(self._signals, self._before, strict=True):
            signal.signal(number, handler)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._armed:
            self._restore()
