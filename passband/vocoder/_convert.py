"""From one layout of a vocoder's files to the other."""

import os
from pathlib import Path

from torch import Tensor

from passband.vocoder._pretrained import (
    load_weights,
    read_pretrained,
    write_pretrained,
    write_published,
)
from passband.vocoder._settings import VocosSettings
from passband.vocoder._vocos import Vocos


def convert_to_passband(
    source: str | os.PathLike[str], folder: str | os.PathLike[str], *, revision: str | None = None
) -> None:
    """Write ``config.json`` and ``model.safetensors`` of the vocoder in ``source``.

    Args:
        source: folder, or repository of the hub, in either layout.
        folder: where to write; made if need be.
        revision: of the repository.

    Raises:
        InputError: ``source`` cannot be read, or its tensors do not fit its settings.
        OutputError: ``folder`` cannot be written.
    """
    write_pretrained(Path(folder), *_checked(source, revision))


def convert_to_published(
    source: str | os.PathLike[str], folder: str | os.PathLike[str], *, revision: str | None = None
) -> None:
    """Write ``config.yaml`` and ``pytorch_model.bin``, which the ``vocos`` package reads.

    Args:
        source: folder, or repository of the hub, in either layout.
        folder: where to write; made if need be.
        revision: of the repository.

    Raises:
        InputError: ``source`` cannot be read, its tensors do not fit its settings, or the
            published classes have no such settings.
        OutputError: ``folder`` cannot be written.
    """
    write_published(Path(folder), *_checked(source, revision))


def _checked(
    source: str | os.PathLike[str], revision: str | None
) -> tuple[VocosSettings, dict[str, Tensor]]:
    """Settings and weights that fit each other."""
    settings, weights = read_pretrained(source, revision)
    load_weights(Vocos(settings), weights, os.fspath(source))
    return settings, weights
