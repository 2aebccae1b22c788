"""Turn pictures the way their orientation tag (EXIF and TIFF tag 274, values 1 to 8) asks."""

import struct

import numpy as np

# For each value: whether the rows and columns are exchanged first, then which axes are reversed.
_TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
TAG = 274


def oriented_shape(shape: tuple[int, int, int], orientation: int) -> tuple[int, int, int]:
    """The (channels, height, width) that `orient` will give."""
    channels, height, width = shape
    return (channels, width, height) if orientation in (5, 6, 7, 8) else shape


def orient(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """``pixels`` (channels, height, width) upright; values outside 1 to 8 mean as stored."""
    exchange, upside_down, mirrored = _TURNS.get(orientation, (False, False, False))
    turned = pixels.swapaxes(1, 2) if exchange else pixels
    return turned[:, :: -1 if upside_down else 1, :: -1 if mirrored else 1]


def exif_orientation(exif: bytes) -> int:
    """The orientation tag of the first directory of an EXIF block, 1 where there is none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, entry)
            if tag == TAG:
                return int(value)
    except struct.error:
        pass
    return 1
