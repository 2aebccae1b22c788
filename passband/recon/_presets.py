"""Scenes for the memory and the patience of a machine."""

from typing import Any

from passband.errors import InputError
from passband.recon._merging import merged

_LAPTOP: dict[str, Any] = {
    "target": {"max_side": 400},
    "surface": {
        "kind": "grid",
        "encoding": {
            "kind": "hashgrid",
            "log2_hashmap_size": 15,
            "finest_resolution": 384,
            "coarse_to_fine": 0.3,
        },
    },
    "opacity": {"kind": "scheduled_neus", "first": 100.0, "last": 2000.0},
    "sampler": {"kind": "cached_grid", "count": 20, "resolution": 128},
    "losses": {"mask": 0.3},
    "training": {"seconds": 900.0, "rays": 2000},
}


def _gpu(table: int, finest: int, rays: int, count: int, grid: int) -> dict[str, Any]:
    return {
        "surface": {
            "kind": "grid",
            "encoding": {
                "kind": "hashgrid",
                "log2_hashmap_size": table,
                "finest_resolution": finest,
                "coarse_to_fine": 0.3,
            },
            "color": {"degree": 4},
        },
        "sampler": {"kind": "cached_grid", "count": count, "resolution": grid},
        "training": {"seconds": 300.0, "rays": rays},
    }


PRESETS: dict[str, dict[str, Any]] = {
    "laptop": _LAPTOP,
    "8gb": _gpu(19, 1024, 8192, 48, 192),
    "24gb": _gpu(20, 2048, 16384, 64, 256),
    "80gb": _gpu(22, 2048, 65536, 64, 256),
}


def with_preset(plain: dict[str, Any], name: str) -> dict[str, Any]:
    """The scene ``plain``, with the settings of a preset where it has none of its own.

    A table whose ``kind`` is another than the preset's stays as it is.

    Args:
        plain: what the TOML file holds.
        name: ``laptop``: two cores and a quarter of an hour; ``8gb``, ``24gb``, ``80gb``: the
            memory of a GPU, five minutes.

    Raises:
        InputError: there is no such preset.

    Example:
        >>> scene = with_preset({"training": {"seconds": 60}}, "laptop")
        >>> scene["training"]
        {'seconds': 60, 'rays': 2000}
    """
    if name not in PRESETS:
        raise InputError(f"`--preset` (={name}) must be one of {', '.join(PRESETS)}.")
    return merged(PRESETS[name], plain)
