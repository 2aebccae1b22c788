"""OpenEXR pictures of half and float channels: header, decoding, encoding."""

import struct
import zlib
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import numpy as np

from passband.media._faults import Header, cut_short, damaged, several, unsupported
from passband.media._open import file_size

_UINT, _HALF, _FLOAT = 0, 1, 2
_TILED, _DEEP, _MULTIPART = 0x200, 0x800, 0x1000
_ROWS_PER_BLOCK = 16  # of ZIP compression
_ZIP = 3
_HEADER_LIMIT = 2**24  # bytes; real headers are a few hundred
_NAMES = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}


class _Layout(NamedTuple):
    channels: dict[str, int]  # pixel type by name, in the order of the planes
    width: int
    height: int
    chunks: int  # where the table of chunk offsets begins
    flags: int


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape and bit depth from the attributes; a cut body is not noticed here."""
    layout = _layout(file, name)
    depth = 16 if set(layout.channels.values()) == {_HALF} else 32
    return Header((len(layout.channels), layout.height, layout.width), depth)


def decode(file: BufferedReader, name: str) -> np.ndarray:
    """Pixels of the data window as float32 (channels, height, width), linear and unbounded."""
    import OpenEXR  # noqa: PLC0415 - takes 90 ms to import

    layout = _layout(file, name)
    _require_all_chunks(file, name, layout)
    try:
        with OpenEXR.File(str(Path(file.name)), separate_channels=True) as exr:
            stored = exr.channels()
            planes = [stored[channel].pixels for channel in layout.channels]
    except (RuntimeError, ValueError, KeyError) as error:
        raise damaged(name, "its pixels cannot be decoded") from error
    return np.stack([plane.astype(np.float32) for plane in planes])


def encode(pixels: np.ndarray) -> bytes:
    """ZIP-compressed EXR file of float16 or float32 (height, width, channels).

    Written out here because the library writes to a path only, and there does not always notice a
    full disk.

    Reference: OpenEXR, *File Layout*, https://openexr.com/en/latest/OpenEXRFileLayout.html.
    """
    height, width, channels = pixels.shape
    names = _NAMES[channels]
    kind = _HALF if pixels.dtype == np.float16 else _FLOAT
    chlist = b"".join(_text(name) + struct.pack("<iB3xii", kind, 0, 1, 1) for name in sorted(names))
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    header = b"".join(
        (
            struct.pack("<II", 20000630, 2),  # magic number, version 2 without flags
            _attribute("channels", "chlist", chlist + b"\0"),
            _attribute("compression", "compression", bytes([_ZIP])),
            _attribute("dataWindow", "box2i", window),
            _attribute("displayWindow", "box2i", window),
            _attribute("lineOrder", "lineOrder", b"\0"),
            _attribute("pixelAspectRatio", "float", struct.pack("<f", 1)),
            _attribute("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
            _attribute("screenWindowWidth", "float", struct.pack("<f", 1)),
            b"\0",
        )
    )
    order = [names.index(name) for name in sorted(names)]
    rows = np.ascontiguousarray(pixels[..., order].swapaxes(1, 2))  # (height, channels, width)
    blocks = [
        (y, _zip_block(rows[y : y + _ROWS_PER_BLOCK].tobytes()))
        for y in range(0, height, _ROWS_PER_BLOCK)
    ]
    chunks = [struct.pack("<ii", y, len(block)) + block for y, block in blocks]
    first = len(header) + 8 * len(chunks)
    offsets = np.cumsum([first] + [len(chunk) for chunk in chunks[:-1]])
    return b"".join((header, offsets.astype("<u8").tobytes(), *chunks))


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return _text(name) + _text(kind) + struct.pack("<i", len(value)) + value


def _zip_block(raw: bytes) -> bytes:
    """EXR's ZIP: even bytes, then odd ones, as differences plus 128, deflated if smaller."""
    flat = np.frombuffer(raw, np.uint8)
    halves = np.concatenate((flat[0::2], flat[1::2]))
    deltas = halves.copy()
    deltas[1:] = halves[1:] - halves[:-1] + np.uint8(128)
    packed = zlib.compress(deltas.tobytes())
    return packed if len(packed) < len(raw) else raw


