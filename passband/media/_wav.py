"""WAV (RIFF, RIFX, RF64): what the header promises, whether the body holds it, and writing."""

import struct
from io import BufferedIOBase, BufferedReader, BytesIO
from typing import NamedTuple

import numpy as np

from passband.errors import InputError
from passband.media._faults import Header, cut_short, damaged
from passband.media._open import file_size

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_ADPCM = {0x0002, 0x0011}  # of Microsoft and of the IMA
_UNCOMPRESSED = {_PCM, _FLOAT, 0x0006, 0x0007}  # and A-law, mu-law: one sample, one byte
# The sizes that programs writing to a pipe leave: none, sox's round number, ffmpeg's all ones.
_STREAMED = {0, 0x7FFFF000, 0xFFFFFFFF}
_LIMIT = 2**32 - 64


class _Layout(NamedTuple):
    codec: int
    channels: int
    sample_rate: int
    block: int  # bytes that stand together: of uncompressed codecs, one sample of all channels
    bits: int
    per_block: int  # samples per channel in a block; 0 where a codec leaves it open
    data: int  # where the samples begin
    promised: int  # bytes of samples by the header
    size: int  # of the file


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape, rate and depth from the chunk headers; a cut body is not noticed here."""
    layout = _layout(file, name)
    time = layout.promised // layout.block * layout.per_block
    bits = layout.bits if layout.codec in _UNCOMPRESSED else None
    return Header((layout.channels, time), bits, layout.sample_rate)


def body(file: BufferedReader, name: str) -> BufferedIOBase:
    """A stream libsndfile reads in full, or `InputError` where samples are missing."""
    layout = _layout(file, name)
    present = layout.size - layout.data
    if layout.promised > present:
        raise cut_short(
            name, f"its header promises {layout.promised:,} bytes of samples, {present:,} are there"
        )
    file.seek(layout.data - 4)
    if layout.promised and file.read(4) == b"\0\0\0\0":  # libsndfile takes 0 at its word
        file.seek(0)
        content = bytearray(file.read())
        content[layout.data - 4 : layout.data] = b"\xff\xff\xff\xff"
        return BytesIO(content)
    return file


def encode(samples: np.ndarray, sample_rate: int, bits: int) -> bytes:
    """WAV file of (time, channels): int16; int32 of which 24 bits are kept; or float32.

    Written out here because libsndfile stamps float files with the time of day.
    """
    channels = samples.shape[1]
    block = channels * bits // 8
    if len(samples) * block > _LIMIT:
        raise InputError(
            f"`samples` take {len(samples) * block:,} bytes, more than a WAV file holds (4 GiB). "
            "Write .flac instead."
        )
    if bits == 24:
        narrow = np.ascontiguousarray(samples, "<i4").view(np.uint8).reshape(-1, 4)[:, :3]
        data = narrow.tobytes()
    else:
        data = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    codec = _FLOAT if samples.dtype == np.float32 else _PCM
    form = struct.pack("<HHIIHH", codec, channels, sample_rate, sample_rate * block, block, bits)
    chunks = _chunk(b"fmt ", form)
    if codec == _FLOAT:
        chunks += _chunk(b"fact", struct.pack("<I", len(samples)))
    chunks += _chunk(b"data", data)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _layout(file: BufferedReader, name: str) -> _Layout:
    size = file_size(file)
    file.seek(0)
    head = file.read(12)
    order = ">" if head[:4] == b"RIFX" else "<"
    (riff,) = struct.unpack(order + "I", head[4:8])
    position = 12
    form = b""
    wide = None
    while position + 8 <= size:
        file.seek(position)
        kind, length = struct.unpack(order + "4sI", file.read(8))
        position += 8
        if kind == b"fmt ":
            form = file.read(min(length, 40))
        elif kind == b"ds64" and length >= 16:  # RF64: the sizes that do not fit 32 bits
            wide = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        elif kind == b"data":
            if length in _STREAMED:
                length = wide or _streamed_length(length, riff, position, size)
            return _Layout(*_format(form, order, name), position, length, size)
        position += length + length % 2
    raise cut_short(name, "the file ends before its samples")


def _streamed_length(length: int, riff: int, position: int, size: int) -> int:
    """Bytes of samples where the header leaves them open: all that follow.

    A size of 0 is taken at its word in a file whose other size is right.
    """
    return 0 if length == 0 and riff + 8 == size else size - position


def _format(form: bytes, order: str, name: str) -> tuple[int, int, int, int, int, int]:
    if len(form) < 16:
        raise damaged(name, "no format chunk stands before its samples")
    codec, channels, sample_rate, _, block, bits = struct.unpack(order + "HHIIHH", form[:16])
    if codec == _EXTENSIBLE and len(form) >= 26:
        (codec,) = struct.unpack(order + "H", form[24:26])
    if not (channels and sample_rate and block):
        raise damaged(
            name,
            f"{channels} channels, {sample_rate} Hz and {block} bytes per sample make no sense",
        )
    per_block = 1 if codec in _UNCOMPRESSED else 0
    if codec in _ADPCM and len(form) >= 20:
        (per_block,) = struct.unpack(order + "H", form[18:20])
    return codec, channels, sample_rate, block, bits, per_block
