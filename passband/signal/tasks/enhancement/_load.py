"""An enhancer from the disk: published weights, or a run of one's own."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.signal.tasks.enhancement.gtcrn import from_published


def load_enhancer(where: str | Path, device: str | torch.device = "cpu") -> nn.Module:
    """The enhancer in ``where``, ready for use.

    Args:
        where: file of GTCRN's published weights (``.tar`` or ``.pt``, in which no code is run), or
            the folder of a training of FRCRN.
        device: where it shall work.

    Returns:
        A module with ``sample_rate``, and a method ``stream`` where it is causal.

    Raises:
        InputError: nothing is there, or no enhancer.

    Example:
        >>> load_enhancer("nowhere")
        Traceback (most recent call last):
        passband.errors.InputError: `--model` (=nowhere) does not exist. Pass a file of GTCRN's \
weights, or the folder of a run.
    """
    path = Path(where)
    if path.is_dir():
        # Imported here: most sounds need one of the two.
        from passband.signal.tasks.enhancement.frcrn import load_frcrn  # noqa: PLC0415

        return load_frcrn(path, torch.device(device))
    if not path.exists():
        raise InputError(
            f"`--model` (={path}) does not exist. Pass a file of GTCRN's weights, or the folder of "
            "a run."
        )
    try:
        return from_published(_weights(path)).to(device)
    except InputError as error:
        raise InputError(f"`--model` (={path}): {error} Pass a file of GTCRN's weights.") from error


def _weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name, from a file of them or of a training's whole state."""
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle's, zip's, torch's: whatever the bytes lead to
        raise InputError("It holds no weights that torch can read.") from error
    if isinstance(content, dict) and isinstance(content.get("model"), dict):
        content = content["model"]
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise InputError("It holds other things than weights.")
    return content
