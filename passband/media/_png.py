"""PNG with every bit kept: header, decoding of all colour types, encoding of 8 and 16 bits."""

import struct
import zlib
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

import imagecodecs
import numpy as np

from passband.media._faults import Header, cut_short, damaged, several
from passband.media._open import file_size
from passband.media._orientation import exif_orientation, orient, oriented_shape

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type: gray, RGB, palette, gray + alpha, RGBA
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
# Offsets and steps (x, y, dx, dy) of the seven pictures an interlaced PNG is made of.
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


class _Chunk(NamedTuple):
    kind: bytes
    start: int  # of the length field that opens the chunk
    length: int  # of the data alone


class _Ihdr(NamedTuple):
    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlace: int


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape and bit depth from the chunks before the pixels; a cut body is not noticed here."""
    ihdr = _ihdr(file, name)
    transparent = 0
    orientation = 1
    for chunk in _chunks(file):
        if chunk.kind == b"IDAT":
            break
        if chunk.kind == b"acTL":
            frames = int.from_bytes(_data(file, chunk)[:4])
            if frames > 1:
                raise several(name, frames, "animation frames")
        elif chunk.kind == b"tRNS" and ihdr.colour < 4:
            transparent = 1
        elif chunk.kind == b"eXIf":
            orientation = exif_orientation(_data(file, chunk))
    shape = (_CHANNELS[ihdr.colour] + transparent, ihdr.height, ihdr.width)
    return Header(oriented_shape(shape, orientation), 8 if ihdr.colour == 3 else ihdr.depth)


def decode(file: BufferedReader, name: str) -> np.ndarray:
    """Pixels as float32 (channels, height, width) on [0, 1]."""
    ihdr = _ihdr(file, name)
    chunks = list(_chunks(file))
    if not chunks or chunks[-1].kind != b"IEND":
        raise cut_short(name, "the file ends before its end marker")
    # The ancillary chunks hold nothing wanted here, and libpng prints to stderr about many of them.
    wanted = {b"IHDR", b"PLTE", b"IDAT", b"IEND"} | ({b"tRNS"} if ihdr.colour < 4 else set())
    exif = [exif_orientation(_data(file, chunk)) for chunk in chunks if chunk.kind == b"eXIf"]
    kept = [chunk for chunk in chunks if chunk.kind in wanted]
    try:
        pixels = _decode_adam7(file, ihdr, kept) if ihdr.interlace else _decode(file, kept)
    except (imagecodecs.PngError, zlib.error, ValueError) as error:
        raise damaged(name, error) from error
    planes = np.moveaxis(pixels.reshape(ihdr.height, ihdr.width, -1), 2, 0)
    scale = np.float32(np.iinfo(pixels.dtype).max)
    return orient(planes.astype(np.float32) / scale, exif[0] if exif else 1)


def encode(pixels: np.ndarray) -> bytes:
    """PNG file of uint8 or uint16 (height, width, channels)."""
    squeezed = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    return bytes(imagecodecs.png_encode(squeezed))


def _ihdr(file: BufferedReader, name: str) -> _Ihdr:
    file.seek(len(_SIGNATURE))
    head = file.read(21)
    if len(head) < 21:
        raise cut_short(name, "the file ends inside its header")
    ihdr = _Ihdr(*struct.unpack(">IIBBBBB", head[8:]))
    if head[:8] != b"\0\0\0\x0dIHDR" or ihdr.depth not in _DEPTHS.get(ihdr.colour, ()):
        raise damaged(name, f"no PNG header with bit depth {ihdr.depth}, colour type {ihdr.colour}")
    return ihdr


def _chunks(file: BufferedReader) -> Iterator[_Chunk]:
    """The chunks up to IEND that lie whole within the file."""
    size = file_size(file)
    start = len(_SIGNATURE)
    while start + 12 <= size:
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        if start + 12 + length > size:
            return
        yield _Chunk(kind, start, length)
        if kind == b"IEND":
            return
        start += 12 + length


def _data(file: BufferedReader, chunk: _Chunk) -> bytes:
    file.seek(chunk.start + 8)
    return file.read(chunk.length)


def _decode(file: BufferedReader, chunks: list[_Chunk]) -> np.ndarray:
    parts = [_SIGNATURE]
    for chunk in chunks:
        file.seek(chunk.start)
        parts.append(file.read(12 + chunk.length))
    return np.asarray(imagecodecs.png_decode(b"".join(parts)))


def _decode_adam7(file: BufferedReader, ihdr: _Ihdr, chunks: list[_Chunk]) -> np.ndarray:
    """An interlaced PNG as the seven plain PNGs it is made of.

    libpng would do, but through imagecodecs it prints a warning for every such file.
    """
    bits = ihdr.depth * (1 if ihdr.colour == 3 else _CHANNELS[ihdr.colour])
    sizes = [(-(-(ihdr.width - x) // dx), -(-(ihdr.height - y) // dy)) for x, y, dx, dy in _ADAM7]
    lengths = [h * (1 + -(-w * bits // 8)) if w and h else 0 for w, h in sizes]
    packed = b"".join(_data(file, chunk) for chunk in chunks if chunk.kind == b"IDAT")
    raw = zlib.decompressobj().decompress(packed, sum(lengths) or 1)
    if len(raw) < sum(lengths):
        raise ValueError(f"the pixels end after {len(raw):,} of {sum(lengths):,} bytes")
    palette = b"".join(
        _pack(chunk.kind, _data(file, chunk))
        for chunk in chunks
        if chunk.kind in (b"PLTE", b"tRNS")
    )
    whole: np.ndarray | None = None
    start = 0
    for (x, y, dx, dy), (w, h), length in zip(_ADAM7, sizes, lengths, strict=True):
        if not length:
            continue
        header = struct.pack(">IIBBBBB", w, h, *ihdr[2:6], 0)
        body = zlib.compress(raw[start : start + length], 1)
        start += length
        part = np.asarray(
            imagecodecs.png_decode(
                _SIGNATURE
                + _pack(b"IHDR", header)
                + palette
                + _pack(b"IDAT", body)
                + _pack(b"IEND", b"")
            )
        )
        if whole is None:
            whole = np.empty((ihdr.height, ihdr.width, *part.shape[2:]), part.dtype)
        whole[y::dy, x::dx] = part
    assert whole is not None  # an empty picture is refused before
    return whole


def _pack(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
