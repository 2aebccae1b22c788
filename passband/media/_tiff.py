"""TIFF and BigTIFF of 1 to 16-bit integers and floats: header, decoding, encoding."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from passband.errors import InputError
from passband.media._faults import Header, cut_short, damaged, several, unsupported
from passband.media._open import file_size
from passband.media._orientation import TAG, orient, oriented_shape

if TYPE_CHECKING:
    from tifffile import TiffPage

# tifffile reports damage to its logger, which without a handler prints to stderr; the faults are
# raised here as errors instead.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_UNSIGNED, _FLOAT = 1, 3
_KINDS = {1: "unsigned", 2: "signed", 5: "complex integer", 6: "complex"}
_JPEG_COMPRESSIONS = (6, 7)
_REDUCED_OR_MASK = 0b101


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape and bit depth from the directory; no pixel is decoded."""
    with _opened(file, name) as page:
        channels = {_PALETTE: 3, _CMYK: 3}.get(page.photometric, page.samplesperpixel)
        stored = (int(channels), int(page.imagelength), int(page.imagewidth))
        depth = 8 if page.photometric == _PALETTE else int(page.bitspersample)
        return Header(oriented_shape(stored, _orientation(page)), depth)


def decode(file: BufferedReader, name: str) -> np.ndarray:
    """Pixels as float32 (channels, height, width); integers on [0, 1], floats as they are."""
    with _opened(file, name) as page:
        size = file_size(file)
        ends = [a + n for a, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if not ends or max(ends) > size:
            raise cut_short(name, f"its pixels reach to byte {max(ends, default=0):,} of {size:,}")
        stored = page.asarray(maxworkers=1)
        if page.planarconfig == 2:
            planes = stored.reshape(page.samplesperpixel, page.imagelength, page.imagewidth)
        else:
            planes = stored.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
            planes = np.moveaxis(planes, 2, 0)
        return orient(_to_float(planes, page), _orientation(page))


def encode(pixels: np.ndarray) -> bytes:
    """Zlib-compressed TIFF file of uint8, uint16 or float32 (height, width, channels)."""
    import tifffile  # noqa: PLC0415 - takes 35 ms to import

    channels = pixels.shape[2]
    buffer = BytesIO()
    tifffile.imwrite(
        buffer,
        pixels[..., 0] if channels == 1 else pixels,
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig=None if channels == 1 else "contig",
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        metadata=None,
        software=False,
    )
    return buffer.getvalue()


@contextmanager
def _opened(file: BufferedReader, name: str) -> Iterator["TiffPage"]:
    import tifffile  # noqa: PLC0415 - takes 35 ms to import

    file.seek(0)
    if file_size(file) < 8:
        raise cut_short(name, "the file ends inside its header")
    try:
        with tifffile.TiffFile(file) as tiff:
            yield _only_page(tiff, name)
    except InputError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # damage surfaces as anything: KeyError, struct.error, codec errors
        raise damaged(name, error or type(error).__name__) from error


def _only_page(tiff: Any, name: str) -> "TiffPage":
    """The one full-size picture; thumbnails and masks beside it do not count."""
    pages = [page for page in tiff.pages if not page.subfiletype & _REDUCED_OR_MASK]
    if len(pages) > 1:
        raise several(name, len(pages), "pages")
    if not pages:
        raise cut_short(name, "its directory of pages lies beyond its end")
    page: TiffPage = pages[0]
    if page.imagedepth > 1:
        raise several(name, page.imagedepth, "slices")
    photometric, samples = page.photometric, page.samplesperpixel
    readable = {
        _WHITE_IS_ZERO: samples <= 2,
        _BLACK_IS_ZERO: samples <= 4,
        _RGB: samples in (3, 4),
        _PALETTE: samples == 1 and page.colormap is not None,
        _CMYK: samples == 4,
        _YCBCR: samples == 3 and page.compression in _JPEG_COMPRESSIONS,
    }
    if not readable.get(photometric, False):
        kind = getattr(photometric, "name", photometric)
        raise unsupported(
            name, f"holds {samples} samples per pixel as {kind}", "Convert it to gray or RGB."
        )
    integer = page.sampleformat == _UNSIGNED and page.bitspersample <= 16
    if not integer and page.sampleformat != _FLOAT:
        kind = _KINDS.get(page.sampleformat, "unknown")
        raise unsupported(
            name, f"holds {page.bitspersample}-bit {kind} samples", "Convert it to 16-bit or float."
        )
    return page


def _to_float(planes: np.ndarray, page: "TiffPage") -> np.ndarray:
    if page.photometric == _PALETTE:
        assert page.colormap is not None  # checked with the directory
        # Writers store 8-bit levels times 256 or 257, old ones as they are.
        levels = page.colormap >> 8 if page.colormap.max() > 255 else page.colormap
        return levels[:, planes[0]].astype(np.float32) / np.float32(255)
    with np.errstate(over="ignore"):  # a double beyond float32 is told as infinite by the caller
        values = planes.astype(np.float32)
    if page.sampleformat == _UNSIGNED:
        values /= np.float32(2**page.bitspersample - 1)
    if page.photometric == _WHITE_IS_ZERO:
        values[0] = 1 - values[0]
    if page.photometric == _CMYK:
        return (1 - values[:3]) * (1 - values[3:])
    return values


def _orientation(page: "TiffPage") -> int:
    tag = page.tags.get(TAG)
    return 1 if tag is None else int(tag.value)
