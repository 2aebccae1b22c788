"""Read and write images as float tensors (channels, height, width)."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from passband.atomic import write_bytes_atomic
from passband.errors import InputError
from passband.media import _exr, _jpeg, _pillow, _png, _tiff, _webp
from passband.media._faults import check_finite, check_size
from passband.media._open import open_input
from passband.media._probe import HEADERS
from passband.media._sniff import KINDS, SUFFIXES, label, sniff
from passband.media._values import as_array, to_unsigned

_DECODERS: dict[str, Callable[[BufferedReader, str], np.ndarray]] = {
    "PNG": _png.decode,
    "JPEG": _jpeg.decode,
    "TIFF": _tiff.decode,
    "EXR": _exr.decode,
    "WEBP": _webp.decode,
    "GIF": _pillow.decode,
    "BMP": _pillow.decode,
}
_ENCODERS: dict[str, Callable[[np.ndarray], bytes]] = {
    "PNG": _png.encode,
    "JPEG": _jpeg.encode,
    "TIFF": _tiff.encode,
    "EXR": _exr.encode,
}
_BIT_DEPTHS = {"PNG": (8, 16), "JPEG": (8,), "TIFF": (8, 16, 32), "EXR": (16, 32)}
_AXES = ("channel", "row", "column")


@dataclass(frozen=True, eq=False)
class Image:
    """A picture.

    Args:
        pixels: gray (1 channel), gray and alpha (2), RGB (3) or RGBA (4); on [0, 1] where the file
            stores integers, linear and unbounded where it stores floats.
        bit_depth: bits per sample in the file.
        format: "PNG", "JPEG", "TIFF", "EXR", "WEBP", "GIF" or "BMP".
    """

    pixels: Float32[Tensor, "channels height width"]
    bit_depth: int
    format: str


def read_image(path: str | os.PathLike[str], *, max_samples: int = 2**27) -> Image:
    """The picture in a file, its integers divided by their largest value.

    The format is told by the content. All 16 bits of PNG and TIFF are kept; palettes become RGB
    (with alpha where the palette has it), CMYK becomes RGB by (1 - C)(1 - K), and an orientation
    stored in the file is applied. Colour profiles are not. Of an EXR file R, G, B (and A) are
    read where there are such channels, else Y (and A), else up to four in sorted order.

    Args:
        path: PNG, JPEG, TIFF, OpenEXR, WebP, GIF or BMP file holding one picture.
        max_samples: the most numbers (channels x height x width) to take memory for.

    Returns:
        `Image` with float32 pixels of shape (channels, height, width).

    Raises:
        InputError: the file is missing, unreadable, empty, cut short, damaged, too large, of
            another kind, holds several pictures, or holds NaN or infinite samples.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder) / "a.png", torch.full((1, 2, 3), 0.5), bit_depth=16)
        ...     image = read_image(Path(folder) / "a.png")
        >>> image.pixels.shape, image.bit_depth, round(image.pixels[0, 0, 0].item() * 65535)
        (torch.Size([1, 2, 3]), 16, 32768)

    Agrees with pypng, Pillow, imageio and OpenEXR to the last bit.
    """
    path = Path(path)
    with open_input(path) as file:
        format_ = sniff(file, path)
        name = label(path, format_)
        if KINDS[format_] != "image":
            raise InputError(
                f"{name} holds {KINDS[format_]} ({format_}), not an image. Pass an image file."
            )
        header = HEADERS[format_](file, name)
        check_size(name, header, max_samples)
        pixels = _DECODERS[format_](file, name)
    check_finite(name, pixels, _AXES)
    assert header.bit_depth is not None  # every image format states it
    tensor = torch.from_numpy(np.ascontiguousarray(pixels, np.float32))
    return Image(tensor, header.bit_depth, format_)


def write_image(
    path: str | os.PathLike[str],
    pixels: Float[Tensor, "channels height width"] | Float[np.ndarray, "channels height width"],
    *,
    bit_depth: int | None = None,
) -> None:
    """Write a picture whole or not at all, in the format its suffix names.

    Integers are ``round(x (2^bit_depth - 1))`` for x clipped to [0, 1]; EXR and 32-bit TIFF hold
    floats as they are. JPEG is written at quality 95 with colour at full resolution.

    Args:
        path: .png (8 or 16 bits), .jpg (8), .tif (8, 16 or 32) or .exr (16 or 32).
        pixels: 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA) channels; JPEG takes no alpha.
        bit_depth: bits per sample; by default the fewest the format has.

    Raises:
        InputError: an unknown suffix, or pixels or a depth the format cannot hold.
        OutputError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder) / "a.exr", torch.full((3, 2, 2), 7.5))
        ...     read_image(Path(folder) / "a.exr").pixels.max().item()
        7.5
    """
    format_ = SUFFIXES.get(Path(path).suffix.lower(), "")
    if format_ not in _ENCODERS:
        raise InputError(
            f"{path} ends in {Path(path).suffix or 'no suffix'!r}; images are written as "
            f".png, .jpg, .tif or .exr. Choose one of these."
        )
    depth = _BIT_DEPTHS[format_][0] if bit_depth is None else bit_depth
    if depth not in _BIT_DEPTHS[format_]:
        allowed = " or ".join(str(bits) for bits in _BIT_DEPTHS[format_])
        raise InputError(
            f"`bit_depth` (={depth}) of {format_} must be {allowed}. Pass one of these."
        )
    planes = as_array(pixels, "pixels", ("channels", "height", "width"))
    _check_channels(planes, format_)
    stored = _to_stored(planes, format_, depth)
    # A copy, since codecs refuse the strides that axes of length 1 keep after a move.
    write_bytes_atomic(path, _ENCODERS[format_](np.moveaxis(stored, 0, 2).copy()))


def _check_channels(planes: np.ndarray, format_: str) -> None:
    channels = planes.shape[0]
    if channels > 4:
        raise InputError(
            f"`pixels` (of shape {planes.shape}) must have 1 to 4 channels, first. "
            f"Move them there, e.g. with pixels.permute(2, 0, 1)."
        )
    if format_ == "JPEG" and channels in (2, 4):
        raise InputError(
            f"`pixels` (of {channels} channels) must be gray or RGB: JPEG holds no alpha. "
            f"Write .png, or drop the last channel."
        )


def _to_stored(planes: np.ndarray, format_: str, depth: int) -> np.ndarray:
    if depth == 32:
        return _checked_cast(planes, np.float32)
    if format_ == "EXR":
        return _checked_cast(planes, np.float16)
    return to_unsigned(planes, depth)


def _checked_cast(planes: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    with np.errstate(over="ignore"):
        cast = planes.astype(dtype)
    if not np.isfinite(cast).all():
        raise InputError(
            f"`pixels` (up to {np.abs(planes).max():g}) must be at most {np.finfo(dtype).max:g} in "
            f"{np.finfo(dtype).bits}-bit floats. Scale them, or write .exr with bit_depth=32."
        )
    return cast
