"""Tensors as the compiled loops see them."""

from importlib import import_module
from typing import Any

import torch
from torch import Tensor


def compiles(x: Tensor) -> bool:
    """Whether there are compiled loops for a tensor."""
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)


def arrays(*tensors: Tensor) -> list[Any]:
    """Numpy's view of tensors, for compiled loops; copied where they are not contiguous."""
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def loops() -> Any:
    """The compiled loops of the renderer; imported late, for numba takes half a second."""
    return import_module("passband.recon.rendering._loops")