def _layout(file: BufferedReader, name: str) -> _Layout:
    file.seek(4)
    (flags,) = struct.unpack("<I", file.read(4).ljust(4, b"\0"))
    if flags & _DEEP:
        raise unsupported(name, "holds deep samples", "Flatten it first.")
    head = file.read(min(_HEADER_LIMIT, file_size(file)))
    try:
        attributes, end = _attributes(head, 0)
        if flags & _MULTIPART and head[end : end + 1] != b"\0":
            raise several(name, _count_parts(head), "parts")
        left, top, right, bottom = struct.unpack("<4i", attributes[b"dataWindow"])
        channels = _channels(attributes[b"channels"], name)
    except KeyError as error:
        raise damaged(name, f"its header lacks {error.args[0].decode()}") from error
    except (struct.error, IndexError) as error:
        raise cut_short(name, "the file ends inside its header") from error
    width, height = max(0, right - left + 1), max(0, bottom - top + 1)
    return _Layout(channels, width, height, 8 + end + bool(flags & _MULTIPART), flags)


def _attributes(head: bytes, position: int) -> tuple[dict[bytes, bytes], int]:
    """The attributes of one header and where it ends; IndexError where the bytes end first."""
    found: dict[bytes, bytes] = {}
    while head[position] != 0:
        parts = head[position : position + 512].split(b"\0", 2)
        if len(parts) < 3:
            raise IndexError
        attribute, kind, _ = parts
        position += len(attribute) + len(kind) + 2
        (size,) = struct.unpack_from("<i", head, position)
        position += 4 + size
        if size < 0 or position > len(head):
            raise IndexError
        found[attribute] = head[position - size : position]
    return found, position + 1


def _count_parts(head: bytes) -> int:
    count, position = 0, 0
    while head[position] != 0:
        _, position = _attributes(head, position)
        count += 1
    return count


def _channels(chlist: bytes, name: str) -> dict[str, int]:
    """Pixel types of the channels to read, by name: R, G, B, A or Y, A, else up to four sorted."""
    types: dict[str, int] = {}
    position = 0
    while chlist[position] != 0:
        channel = chlist[position:].split(b"\0", 1)[0]
        position += len(channel) + 1
        kind, x_step, y_step = struct.unpack_from("<i4xii", chlist, position)
        position += 16
        if (x_step, y_step) != (1, 1):
            raise unsupported(name, "holds subsampled channels", "Convert it to RGB.")
        types[channel.decode(errors="replace")] = kind
    for base in ("RGB", "Y"):
        if set(base) <= set(types):
            chosen = [*base, *(["A"] if "A" in types else [])]
            break
    else:
        rank = {"R": 0, "G": 1, "B": 2, "A": 3}
        chosen = sorted(types, key=lambda channel: (rank.get(channel, 4), channel))
    if len(chosen) > 4:
        listed = ", ".join(chosen[:8]) + (", ..." if len(chosen) > 8 else "")
        raise unsupported(
            name, f"holds {len(chosen)} channels ({listed})", "Keep R, G, B, A or up to four."
        )
    if _UINT in (types[channel] for channel in chosen):
        raise unsupported(name, "holds integer (UINT) channels", "Convert it to half or float.")
    return {channel: types[channel] for channel in chosen}


def _require_all_chunks(file: BufferedReader, name: str, layout: _Layout) -> None:
    """Refuse a file that ends before a chunk its table promises.

    The library would, too, after printing to stderr. The table ends where the first chunk begins.
    """
    size = file_size(file)
    leader = 20 if layout.flags & _TILED else 8
    part = 4 if layout.flags & _MULTIPART else 0
    position, first = layout.chunks, size
    while position < first:
        file.seek(position)
        entry = file.read(8)
        offset = int.from_bytes(entry, "little")
        if len(entry) < 8 or offset <= position or offset + part + leader > size:
            raise cut_short(name, "its table of chunks points beyond its end")
        file.seek(offset + part + leader - 4)
        length = int.from_bytes(file.read(4), "little")
        if offset + part + leader + length > size:
            raise cut_short(
                name, f"a chunk reaches to byte {offset + leader + length:,} of {size:,}"
            )
        first = min(first, offset)
        position += 8
