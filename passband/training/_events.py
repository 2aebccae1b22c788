"""The record of a run: one JSON object a line, and the same numbers for TensorBoard."""

import json
from pathlib import Path
from types import TracebackType
from typing import TextIO

from passband.atomic import write_text_atomic
from passband.errors import OutputError


class EventLog:
    """Scalars of a run in ``events.jsonl`` and in TensorBoard's format under ``tensorboard/``.

    Opening it to go on from ``step`` drops later lines, so that a run killed and resumed leaves
    the same record as one that was not.

    Args:
        folder: the run's folder.
        step: first step that will be written.

    Raises:
        OutputError: the folder cannot be written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with EventLog(folder) as log:
        ...     log.write(0, loss=1.5)
        >>> (folder / "events.jsonl").read_text()
        '{"step": 0, "loss": 1.5}\\n'
    """

    def __init__(self, folder: Path, *, step: int = 0) -> None:
        # Importing TensorBoard's writer costs 0.1 s that only a fit should pay.
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415

        self._path = folder / "events.jsonl"
        _drop_from(self._path, step)
        try:
            self._file: TextIO = self._path.open("a", encoding="utf-8")
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step)
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written ({error.strerror}). Choose another folder."
            ) from error

    def write(self, step: int, **scalars: float) -> None:
        """Append one line of ``scalars`` for ``step``."""
        self._file.write(json.dumps({"step": step, **scalars}) + "\n")
        self._file.flush()
        for name, value in scalars.items():
            self._board.add_scalar(name, value, step)

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._board.close()


def read_events(folder: Path) -> list[dict[str, float]]:
    """The lines of ``folder/events.jsonl``; a last line cut short by a kill is left out."""
    path = folder / "events.jsonl"
    if not path.is_file():
        return []
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return events


def _drop_from(path: Path, step: int) -> None:
    if path.is_file():
        kept = [event for event in read_events(path.parent) if event["step"] < step]
        write_text_atomic(path, "".join(json.dumps(event) + "\n" for event in kept))
