"""GIF and BMP through Pillow: headers without pixels, pixels as gray or RGB with alpha."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import TYPE_CHECKING

import numpy as np

from passband.errors import InputError
from passband.media._faults import Header, cut_short, damaged, several

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGBA"}
_WITH_ALPHA = {"L": "LA", "RGB": "RGBA"}


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape and bit depth as the header gives them; no pixel is decoded."""
    with _opened(file, name) as image:
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise several(name, frames, "animation frames")
        shape = (len(_mode(image)), image.height, image.width)
        return Header(shape, 1 if image.mode == "1" else 8)


def decode(file: BufferedReader, name: str) -> np.ndarray:
    """Pixels as float32 (channels, height, width) on [0, 1]."""
    with _opened(file, name) as image:
        pixels = np.asarray(image.convert(_mode(image)))
    planes = np.moveaxis(pixels.reshape(*pixels.shape[:2], -1), 2, 0)
    return planes.astype(np.float32) / np.float32(255)


@contextmanager
def _opened(file: BufferedReader, name: str) -> Iterator["ImageFile"]:
    from PIL import Image  # noqa: PLC0415 - Pillow and its plugins take 40 ms to import
    from PIL.BmpImagePlugin import BmpImageFile  # noqa: PLC0415
    from PIL.GifImagePlugin import GifImageFile  # noqa: PLC0415

    file.seek(0)
    kind: type[ImageFile] = BmpImageFile if file.read(2) == b"BM" else GifImageFile
    file.seek(0)
    try:
        # Image.open() measures every picture against the process-wide MAX_IMAGE_PIXELS and warns
        # or raises. Building the format's own class skips that without touching the setting, which
        # other threads may rely on; `check_size` runs between the header and the pixels instead.
        with kind(file) as image:
            yield image
    except InputError:
        raise
    except (SyntaxError, EOFError, OSError, ValueError, LookupError, TypeError) as error:
        text = str(error).lower()
        if "truncated" in text or "end of" in text or isinstance(error, EOFError):
            raise cut_short(name, str(error) or "the file ends too early") from error
        raise damaged(name, error or type(error).__name__) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise damaged(name, error) from error  # a GIF frame far larger than its screen


def _mode(image: "ImageFile") -> str:
    mode = _MODES.get(image.mode, "RGB")
    return _WITH_ALPHA.get(mode, mode) if "transparency" in image.info else mode
