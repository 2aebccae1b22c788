"""Tensors and plain data in one safetensors file, written atomically, read without running code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from passband.atomic import write_bytes_atomic
from passband.errors import InputError

_KEY = "passband"


def save_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write ``tensors`` and the JSON-able ``meta`` to ``path`` in one atomic step.

    A reader sees the old file or the new one, whole, whatever happens in between.

    Raises:
        OutputError: the folder cannot be written or the device is full.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.safetensors"
        >>> save_tensors(path, {"x": torch.ones(2)}, {"step": 3})
        >>> load_tensors(path)
        ({'x': tensor([1., 1.])}, {'step': 3})
    """
    from safetensors.torch import save  # noqa: PLC0415  its import loads torch again: 0.2 s

    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_bytes_atomic(path, save(plain, metadata={_KEY: json.dumps(meta)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_tensors` wrote: the tensors (on the CPU) and the plain data.

    Raises:
        InputError: no such file, or not one that :func:`save_tensors` wrote.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    if not path.is_file():
        raise InputError(f"{path} does not exist. Pass the folder of a run that was written.")
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {})[_KEY])
            # A copy owns aligned memory; a view of the mapped file would not.
            tensors = {name: torch.clone(file.get_tensor(name)) for name in file.keys()}
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path} is not a file that passband wrote, or it is damaged. "
            "Delete it, or point to another run."
        ) from error
    return tensors, meta
