"""Which device a run uses, and in which precision."""

from contextlib import AbstractContextManager
from typing import Literal

import torch

from passband.errors import InputError

Precision = Literal["float32", "bfloat16", "float16"]


def choose_device(name: str = "auto") -> torch.device:
    """Device called ``name``: ``auto`` takes CUDA where it is available, else the CPU.

    Args:
        name: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``; a device asked for by name is
            never replaced by another.

    Raises:
        InputError: the name is unknown or the device is not available here.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"`device` (={name}) is not available here. Pass auto, cpu, or a device that "
            "torch can see, such as cuda or cuda:0."
        ) from error
    return device


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """Context in which matrix products run in ``precision``; float32 changes nothing.

    Raises:
        InputError: a 16-bit precision off CUDA, where it would be slower and less exact.

    Example:
        >>> with autocast(torch.device("cpu"), "float32"):
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.float32
    """
    if precision != "float32" and device.type != "cuda":
        raise InputError(
            f"`training.precision` (={precision}) needs a CUDA device, and this run is on "
            f"{device.type}. Set it to float32."
        )
    dtype = torch.float16 if precision == "float16" else torch.bfloat16
    return torch.autocast(device.type, dtype=dtype, enabled=precision != "float32")
