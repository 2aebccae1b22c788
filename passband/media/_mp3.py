"""MP3: its frames counted one by one, without the tags around them."""

from io import BufferedIOBase, BufferedReader, BytesIO
from typing import NamedTuple

from passband.media._faults import Header, cut_short, damaged
from passband.media._open import file_size
from passband.media._sniff import id3_size

# kbit/s by the four bits of the frame header, for MPEG 1 and for MPEG 2 and 2.5, layer III.
_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)  # Hz for MPEG 1; half for MPEG 2, a quarter for MPEG 2.5
_SEARCH = 65536  # bytes in which the first frame must begin


class _Frame(NamedTuple):
    length: int  # bytes
    samples: int  # per channel
    sample_rate: int
    channels: int
    side: int  # bytes of side information, after which a Xing header stands


class _Stream(NamedTuple):
    start: int
    end: int
    first: _Frame
    frames: int  # that hold sound
    promised: int | None  # frames by the Xing header
    trimmed: int  # samples the encoder says to drop


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape and rate from the frame headers."""
    stream = _stream(file, name)
    time = (stream.promised or stream.frames) * stream.first.samples - stream.trimmed
    return Header((stream.first.channels, max(0, time)), None, stream.first.sample_rate)


def body(file: BufferedReader, name: str) -> BufferedIOBase:
    """The frames alone: the decoder prints to stderr about tags and gaps it does not know."""
    stream = _stream(file, name)
    if stream.promised is not None and stream.promised > stream.frames:
        raise cut_short(
            name, f"its header promises {stream.promised:,} frames, {stream.frames:,} are there"
        )
    file.seek(stream.start)
    return BytesIO(file.read(stream.end - stream.start))


def _stream(file: BufferedReader, name: str) -> _Stream:
    size = file_size(file)
    start, first = _first_frame(file, name)
    promised, trimmed, is_header = _xing(file, start, first)
    position, count = start, -1 if is_header else 0
    while position < size:
        file.seek(position)
        frame = _frame(file.read(4))
        if frame is None or frame[2:4] != first[2:4]:
            _require_tail(file, name, position, size)
            break
        if position + frame.length > size:
            break  # many encoders leave the last frame short; a Xing header tells whether it counts
        count += 1
        position += frame.length
    return _Stream(start, position, first, count, promised, trimmed)


def _first_frame(file: BufferedReader, name: str) -> tuple[int, _Frame]:
    """Where the first frame begins: one that another of the same kind, or the end, follows."""
    file.seek(0)
    tag = id3_size(file.read(10))
    file.seek(tag)
    window = file.read(_SEARCH)
    position = window.find(b"\xff")
    while position >= 0:
        frame = _frame(window[position : position + 4])
        if frame is not None:
            file.seek(tag + position + frame.length)
            following = file.read(4)
            after = _frame(following)
            if not following or (after is not None and after[2:4] == frame[2:4]):
                return tag + position, frame
        position = window.find(b"\xff", position + 1)
    if not window:
        raise cut_short(name, "the file ends inside its ID3 tag")
    raise damaged(name, "no MPEG audio frames follow each other in it")


def _frame(head: bytes) -> _Frame | None:
    """The layer III frame that four bytes announce, or None."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version = head[1] >> 3 & 3  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return None
    kbits = (_BITRATES_1 if version == 3 else _BITRATES_2)[bitrate]
    sample_rate = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 1152 if version == 3 else 576
    channels = 1 if head[3] >> 6 == 3 else 2
    side = {(3, 2): 32, (3, 1): 17, (2, 2): 17, (2, 1): 9}[max(version, 2), channels]
    length = samples // 8 * kbits * 1000 // sample_rate + (head[2] >> 1 & 1)
    return _Frame(length, samples, sample_rate, channels, side)


def _xing(file: BufferedReader, start: int, first: _Frame) -> tuple[int | None, int, bool]:
    """Frames and samples to drop by the Xing header, and whether the first frame is one."""
    file.seek(start + 4 + first.side)
    head = file.read(156)
    if head[:4] not in (b"Xing", b"Info"):
        return None, 0, False
    flags = int.from_bytes(head[4:8])
    promised = int.from_bytes(head[8:12]) if flags & 1 else None
    position = 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1)
    lame = head[position + 4 * (flags >> 3 & 1) :]
    if len(lame) < 24 or lame[:4] not in (b"LAME", b"Lavc", b"Lavf"):
        return promised, 0, True
    packed = int.from_bytes(lame[21:24])
    return promised, (packed >> 12) + (packed & 0xFFF), True


def _require_tail(file: BufferedReader, name: str, position: int, size: int) -> None:
    """What follows the last frame must be a tag or padding; frames after a gap mean damage."""
    file.seek(position)
    tail = file.read(min(size - position, _SEARCH))
    known = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")
    if tail.startswith(known) or not tail.strip(b"\0") or len(tail) < 2048:
        return
    raise damaged(name, f"no MPEG audio frame begins at byte {position:,} of {size:,}")
