"""Sound files as mono tensors of one rate, decoded once while there is room for them."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Lock

from torch import Tensor

from passband.errors import InputError
from passband.frequency import resample
from passband.media import read_audio

_SILENT = 1e-5  # peak, 100 dB below full scale: noise of the converter is not blown up


def unit_peak(sound: Tensor) -> Tensor:
    """``sound`` with a peak of 1, or as it is where it is silent.

    Example:
        >>> import torch
        >>> unit_peak(torch.tensor([0.5, -0.25]))
        tensor([ 1.0000, -0.5000])
    """
    peak = float(sound.abs().max())
    return sound / peak if peak > _SILENT else sound


def unchanged(sound: Tensor) -> Tensor:
    """``sound`` at the level it was recorded at."""
    return sound


class Recordings:
    """Sound files by number: the mean of their channels, at ``sample_rate``, with a peak of 1.

    A file that cannot be read is reported once, with the reason, and is None from then on. Several
    threads may ask at once; none decodes what another is at.

    Args:
        files: sound files of any format, rate and number of channels.
        sample_rate: in Hz.
        cache_bytes: most memory for decoded sounds; those asked for longest ago go first.
        report: takes the line about a file that cannot be read.
        scale: sets the level of a sound.

    Example:
        >>> import tempfile, torch
        >>> from passband.media import write_audio
        >>> path = Path(tempfile.mkdtemp()) / "a.wav"
        >>> write_audio(path, torch.tensor([[0.5, -0.25, 0.0, 0.0]]), 8000)
        >>> Recordings([path], 8000)(0)
        tensor([ 1.0000, -0.5000,  0.0000,  0.0000])
    """

    def __init__(
        self,
        files: Sequence[Path],
        sample_rate: int,
        *,
        cache_bytes: int = 2**30,
        report: Callable[[str], None] = lambda line: None,
        scale: Callable[[Tensor], Tensor] = unit_peak,
    ) -> None:
        self.files, self.sample_rate = list(files), sample_rate
        self.faults: dict[Path, str] = {}
        self._report, self._room, self._scale = report, cache_bytes, scale
        self._kept: OrderedDict[int, Future[Tensor | None]] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.files)

    def __call__(self, index: int) -> Tensor | None:
        """Samples ``(time,)`` of file ``index``; None if it cannot be read."""
        with self._lock:
            future = self._kept.get(index)
            ours = future is None
            if future is None:
                future = self._kept[index] = Future()
            self._kept.move_to_end(index)
        if ours:
            self._load(index, future)
        return future.result()

    def _load(self, index: int, future: Future[Tensor | None]) -> None:
        path = self.files[index]
        sound: Tensor | None = None
        try:
            audio = read_audio(path)
            sound = resample(audio.samples.mean(dim=0), audio.sample_rate, self.sample_rate)
            sound = self._scale(sound)
        except (InputError, ValueError) as error:
            self.faults[path] = " ".join(str(error).split())
            self._report(f"left out: {self.faults[path]}")
        except BaseException as error:
            future.set_exception(error)
            raise
        future.set_result(sound)
        self._make_room(index, sound)

    def _make_room(self, index: int, sound: Tensor | None) -> None:
        with self._lock:
            self._sizes[index] = 0 if sound is None else sound.numel() * sound.element_size()
            for oldest in list(self._kept):
                if sum(self._sizes.values()) <= self._room or len(self._sizes) == 1:
                    break
                if self._sizes.get(oldest, 0):  # what is still loading or was unreadable stays
                    del self._kept[oldest], self._sizes[oldest]
