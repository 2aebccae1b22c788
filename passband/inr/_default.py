"""The scene that a bare picture or sound gets."""

import math
from pathlib import Path

from passband.inr._scene import (
    Adam,
    AudioScene,
    AudioTargetSettings,
    FieldSettings,
    ImageScene,
    ImageTargetSettings,
    Scene,
    ShapeScene,
    ShapeTargetSettings,
    TrainingSettings,
)
from passband.inr.settings import HashGridEncoding
from passband.media import MediaInfo

_SHAPE_TABLE = 15  # log2 of the entries of a level, whatever the mesh: detail costs little more
_SHAPE_STEPS = 1500
_SHAPE_RATE = 2e-2  # of the grid; the network behind it has an eighth


def default_scene(media: MediaInfo, path: str | None = None) -> Scene:
    """A spectrum-matched hash grid sized to the signal, for the file that ``media`` describes.

    The table has about one entry per 16 samples and level, which for a 512x512 picture makes
    300,000 parameters; for a mesh, 2^15 entries per level.

    Args:
        media: what :func:`passband.media.probe` found.
        path: what the scene calls the target, such as ``skimage:astronaut``; the file by default.

    Example:
        >>> from passband.inr.targets import bundled_image
        >>> from passband.media import probe
        >>> default_scene(probe(bundled_image("skimage:astronaut"))).field.encoding.kind
        'hashgrid'
    """
    path = path or str(Path(media.path).absolute())
    if media.kind == "mesh":
        return ShapeScene(
            target=ShapeTargetSettings(path=path),
            field=FieldSettings(encoding=HashGridEncoding(log2_hashmap_size=_SHAPE_TABLE)),
            training=TrainingSettings(steps=_SHAPE_STEPS, optimizer=Adam(lr=_SHAPE_RATE)),
        )
    count = math.prod(media.shape[1:])
    encoding = HashGridEncoding(log2_hashmap_size=table_size(count))
    if media.kind == "image":
        target = ImageTargetSettings(path=path)
        return ImageScene(target=target, field=FieldSettings(encoding=encoding))
    return AudioScene(target=AudioTargetSettings(path=path), field=FieldSettings(encoding=encoding))


def table_size(count: int) -> int:
    """log2 of a hash table's entries for a signal of ``count`` samples, 8 to 20.

    Example:
        >>> table_size(512 * 512)
        14
    """
    return min(20, max(8, math.ceil(math.log2(max(count, 1) / 16))))
