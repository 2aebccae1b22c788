"""Tell a file's format from its first bytes, never from its suffix."""

import re
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Literal

from passband.errors import InputError
from passband.media._open import file_size

KINDS: dict[str, Literal["image", "audio", "mesh"]] = {
    "PNG": "image",
    "JPEG": "image",
    "TIFF": "image",
    "EXR": "image",
    "WEBP": "image",
    "GIF": "image",
    "BMP": "image",
    "WAV": "audio",
    "FLAC": "audio",
    "OGG": "audio",
    "MP3": "audio",
    "PLY": "mesh",
    "OFF": "mesh",
    "OBJ": "mesh",
    "STL": "mesh",
    "GLB": "mesh",
}
SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".exr": "EXR",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".wav": "WAV",
    ".wave": "WAV",
    ".flac": "FLAC",
    ".ogg": "OGG",
    ".oga": "OGG",
    ".opus": "OGG",
    ".mp3": "MP3",
    ".ply": "PLY",
    ".off": "OFF",
    ".obj": "OBJ",
    ".stl": "STL",
    ".glb": "GLB",
}
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"v/1\x01", "EXR"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"fLaC", "FLAC"),
    (b"OggS", "OGG"),
    (b"ply\n", "PLY"),
    (b"ply\r", "PLY"),
    (b"glTF", "GLB"),
)
_OFF = re.compile(rb"\s*(ST)?C?N?4?OFF\s")
_OBJ_WORDS = {b"v", b"vt", b"vn", b"vp", b"f", b"l", b"o", b"g", b"s", b"mtllib", b"usemtl"}
_BMP_HEADER_SIZES = {n.to_bytes(4, "little") for n in (12, 40, 52, 56, 64, 108, 124)}
_TO_WAV = "Convert it first, e.g. ffmpeg -i in.{0} out.wav."
_TO_PNG = "Convert it to PNG first."
_KNOWN_OTHERS = (
    (0, b"version https://git-lfs", "a Git LFS pointer", "Fetch the file with git lfs pull."),
    (4, b"ftypM4A", "M4A (AAC) audio", _TO_WAV.format("m4a")),
    (4, b"ftyphei", "a HEIC image", _TO_PNG),
    (4, b"ftypmif1", "a HEIF image", _TO_PNG),
    (4, b"ftypavif", "an AVIF image", _TO_PNG),
    (4, b"ftyp", "an MP4 or QuickTime container", "For its sound: ffmpeg -i in.mp4 out.wav."),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM container", _TO_WAV.format("webm")),
    (0, b"FORM", "AIFF audio", _TO_WAV.format("aiff")),
    (0, b"#?RADIANCE", "a Radiance HDR image", "Convert it to EXR first."),
    (0, b"\x93NUMPY", "a NumPy array", "Write it with passband.media first."),
    (0, b"PK\x03\x04", "a ZIP archive", "Unpack it first."),
    (0, b"\x1f\x8b", "gzip data", "Unpack it first."),
    (0, b"%PDF", "a PDF document", "Export the picture from it first."),
)


def sniff(file: BufferedReader, path: Path) -> str:
    """The format of an open file, one of `KINDS`, or `InputError` saying what it holds instead."""
    file.seek(0)
    head = file.read(1024)
    for magic, format_ in _MAGIC:
        if head.startswith(magic):
            return format_
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        if head[8:12] == b"WAVE":
            return "WAV"
        if head[8:12] == b"WEBP":
            return "WEBP"
    # "BM" alone could open any text, so the size of the header that follows must be known too.
    if head[:2] == b"BM" and head[14:18] in _BMP_HEADER_SIZES:
        return "BMP"
    if head[:3] == b"ID3":
        return "FLAC" if _after_id3(file, head) == b"fLaC" else "MP3"
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # sync word and layer III
        return "MP3"
    if (mesh := _mesh_format(file, head, path)) is not None:
        return mesh
    raise _unknown(path, head)


def id3_size(head: bytes) -> int:
    """Bytes of the ID3v2 tag that ``head`` opens with (its size is four times seven bits)."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + (20 if head[5] & 0x10 else 10)


def label(path: Path, format_: str) -> str:
    """``path``, with the format in brackets where the suffix says another one."""
    promised = SUFFIXES.get(path.suffix.lower(), format_)
    return str(path) if promised == format_ else f"{path} (a {format_} file named {path.suffix})"


def _after_id3(file: BufferedReader, head: bytes) -> bytes:
    file.seek(id3_size(head))
    return file.read(4)


def _mesh_format(file: BufferedReader, head: bytes, path: Path) -> str | None:
    """OFF, OBJ or STL, none of which has a magic number; None if it is none of them."""
    if _OFF.match(head):
        return "OFF"
    # Binary STL is told by its length: 80 free bytes, a count, 50 bytes per triangle.
    if len(head) >= 84 and file_size(file) == 84 + 50 * int.from_bytes(head[80:84], "little"):
        return "STL"
    if not _is_text(head):
        return None
    if head.lstrip()[:5] == b"solid" and b"facet" in head:
        return "STL"
    lines = [line.split() for line in head.split(b"\n")[: -1 if len(head) == 1024 else None]]
    words = {line[0] for line in lines if line and not line[0].startswith(b"#")}
    return "OBJ" if words <= _OBJ_WORDS and (words or path.suffix.lower() == ".obj") else None


def _unknown(path: Path, head: bytes) -> InputError:
    what, cure = _describe(head)
    named = path.suffix.lower() in SUFFIXES
    return InputError(
        f"{path} holds {what}{f', though it is named {path.suffix}' if named else ''}. "
        f"Images (PNG, JPEG, TIFF, EXR, WebP, GIF, BMP), audio (WAV, FLAC, OGG, MP3) and meshes "
        f"(OBJ, OFF, PLY, STL, GLB) are read. {cure}"
    )


def _describe(head: bytes) -> tuple[str, str]:
    for offset, magic, what, cure in _KNOWN_OTHERS:
        if head[offset : offset + len(magic)] == magic:
            return what, cure
    if head.lstrip()[:1] == b"<":
        return "a web page or other markup", "It may be a failed download; fetch it again."
    if _is_text(head):
        return "text", "Check the path."
    return f"data of no known format (it begins {head[:8].hex(' ')})", "Check the path."


def _is_text(head: bytes) -> bool:
    """Whether the bytes are UTF-8 without control characters; the last character may be cut."""
    for end in range(len(head), max(0, len(head) - 4), -1):
        with suppress(UnicodeDecodeError):
            return all(c.isprintable() or c in "\t\r\n\f" for c in head[:end].decode("utf-8"))
    return False
