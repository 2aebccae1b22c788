"""Standard MIDI files: the notes in them, and files of notes."""

import struct
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from passband.atomic import write_bytes_atomic
from passband.errors import InputError

NoteEvent = tuple[float, float, int, int]
"""Onset and offset in seconds, MIDI number, velocity."""

_TEMPO = 500_000  # microseconds a quarter note: 120 a minute, where a file does not say
_TICKS = 960  # a quarter note, in files that are written: a tick is 0.52 ms
_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_MOST_BYTES = 2**26


def read_midi(path: Path) -> list[NoteEvent]:
    """The notes of all tracks and channels of a Standard MIDI File, in seconds by its tempo map.

    A note ends with its key: pedals are not heard. One that is struck again before it ended ends
    first in, first out; one that never ends does so with its track.

    Args:
        path: of format 0 or 1, its times in ticks of a quarter note or in SMPTE frames.

    Returns:
        Onset and offset in seconds, MIDI number 0 to 127 and velocity 1 to 127, by onset.

    Raises:
        InputError: the file is missing, no MIDI file, cut short or damaged.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.mid"
        >>> write_midi(path, [(0.5, 1.0, 60, 80)])
        >>> read_midi(path)
        [(0.5, 1.0, 60, 80)]

    Reference: MIDI Manufacturers Association, Standard MIDI Files 1.0, RP-001, 1988.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path} is larger than {_MOST_BYTES >> 20} MB. Pass a MIDI file.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return _notes(data)
    except _DamageError as error:
        raise InputError(f"{path} is no MIDI file that can be read: {error}. Replace it.") from None
    except (IndexError, struct.error):
        raise InputError(f"{path} is cut short. Replace it.") from None


def write_midi(path: Path, notes: Iterable[Sequence[float]], *, program: int = 0) -> None:
    """Write notes as a Standard MIDI File: one track, 960 ticks a quarter note, 120 of it a minute.

    Times are rounded to ticks of 0.52 ms; a note lasts one tick at least.

    Args:
        path: where to.
        notes: onset and offset in seconds, MIDI number and velocity first; more is not looked at.
        program: the instrument, 0 to 127; 0 is a grand piano.

    Raises:
        OutputError: it cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.mid"
        >>> write_midi(path, [])
        >>> path.read_bytes()[:4]
        b'MThd'

    Reference: MIDI Manufacturers Association, Standard MIDI Files 1.0, RP-001, 1988.
    """
    events: list[tuple[int, int, bytes]] = []
    for onset, offset, pitch, velocity, *_ in notes:
        first = _tick(onset)
        last = max(_tick(offset), first + 1)
        events.append((first, 1, bytes((0x90, int(pitch), max(1, int(velocity))))))
        events.append((last, 0, bytes((0x80, int(pitch), 0))))  # before what begins in that tick
    track = bytearray(b"\x00\xff\x51\x03" + _TEMPO.to_bytes(3, "big"))
    track += bytes((0, 0xC0, program))
    now = 0
    for tick, _, message in sorted(events):
        track += _variable_length(tick - now) + message
        now = tick
    track += b"\x00\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, _TICKS)
    write_bytes_atomic(path, header + b"MTrk" + struct.pack(">I", len(track)) + bytes(track))


class _DamageError(Exception):
    """What is wrong with the bytes."""


def _tick(seconds: float) -> int:
    return round(max(0.0, seconds) * _TICKS * 1e6 / _TEMPO)


def _variable_length(value: int) -> bytes:
    """Seven bits a byte, the highest first; all but the last have the eighth bit set."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | (value & 0x7F))
    return bytes(reversed(groups))


def _notes(data: bytes) -> list[NoteEvent]:
    if data[:4] != b"MThd":
        raise _DamageError("it does not begin with MThd")
    length, format_, _, division = struct.unpack_from(">IHHH", data, 4)
    if format_ > 1:
        raise _DamageError(f"its format (={format_}) must be 0 or 1")
    keys: list[tuple[int, int, int, int]] = []
    tempos: list[tuple[int, int]] = []
    place = 8 + length
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "big")
        place += 8
        if place + size > len(data):
            raise _DamageError("it is cut short")
        if name == b"MTrk":
            keys += _Track(data[place : place + size], tempos).keys()
        place += size
    clock = _Clock(division, tempos)
    found = [(clock(on), clock(off), pitch, velocity) for on, off, pitch, velocity in keys]
    return sorted(found)


class _Clock:
    """Seconds of a tick."""

    def __init__(self, division: int, tempos: list[tuple[int, int]]) -> None:
        if division & 0x8000:
            rate = (256 - (division >> 8)) * (division & 0xFF)
            tempos, per_tick = [], 1.0 / rate if rate else 0.0
            first = per_tick
        else:
            per_tick = 1e-6 / division if division else 0.0
            first = _TEMPO * per_tick
        if not per_tick:
            raise _DamageError("its division is 0")
        self._starts, self._marks = [0], [(0.0, first)]
        for tick, tempo in sorted(tempos, key=lambda mark: mark[0]):
            seconds = self(tick)
            self._starts.append(tick)
            self._marks.append((seconds, tempo * per_tick))

    def __call__(self, tick: int) -> float:
        number = bisect_right(self._starts, tick) - 1
        seconds, rate = self._marks[number]
        return seconds + (tick - self._starts[number]) * rate


class _Track:
    """The events of a track, read one after the other."""

    def __init__(self, data: bytes, tempos: list[tuple[int, int]]) -> None:
        self._data, self._place, self._tempos = data, 0, tempos

    def keys(self) -> list[tuple[int, int, int, int]]:
        """Ticks of onset and offset, number and velocity; tempos go to the list of the file."""
        pressed: defaultdict[tuple[int, int], deque[tuple[int, int]]] = defaultdict(deque)
        found = []
        now = status = 0
        while self._place < len(self._data):
            now += self._number()
            if self._data[self._place] & 0x80:
                status = self._byte()
            if status >= 0xF0:
                self._skip(status, now)
                continue
            if not status:
                raise _DamageError("an event has no status")
            values = [self._byte() for _ in range(_DATA_BYTES[status >> 4])]
            if max(values) > 0x7F:
                raise _DamageError("a value is above 127")
            if status >> 4 not in (0x8, 0x9):
                continue
            pitch, velocity = values
            waiting = pressed[status & 0xF, pitch]
            if status >> 4 == 0x9 and velocity:
                waiting.append((now, velocity))
            elif waiting:
                start, struck = waiting.popleft()
                found.append((start, now, pitch, struck))
        for (_, pitch), waiting in pressed.items():
            found += [(start, now, pitch, struck) for start, struck in waiting]
        return found

    def _skip(self, status: int, now: int) -> None:
        """Meta and system exclusive events, of which the tempo alone counts."""
        if status not in (0xFF, 0xF0, 0xF7):
            raise _DamageError(f"event {status:#x} does not belong into a file")
        kind = self._byte() if status == 0xFF else None
        size = self._number()
        content = self._data[self._place : self._place + size]
        if len(content) < size:
            raise _DamageError("it is cut short")
        self._place += size
        if kind == 0x51 and size == 3:
            self._tempos.append((now, int.from_bytes(content, "big")))

    def _number(self) -> int:
        value = 0
        for _ in range(4):
            byte = self._byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise _DamageError("a number is longer than four bytes")

    def _byte(self) -> int:
        self._place += 1
        return self._data[self._place - 1]
