"""What a file holds, from its first bytes and headers only."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

from passband.media import _exr, _flac, _jpeg, _mp3, _ogg, _pillow, _png, _tiff, _wav, _webp
from passband.media._faults import Header
from passband.media._mesh import read_mesh
from passband.media._open import open_input
from passband.media._sniff import KINDS, label, sniff

HEADERS: dict[str, Callable[[BufferedReader, str], Header]] = {
    "PNG": _png.read_header,
    "JPEG": _jpeg.read_header,
    "TIFF": _tiff.read_header,
    "EXR": _exr.read_header,
    "WEBP": _webp.read_header,
    "GIF": _pillow.read_header,
    "BMP": _pillow.read_header,
    "WAV": _wav.read_header,
    "FLAC": _flac.read_header,
    "OGG": _ogg.read_header,
    "MP3": _mp3.read_header,
}


@dataclass(frozen=True)
class MediaInfo:
    """What a file holds.

    Args:
        path: the file.
        kind: whether it is a picture, sound or a mesh.
        format: "PNG", "JPEG", "TIFF", "EXR", "WEBP", "GIF", "BMP", "WAV", "FLAC", "OGG" or "MP3",
            of a mesh "PLY", "OFF", "OBJ", "STL" or "GLB".
        shape: (channels, height, width) or (channels, time), as `read_image` and `read_audio` will
            give it; time is 0 where a FLAC stream leaves it open. Of a mesh (vertices, faces).
        sample_rate: in Hz; None but for audio.
        bit_depth: bits per sample as stored; None for lossy audio and meshes.
        watertight: whether no edge of a mesh is open; None for all else.
    """

    path: Path
    kind: Literal["image", "audio", "mesh"]
    format: str
    shape: tuple[int, ...]
    sample_rate: int | None
    bit_depth: int | None
    watertight: bool | None = None


def probe(path: str | os.PathLike[str]) -> MediaInfo:
    """Kind, format, shape and rate of a file, told by its content, whatever its suffix.

    No sample is decoded, and a body that is cut short is not noticed; meshes alone are read whole.

    Args:
        path: an image, a sound or a mesh file.

    Raises:
        InputError: the file is missing, unreadable, empty, of no known format, or its header is
            damaged.
        MissingDependencyError: a mesh, without trimesh.

    Example:
        >>> import tempfile, torch
        >>> from passband.media import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder) / "a.png", torch.zeros(3, 4, 5), bit_depth=16)
        ...     info = probe(Path(folder) / "a.png")
        >>> info.kind, info.format, info.shape, info.bit_depth
        ('image', 'PNG', (3, 4, 5), 16)
    """
    path = Path(path)
    with open_input(path) as file:
        format_ = sniff(file, path)
        if KINDS[format_] == "mesh":
            return _probe_mesh(path, format_)
        header = HEADERS[format_](file, label(path, format_))
    return MediaInfo(
        path=path,
        kind=KINDS[format_],
        format=format_,
        shape=header.shape,
        sample_rate=header.sample_rate,
        bit_depth=header.bit_depth,
    )


def _probe_mesh(path: Path, format_: str) -> MediaInfo:
    mesh = read_mesh(path)
    shape = (len(mesh.vertices), len(mesh.faces))
    return MediaInfo(path, "mesh", format_, shape, None, None, mesh.watertight)
