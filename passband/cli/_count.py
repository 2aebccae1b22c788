"""How far a command is with many files: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType


class CountReporter:
    """Files done, failed, per second and time left, on standard error.

    Args:
        noun: what is counted.
        interval: seconds between plain lines.
    """

    def __init__(self, noun: str, *, interval: float = 5.0) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._noun, self._interval = noun, interval
        self._began = self._spoke = time.monotonic()
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            columns = (BarColumn(bar_width=30), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=Console(file=sys.stderr))
            self._task = self._bar.add_task("starting")

    def update(self, done: int, total: int, *, failed: int) -> None:
        """Say that ``done`` of ``total`` are done, ``failed`` of them in vain."""
        now = time.monotonic()
        text = self._text(done, total, failed, now - self._began)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, description=text)
        elif done >= total or now - self._spoke >= self._interval:
            print(text, file=sys.stderr, flush=True)
            self._spoke = now

    def _text(self, done: int, total: int, failed: int, seconds: float) -> str:
        from passband.training import format_duration

        rate = done / max(seconds, 1e-9)
        lost = f"  {failed} failed" if failed else ""
        if not done:
            return f"{done}/{total} {self._noun}{lost}"
        left = format_duration((total - done) / rate)
        return f"{done}/{total} {self._noun}{lost}  {rate:.1f} {self._noun}/s  {left} left"

    def __enter__(self) -> "CountReporter":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
