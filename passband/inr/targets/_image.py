"""Pictures as targets."""

from pathlib import Path

import torch

from passband.errors import InputError
from passband.inr.targets._grid import GridTarget, SignalInfo
from passband.media import read_image

_PREFIX = "skimage:"


def image_target(path: str, *, max_samples: int = 2**27) -> GridTarget:
    """The picture at ``path``, ready to be fitted.

    8- and 16-bit pictures map [0, 1] to [-1, 1]; unbounded ones (EXR, float TIFF) are scaled by
    their own extremes.

    Args:
        path: a file, or ``skimage:NAME`` for a picture that ships inside scikit-image.
        max_samples: largest width x height x channels that is read.

    Raises:
        InputError: the file cannot be read, or the picture has fewer than 2 samples on each axis.

    Example:
        >>> target = image_target("skimage:astronaut")
        >>> target.info.channels, target.info.size
        (3, (512, 512))
    """
    image = read_image(bundled_image(path), max_samples=max_samples)
    height, width = image.pixels.shape[1:]
    if min(height, width) < 2:
        raise InputError(
            f"{path} is {width}x{height}: a field needs at least 2 samples along each axis. "
            "Pass a larger picture."
        )
    low, high = (float(value) for value in torch.aminmax(image.pixels))
    bounded = image.format != "EXR" and low >= 0.0 and high <= 1.0
    center = 0.5 if bounded else (low + high) / 2
    scale = 0.5 if bounded else max((high - low) / 2, torch.finfo(torch.float32).tiny)
    info = SignalInfo(
        kind="image",
        source=path,
        channels=image.pixels.shape[0],
        size=(height, width),
        center=center,
        scale=scale,
        bounded=bounded,
        bit_depth=image.bit_depth,
    )
    return GridTarget(info, (image.pixels - center) / scale)


def bundled_image(path: str) -> Path:
    """``path`` as a file; ``skimage:NAME`` becomes the picture of that name in scikit-image.

    Raises:
        InputError: scikit-image ships no picture of that name.

    Example:
        >>> bundled_image("skimage:astronaut").name
        'astronaut.png'
    """
    if not path.startswith(_PREFIX):
        return Path(path)
    import skimage  # noqa: PLC0415  only these paths need it

    name = path.removeprefix(_PREFIX)
    folder = Path(skimage.__file__).parent / "data"
    pictures = {file.stem: file for file in folder.iterdir() if file.suffix in (".png", ".jpg")}
    if name not in pictures:
        raise InputError(
            f"`target.path` (={path}): scikit-image ships no such picture. "
            f"Allowed: {', '.join(sorted(pictures))}."
        )
    return pictures[name]
