"""Decibels and back."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_choice, require_real

_TENFOLD = {"power": 10.0, "magnitude": 20.0, "amplitude": 20.0}

Scale = Literal["power", "magnitude", "amplitude"]


def amplitude_to_db(
    x: Float[Tensor, "*shape"],
    *,
    stype: Scale = "power",
    ref: float = 1.0,
    amin: float = 1e-10,
    top_db: float | None = None,
) -> Float[Tensor, "*shape"]:
    """Decibels ``10 log10(max(x, amin) / max(ref, amin))`` of powers, twice that of magnitudes.

    Args:
        x: powers or magnitudes, such as a spectrogram ``(..., channel, freq, frames)``.
        stype: ``power``, or ``magnitude`` (also ``amplitude``).
        ref: what stands for 0 dB, above 0, in the unit of ``x``.
        amin: smallest value told apart from silence, above 0, in the unit of ``x``.
        top_db: raise everything to at least this far below the loudest value of the last three
            axes (the channels, bins and frames of one clip), in dB, at least 0. None does not.

    Returns:
        Decibels of the same shape.

    Raises:
        TypeError: for values that are not float32 or float64.
        ValueError: for an unknown ``stype`` or values out of range.

    Example:
        >>> amplitude_to_db(torch.tensor([1.0, 0.1, 0.0]), top_db=80.0)
        tensor([  0., -10., -80.])

    Agrees with ``torchaudio.transforms.AmplitudeToDB`` to 1e-5 and with ``librosa.power_to_db``
    (``amin=1e-10``) and ``librosa.amplitude_to_db`` (``amin=1e-5``) to 1e-10 in float64.
    """
    require_real("x", x)
    require_scale(stype, top_db)
    for name, value in (("ref", ref), ("amin", amin)):
        if not value > 0:
            raise ValueError(f"`{name}` (={value}) must be above 0. Pass e.g. 1e-10.")
    factor = _TENFOLD[stype]
    decibels = factor * (x.clamp(min=amin).log10() - math.log10(max(ref, amin)))
    if top_db is None:
        return decibels
    loudest = decibels.amax(dim=tuple(range(-min(3, x.ndim), 0)), keepdim=True)
    return torch.maximum(decibels, loudest - top_db)


def db_to_amplitude(
    x: Float[Tensor, "*shape"], *, stype: Scale = "power", ref: float = 1.0
) -> Float[Tensor, "*shape"]:
    """Powers ``ref 10 ** (x / 10)`` of decibels, or magnitudes ``ref 10 ** (x / 20)``.

    Args:
        x: decibels, of any shape.
        stype: ``power``, or ``magnitude`` (also ``amplitude``).
        ref: what stands for 0 dB, above 0.

    Returns:
        Powers or magnitudes of the same shape.

    Raises:
        TypeError: for values that are not float32 or float64.
        ValueError: for an unknown ``stype``, or ``ref`` not above 0.

    Example:
        >>> db_to_amplitude(torch.tensor([0.0, -20.0]), stype="magnitude")
        tensor([1.0000, 0.1000])

    Agrees with ``librosa.db_to_power`` and ``librosa.db_to_amplitude`` to 1e-12 in float64, and
    with ``torchaudio.functional.DB_to_amplitude`` (whose ``power`` is 1, or 0.5) to 1e-5.
    """
    require_real("x", x)
    require_scale(stype, None)
    if not ref > 0:
        raise ValueError(f"`ref` (={ref}) must be above 0. Pass e.g. 1.0.")
    values: Tensor = ref * 10 ** (x / _TENFOLD[stype])
    return values


def require_scale(stype: str, top_db: float | None) -> None:
    """Raise unless ``stype`` is known and ``top_db`` is None or at least 0."""
    require_choice("stype", stype, tuple(_TENFOLD))
    if top_db is not None and not top_db >= 0:
        raise ValueError(f"`top_db` (={top_db} dB) must be at least 0 dB. Pass e.g. 80, or None.")
