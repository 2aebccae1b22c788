"""WebP still pictures: header and decoding."""

import struct
from io import BufferedReader

import imagecodecs
import numpy as np

from passband.media._faults import Header, cut_short, damaged, unsupported
from passband.media._open import file_size


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape from the first chunk; a cut body is not noticed here."""
    file.seek(12)
    head = file.read(18)
    if len(head) < 18:
        raise cut_short(name, "the file ends inside its header")
    kind, body = head[:4], head[8:]
    alpha = False
    if kind == b"VP8X":
        if body[0] & 0x02:
            raise unsupported(name, "is an animation", "Pass a still picture.")
        alpha = bool(body[0] & 0x10)
        width = 1 + int.from_bytes(body[4:7], "little")
        height = 1 + int.from_bytes(body[7:10], "little")
    elif kind == b"VP8L":
        (bits,) = struct.unpack("<I", body[1:5])
        width, height, alpha = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1)
    elif kind == b"VP8 ":
        width, height = (n & 0x3FFF for n in struct.unpack("<HH", body[6:10]))
    else:
        raise damaged(name, f"an unknown WebP chunk {kind!r}")
    return Header((4 if alpha else 3, height, width), 8)


def decode(file: BufferedReader, name: str) -> np.ndarray:
    """Pixels as float32 (channels, height, width) on [0, 1]."""
    file.seek(4)
    promised = 8 + int.from_bytes(file.read(4), "little")
    if promised > file_size(file):
        raise cut_short(name, f"{file_size(file):,} of {promised:,} bytes are there")
    file.seek(0)
    try:
        pixels = np.asarray(imagecodecs.webp_decode(file.read()))
    except (imagecodecs.WebpError, ValueError) as error:
        raise damaged(name, error) from error
    return np.moveaxis(pixels, 2, 0).astype(np.float32) / np.float32(255)
