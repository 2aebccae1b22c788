"""The mel scale: pitch as heard against frequency in Hz."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_choice

MelVariant = Literal["htk", "slaney"]

# Slaney's scale: linear below 1 kHz, 27 steps from there to 6.4 kHz.
_HZ_PER_MEL = 200 / 3
_BEND_HZ = 1000.0
_BEND_MEL = _BEND_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


def hz_to_mel(
    frequency: float | Float[Tensor, "*shape"], *, mel_scale: MelVariant = "htk"
) -> Float[Tensor, "*shape"]:
    """Mel of a frequency: ``2595 log10(1 + f / 700)`` (htk), or linear up to 1 kHz (slaney).

    Args:
        frequency: in Hz, at least 0; a number is taken as float64.
        mel_scale: ``htk``, or ``slaney``: ``3 f / 200`` up to 1 kHz and ``15 + 27 ln(f / 1000) /
            ln 6.4`` above.

    Returns:
        Mels of the same shape.

    Raises:
        ValueError: for an unknown scale.

    Example:
        >>> [round(float(hz_to_mel(1000.0, mel_scale=scale)), 3) for scale in ("htk", "slaney")]
        [999.986, 15.0]

    Agrees with ``librosa.hz_to_mel`` to 1e-12 in float64.
    Reference: O'Shaughnessy, Speech communication, 1987, p. 150 (htk); Slaney, Auditory toolbox,
    Interval Research technical report 10, 1998 (slaney).
    """
    require_choice("mel_scale", mel_scale, ("htk", "slaney"))
    f = _values(frequency)
    if mel_scale == "htk":
        return 2595 * torch.log10(1 + f / 700)
    above = _BEND_MEL + torch.log(f.clamp(min=_BEND_HZ) / _BEND_HZ) / _LOG_STEP
    return torch.where(f < _BEND_HZ, f / _HZ_PER_MEL, above)


def mel_to_hz(
    mel: float | Float[Tensor, "*shape"], *, mel_scale: MelVariant = "htk"
) -> Float[Tensor, "*shape"]:
    """Frequency of a mel, the inverse of `hz_to_mel`: ``700 (10 ** (m / 2595) - 1)`` (htk).

    Args:
        mel: at least 0; a number is taken as float64.
        mel_scale: ``htk`` or ``slaney``, as in `hz_to_mel`.

    Returns:
        Frequencies in Hz, of the same shape.

    Raises:
        ValueError: for an unknown scale.

    Example:
        >>> round(float(mel_to_hz(30.0, mel_scale="slaney")), 3)
        2804.644

    Agrees with ``librosa.mel_to_hz`` to 1e-12 in float64.
    Reference: as for `hz_to_mel`.
    """
    require_choice("mel_scale", mel_scale, ("htk", "slaney"))
    m = _values(mel)
    if mel_scale == "htk":
        return 700 * (10 ** (m / 2595) - 1)
    above = _BEND_HZ * torch.exp((m.clamp(min=_BEND_MEL) - _BEND_MEL) * _LOG_STEP)
    return torch.where(m < _BEND_MEL, m * _HZ_PER_MEL, above)


def _values(x: float | Tensor) -> Tensor:
    return x if isinstance(x, Tensor) else torch.tensor(float(x), dtype=torch.float64)
