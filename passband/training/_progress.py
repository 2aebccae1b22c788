"""What a person sees while a run goes on."""

import sys
import time
from collections.abc import Mapping
from io import TextIOBase
from types import TracebackType
from typing import TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


def format_duration(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``.

    Example:
        >>> format_duration(75), format_duration(3671)
        ('1:15', '1:01:11')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


_RATIOS_IN_DECIBELS = ("psnr", "snr", "si_snr")


class ProgressReporter:
    """Loss, quality in dB, speed and time left: a bar on a terminal, plain lines elsewhere.

    Args:
        steps: length of the run.
        start: step the run goes on from.
        stream: where to write; standard error by default, so that results can be piped.
        interval: seconds between plain lines.

    Example:
        >>> import io
        >>> out = io.StringIO()
        >>> with ProgressReporter(10, stream=out) as progress:
        ...     progress.update(10, loss=0.25, measures={"psnr": 12.04})
        >>> "step 10/10" in out.getvalue() and "PSNR 12.04 dB" in out.getvalue()
        True
    """

    def __init__(
        self, steps: int, *, start: int = 0, stream: TextIOBase | None = None, interval: float = 5.0
    ) -> None:
        self._steps, self._start, self._interval = steps, start, interval
        self._stream = cast(TextIO, sys.stderr if stream is None else stream)
        self._began = self._spoke = time.monotonic()
        self._bar: Progress | None = None
        if self._stream.isatty():
            columns = (BarColumn(bar_width=30), TextColumn("{task.description}"))
            console = Console(file=self._stream)
            self._bar = Progress(*columns, console=console, transient=False)
            self._task = self._bar.add_task("starting", total=steps, completed=start)

    def update(self, step: int, *, loss: float, measures: Mapping[str, float]) -> None:
        """Say that ``step`` steps are done, with the latest loss and figures such as ``psnr``."""
        now = time.monotonic()
        if self._bar is not None:
            text = self._text(step, loss, measures)
            self._bar.update(self._task, completed=step, description=text)
        elif step >= self._steps or now - self._spoke >= self._interval:
            self._stream.write(self._text(step, loss, measures) + "\n")
            self._stream.flush()
            self._spoke = now

    def _text(self, step: int, loss: float, measures: Mapping[str, float]) -> str:
        rate = (step - self._start) / max(time.monotonic() - self._began, 1e-9)
        left = format_duration((self._steps - step) / rate) if rate > 0 else "?"
        quality = "".join(f"{_shown(name, value)}  " for name, value in measures.items())
        return (
            f"step {step}/{self._steps}  loss {loss:.3e}  {quality}{rate:.1f} steps/s  {left} left"
        )

    def __enter__(self) -> "ProgressReporter":
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


def _shown(name: str, value: float) -> str:
    """A figure with its unit: dB for the ratios that are counted in it."""
    if name in _RATIOS_IN_DECIBELS:
        return f"{name.upper()} {value:.2f} dB"
    return f"{name.upper()} {value:.3g}"
