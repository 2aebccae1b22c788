"""The hash grid of tiny-cuda-nn itself, where its torch binding is installed."""

import math
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from passband.errors import InputError, MissingDependencyError
from passband.inr.kernels.hashgrid._layout import HashGridLayout, _level_scale

_INSTALL = "pip install git+https://github.com/NVlabs/tiny-cuda-nn/#subdirectory=bindings/torch"
_WIDTHS = (1, 2, 4, 8)  # features per level that tiny-cuda-nn is compiled for
_DIMENSIONS = (2, 3, 4)
_STEPS = 64  # float32 values around an estimate of the growth that are tried


def encode(x01: Tensor, table: Tensor, layout: HashGridLayout) -> Tensor:
    """Features of each level, side by side, differentiated by tiny-cuda-nn's own backward.

    The table is tiny-cuda-nn's parameter vector, row after row. It computes in the half precision
    it is compiled for; results and gradients come in the dtype of ``table``.
    """
    if find_spec("tinycudann") is None:
        raise MissingDependencyError(
            f"`backend` (='tcnn') needs tinycudann, which is not installed. Run: {_INSTALL}"
        )
    if x01.device.type != "cuda" or table.device != x01.device:
        raise InputError(
            f"`backend` (='tcnn') needs tensors on one CUDA GPU; `x01` is on {x01.device} and "
            f"`table` on {table.device}. Use backend='reference'."
        )
    # Its binding reports a missing GPU when it is imported, and torch before it: only now.
    module = _module(layout, x01.device)
    parameters = {"params": parameters_from_table(table)}
    encoded: Tensor = torch.func.functional_call(module, parameters, (x01.float(),))
    return encoded[:, : layout.out_features].to(table.dtype)


def parameters_from_table(table: Tensor) -> Tensor:
    """tiny-cuda-nn's parameters (entries * features,) of a table: level after level, row by row."""
    return table.reshape(-1).float()


def table_from_parameters(parameters: Tensor, layout: HashGridLayout) -> Tensor:
    """The table (entries, features) in tiny-cuda-nn's parameters of a grid of the same layout."""
    return parameters.reshape(layout.total_entries, layout.n_features_per_level)


@lru_cache(maxsize=16)
def _module(layout: HashGridLayout, device: torch.device) -> torch.nn.Module:
    tinycudann: Any = import_module("tinycudann")
    with torch.cuda.device(device):
        module: torch.nn.Module = tinycudann.Encoding(layout.in_features, configuration(layout))
    wanted = layout.total_entries * layout.n_features_per_level
    found = sum(parameter.numel() for parameter in module.parameters())
    if found != wanted:
        raise InputError(
            f"tiny-cuda-nn lays this grid out in {found} parameters and not in {wanted}. "
            f"Use backend='cuda'."
        )
    return module.to(device).requires_grad_(False)


def configuration(layout: HashGridLayout) -> dict[str, Any]:
    """tiny-cuda-nn's JSON of a grid with this layout.

    Raises:
        InputError: a layout that tiny-cuda-nn has no kernel for.
    """
    if layout.n_features_per_level not in _WIDTHS or layout.in_features not in _DIMENSIONS:
        raise InputError(
            f"`backend` (='tcnn') has 1, 2, 4 or 8 features per level in 2 to 4 dimensions, not "
            f"{layout.n_features_per_level} in {layout.in_features}. Use backend='cuda'."
        )
    base = round(layout.levels[0].scale) + 1
    entries = max(level.entries for level in layout.levels)
    return {
        "otype": "Grid",
        "type": "Tiled" if _repeats(layout) else "Hash",  # Hash is Dense where all rows fit
        "n_levels": len(layout.levels),
        "n_features_per_level": layout.n_features_per_level,
        "log2_hashmap_size": math.ceil(math.log2(entries)),
        "base_resolution": base,
        "per_level_scale": _growth(layout, base),
        "interpolation": layout.interpolation.capitalize(),
    }


def _repeats(layout: HashGridLayout) -> bool:
    return any(v.dense and v.resolution**layout.in_features > v.entries for v in layout.levels)


def _growth(layout: HashGridLayout, base: int) -> float:
    """A growth whose levels are these, bit for bit: float32 values around the last level's root."""
    scales = [level.scale for level in layout.levels]
    if len(scales) == 1:
        return 1.0
    estimate = np.float32(((scales[-1] + 1) / base) ** (1 / (len(scales) - 1)))
    bits = int(estimate.view(np.int32))
    for step in sorted(range(-_STEPS, _STEPS + 1), key=abs):
        growth = float(np.int32(bits + step).view(np.float32))
        if [_level_scale(index, growth, base) for index in range(len(scales))] == scales:
            return growth
    raise InputError(
        f"no growth from level to level gives the scales {scales} of this grid, and tiny-cuda-nn "
        f"has no other. Build the layout with HashGridLayout.build()."
    )
