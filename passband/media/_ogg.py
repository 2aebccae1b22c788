"""Ogg (Vorbis, Opus, FLAC): what the pages promise and whether the last one is there."""

import struct
from io import BufferedIOBase, BufferedReader
from typing import NamedTuple

from passband.media import _flac
from passband.media._faults import Header, cut_short, damaged, unsupported
from passband.media._open import file_size

_FIRST, _LAST = 0x02, 0x04  # flags of a stream's first and last page
_OPUS_RATE = 48000  # Hz, whatever the sound had before


class _Pages(NamedTuple):
    first: bytes  # content of the first page, which identifies the codec
    end: int  # position of the last sample
    open_streams: int  # streams begun and not ended
    fault: str | None  # why the pages stop before the end of the file


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape and rate from the first and last pages that are whole."""
    pages = _pages(file)
    first = pages.first
    if first[:7] == b"\x01vorbis" and len(first) >= 16:
        channels, sample_rate = struct.unpack("<BI", first[11:16])
        header = Header((channels, pages.end), None, sample_rate)
    elif first[:8] == b"OpusHead" and len(first) >= 12:
        channels, skipped = struct.unpack("<BH", first[9:12])
        header = Header((channels, max(0, pages.end - skipped)), None, _OPUS_RATE)
    elif first[:5] == b"\x7fFLAC" and len(first) >= 51:
        flac = _flac.stream_info(first[17:51], name)
        header = Header((flac.shape[0], pages.end), flac.bit_depth, flac.sample_rate)
    elif not first:
        raise cut_short(name, "the file ends inside its first page")
    else:
        raise unsupported(
            name, f"holds a stream beginning {first[:8]!r}", "Convert it to Vorbis or WAV."
        )
    if 0 in (header.shape[0], header.sample_rate):
        raise damaged(name, f"{header.shape[0]} channels at {header.sample_rate} Hz make no sense")
    return header


def body(file: BufferedReader, name: str) -> BufferedIOBase:
    """The file itself, or `InputError` where pages are missing."""
    pages = _pages(file)
    if pages.open_streams:
        raise cut_short(name, pages.fault or "its last page is missing")
    return file


def _pages(file: BufferedReader) -> _Pages:
    size = file_size(file)
    position, end, first = 0, 0, b""
    open_streams: set[int] = set()
    fault = None
    while position < size:
        file.seek(position)
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            fault = f"no page begins at byte {position:,} of {size:,}"
            break
        flags, granule, serial = struct.unpack("<BqI", head[5:18])
        lacing = file.read(head[26])
        length = sum(lacing)
        if len(lacing) < head[26] or file.tell() + length > size:
            fault = "the file ends inside a page"
            break
        first = first or file.read(length)
        if flags & _FIRST:
            open_streams.add(serial)
        if flags & _LAST:
            open_streams.discard(serial)
        end = max(end, granule)
        position += 27 + len(lacing) + length
    return _Pages(first, end, len(open_streams), fault)
