"""What a data set says of its pictures, before any of them is read."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Listing:
    """Files, cameras and extent as a format gives them, in float64 and OpenCV axes.

    Args:
        folder: of the data set.
        images: files of the pictures.
        masks: files of the masks, None where a picture has none.
        intrinsics: K (n, 3, 3), the centre of the first pixel at (0.5, 0.5).
        poses: (n, 4, 4) from the camera to the world; NaN where unknown.
        sizes: (n, 2) width and height that K is meant for, 0 where the format does not say.
        distortion: (n, 6) k1, k2, p1, p2, k3, k4, or None.
        to_world: similarity from the scene to the world, None where the format has no sphere.
        points: (m, 3) points of the scene in the world, or None.
        test: pictures the data set keeps for judging, none where it does not say.
        notes: what was skipped or assumed.
    """

    folder: Path
    images: tuple[Path, ...]
    masks: tuple[Path | None, ...]
    intrinsics: Floats
    poses: Floats
    sizes: NDArray[np.int64]
    distortion: Floats | None = None
    to_world: Floats | None = None
    points: Floats | None = None
    test: frozenset[int] = field(default_factory=frozenset)
    notes: tuple[str, ...] = ()

    def keep(self, kept: list[int], *notes: str) -> "Listing":
        """The pictures numbered ``kept`` only, and why in ``notes``."""
        return replace(
            self,
            images=tuple(self.images[i] for i in kept),
            masks=tuple(self.masks[i] for i in kept),
            intrinsics=self.intrinsics[kept],
            poses=self.poses[kept],
            sizes=self.sizes[kept],
            distortion=None if self.distortion is None else self.distortion[kept],
            test=frozenset(new for new, old in enumerate(kept) if old in self.test),
            notes=(*self.notes, *notes),
        )


def name_some(names: list[str], most: int = 3) -> str:
    """The first few of many names, for a line that a person reads."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
