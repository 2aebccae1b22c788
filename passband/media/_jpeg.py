"""JPEG, gray, colour or CMYK: header, decoding, encoding."""

import struct
from collections.abc import Iterator
from io import BufferedReader

import imagecodecs
import numpy as np

from passband.media._faults import Header, cut_short, damaged, unsupported
from passband.media._orientation import exif_orientation, orient, oriented_shape

_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1
_STANDALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 without DHT, JPG, DAC
_QUALITY = 95


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape and bit depth from the frame header; a cut body is not noticed here."""
    orientation = 1
    for marker, start, length in _segments(file, name):
        file.seek(start)
        if marker == _APP1 and file.read(6) == b"Exif\0\0":
            orientation = exif_orientation(file.read(length - 6))
        elif marker in _FRAMES:
            file.seek(start)
            frame = file.read(6)
            if len(frame) < 6:
                break
            depth, height, width, components = struct.unpack(">BHHB", frame)
            if components not in (1, 3, 4):
                raise unsupported(name, f"holds {components} components", "Convert it to RGB.")
            channels = 1 if components == 1 else 3
            return Header(oriented_shape((channels, height, width), orientation), depth)
    raise cut_short(name, "the file ends inside its header")


def decode(file: BufferedReader, name: str) -> np.ndarray:
    """Pixels as float32 (channels, height, width) on [0, 1], upright, CMYK as RGB."""
    orientation, scan, components = 1, 0, 3
    for marker, start, length in _segments(file, name):
        file.seek(start)
        if marker == _APP1 and file.read(6) == b"Exif\0\0":
            orientation = exif_orientation(file.read(length - 6))
        elif marker in _FRAMES:
            components = file.read(6)[5]
        elif marker == _START_OF_SCAN:
            scan = start
    file.seek(0)
    data = file.read()
    # libjpeg paints what is missing gray and says nothing. The marker is sought after the start of
    # scan, since a thumbnail before it has its own.
    if not scan or data.find(bytes((0xFF, _END_OF_IMAGE)), scan) < 0:
        raise cut_short(name, "the file ends before its end-of-image marker")
    try:
        wanted = "CMYK" if components == 4 else None
        pixels = np.asarray(imagecodecs.jpeg8_decode(data, outcolorspace=wanted))
    except (imagecodecs.Jpeg8Error, ValueError) as error:
        raise damaged(name, error) from error
    planes = np.moveaxis(pixels.reshape(*pixels.shape[:2], -1), 2, 0).astype(np.float32)
    planes /= np.float32(255 if pixels.dtype == np.uint8 else 4095)
    if components == 4:  # stored inverted, as Adobe does and all readers assume
        planes = planes[:3] * planes[3:]
    return orient(planes, orientation)


def encode(pixels: np.ndarray) -> bytes:
    """JPEG file of uint8 (height, width, 1 or 3) at quality 95, colour at full resolution."""
    squeezed = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    return bytes(imagecodecs.jpeg8_encode(squeezed, level=_QUALITY, subsampling="444"))


def _segments(file: BufferedReader, name: str) -> Iterator[tuple[int, int, int]]:
    """Marker, start and length of the content of each segment up to the start of scan."""
    position = 2
    while True:
        file.seek(position)
        head = file.read(4)
        if len(head) < 4:
            return
        if head[0] != 0xFF:
            raise damaged(name, f"no JPEG marker at byte {position:,}")
        if head[1] == 0xFF or head[1] in _STANDALONE:
            position += 1 if head[1] == 0xFF else 2
            continue
        length = int.from_bytes(head[2:4])
        yield head[1], position + 4, max(0, length - 2)
        if head[1] == _START_OF_SCAN:
            return
        position += 2 + length
