"""Features of sound files on the disk, under what they were made of."""

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from passband.errors import InputError, OutputError
from passband.training import load_tensors, save_tensors

_Stamp = tuple[int, int]


class FeatureCache:
    """What ``compute`` made of a file, kept under SHA-256 of the file's bytes and of a key.

    A file that was renamed or copied is found again, one that changed is not; nothing is ever out
    of date, so that any number of runs and processes may share a folder. Entries are written whole
    or not at all, and a damaged one is made anew.

    Args:
        folder: where entries go, in folders of two letters; made if needed. None keeps them in
            memory.

    Attributes:
        found: entries that were there.
        made: entries that were computed.

    Example:
        >>> import tempfile, torch
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.wav").write_bytes(b"sound")
        >>> cache = FeatureCache(folder / "features")
        >>> for _ in range(3):
        ...     values = cache.get(folder / "a.wav", "mel 16000 Hz", lambda: torch.ones(2))
        >>> values, cache.made, cache.found
        (tensor([1., 1.]), 1, 2)
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.found = self.made = 0
        self._memory: dict[str, Tensor] = {}
        self._contents: dict[Path, tuple[_Stamp, str]] = {}
        self._lock = Lock()

    def get(self, path: Path, key: str, compute: Callable[[], Tensor]) -> Tensor:
        """The tensor that ``compute`` makes of the file ``path``, on the CPU.

        Args:
            path: the file; its content counts, not its name.
            key: everything else the values depend on: representation, rate, length, ...
            compute: called if there is no whole entry.

        Raises:
            InputError: the file cannot be read, or what ``compute`` raises.
            OutputError: the folder cannot be written.
        """
        name = hashlib.sha256(f"{self.content(path)}\n{key}".encode()).hexdigest()
        kept = self._read(name)
        if kept is not None:
            with self._lock:
                self.found += 1
            return kept
        values = compute().detach().cpu()
        self._write(name, values)
        with self._lock:
            self.made += 1
        return values

    def content(self, path: Path) -> str:
        """SHA-256 of the bytes of ``path``; read once as long as its size and time stay.

        Raises:
            InputError: the file cannot be read.
        """
        try:
            status = path.stat()
            stamp = (status.st_size, status.st_mtime_ns)
            with self._lock:
                known = self._contents.get(path)
            if known is None or known[0] != stamp:
                with path.open("rb") as file:
                    known = (stamp, hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
        with self._lock:
            self._contents[path] = known
        return known[1]

    def _place(self, folder: Path, name: str) -> Path:
        return folder / name[:2] / f"{name[2:]}.safetensors"

    def _read(self, name: str) -> Tensor | None:
        if self.folder is None:
            with self._lock:
                return self._memory.get(name)
        place = self._place(self.folder, name)
        if not place.is_file():
            return None
        try:
            tensors, meta = load_tensors(place)
        except (InputError, OSError):
            return None
        values = tensors.get("values")
        return values if values is not None and meta.get("crc32") == _checksum(values) else None

    def _write(self, name: str, values: Tensor) -> None:
        if self.folder is None:
            with self._lock:
                self._memory[name] = values
            return
        place = self._place(self.folder, name)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{place.parent} cannot be made: {error.strerror or error}. Choose another folder."
            ) from error
        save_tensors(place, {"values": values}, {"crc32": _checksum(values)})


def _checksum(values: Tensor) -> int:
    """Of the bytes: a file of the right length may still hold others than were written."""
    return zlib.crc32(values.flatten().view(torch.uint8).numpy().data)
