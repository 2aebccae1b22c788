"""PNG with every bit kept: header, decoding of all colour types, encoding of 8 and 16 bits."""

import logging
import struct
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

import imagecodecs
import numpy as np

from passband.media._faults import Header, cut_short, damaged, several
from passband.media._open import file_size
from passband.media._orientation import exif_orientation, orient, oriented_shape

# imagecodecs reports libpng's warnings (every interlaced file, odd colour profiles) to its logger,
# which without a handler prints to stderr.
logging.getLogger("imagecodecs").addHandler(logging.NullHandler())

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type: gray, RGB, palette, gray + alpha, RGBA
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


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
    """Shape and bit depth from the chunks around the pixels; a cut body is not noticed here."""
    ihdr = _ihdr(file, name)
    transparent = 0
    orientation = 1
    for chunk in _chunks(file):
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
    exif = [_data(file, chunk) for chunk in chunks if chunk.kind == b"eXIf"]
    file.seek(0)
    data = file.read(chunks[-1].start + 12)
    try:
        pixels = np.asarray(imagecodecs.png_decode(data))
    except (imagecodecs.PngError, ValueError) as error:
        raise damaged(name, error) from error
    planes = np.moveaxis(pixels.reshape(ihdr.height, ihdr.width, -1), 2, 0)
    scale = np.float32(np.iinfo(pixels.dtype).max)
    return orient(planes.astype(np.float32) / scale, exif_orientation(exif[0]) if exif else 1)


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
