"""Features that a person has in a file of arrays, read without running code."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from passband.errors import InputError, PassbandError

if TYPE_CHECKING:
    from torch import Tensor

FEATURE_SUFFIXES = (".npy", ".npz", ".pt")

_NAMES = ("features", "mel", "codes", "values")


def read_features(path: Path) -> "Tensor":
    """Features ``(channels, bands, frames)`` in float32 from a .npy, .npz or .pt file.

    Codes, whole numbers, are returned as int64: ``(codebooks, channels, frames)``.

    Raises:
        InputError: the file is damaged, holds code or several things, or no such array.
    """
    import pickle
    import zipfile

    import numpy as np
    import torch

    try:
        if path.suffix.lower() == ".pt":
            found = torch.load(path, map_location="cpu", weights_only=True)
        else:
            found = np.load(path, allow_pickle=False)
            if isinstance(found, np.lib.npyio.NpzFile):
                with found as entries:
                    found = _only({name: entries[name] for name in entries.files}, path)
        values = torch.as_tensor(_only(found, path) if isinstance(found, dict) else found)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} holds more than tensors, or is damaged. Save the features alone, as a tensor."
        ) from error
    except (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        if isinstance(error, PassbandError):
            raise
        raise InputError(
            f"{path} cannot be read as features: {str(error).splitlines()[0].rstrip('.')}. "
            "Save them again, as numbers."
        ) from error
    if values.ndim not in (2, 3) or values.is_complex() or values.dtype == torch.bool:
        raise InputError(
            f"{path} (shape {tuple(values.shape)}, {str(values.dtype).removeprefix('torch.')}) "
            "must be floats (bands, frames) or (channels, bands, frames), or whole numbers "
            "(codebooks, frames) or (codebooks, channels, frames)."
        )
    if values.is_floating_point():
        return values.float() if values.ndim == 3 else values.float()[None]
    return values.long() if values.ndim == 3 else values.long()[:, None]


def _only(entries: dict[str, Any], path: Path) -> Any:
    """The one entry that can be the features."""
    if len(entries) == 1:
        return next(iter(entries.values()))
    named = [name for name in _NAMES if name in entries]
    if not named:
        raise InputError(
            f"{path} holds {', '.join(entries) or 'nothing'}: none of them is called "
            f"{', '.join(_NAMES)}. Save the features alone."
        )
    return entries[named[0]]
