"""How good speech is to listeners, by models of their hearing against the clean recording."""

import math
import warnings

from jaxtyping import Float
from torch import Tensor

from passband.errors import MissingDependencyError
from passband.frequency import resample

_PESQ_RATE = 16000
_SHORTEST_PESQ = 0.3  # seconds; below, the standard's alignment has nothing to hold on to


def pesq_wideband(
    reference: Float[Tensor, " time"], generated: Float[Tensor, " time"], sample_rate: int
) -> float:
    """Perceptual quality from 1 to 4.64 of wide-band speech, both resampled to 16 kHz.

    Args:
        reference: clean or recorded speech.
        generated: the same speech as it came out, of the same length.
        sample_rate: in Hz.

    Returns:
        The score, or NaN for clips without speech or shorter than 0.3 s.

    Raises:
        MissingDependencyError: without the pesq package.

    Example:
        >>> import torch
        >>> x = torch.zeros(100)
        >>> pesq_wideband(x, x, 16000)
        nan

    Reference: ITU-T P.862.2, Wideband extension to Recommendation P.862, 2007.
    """
    try:
        from pesq import NoUtterancesError, pesq  # noqa: PLC0415  an optional package
    except ImportError as error:
        raise MissingDependencyError("PESQ needs the pesq package: pip install pesq.") from error

    if len(reference) < _SHORTEST_PESQ * sample_rate or _silent(reference, generated):
        return math.nan
    sounds = (resample(x.cpu(), sample_rate, _PESQ_RATE).numpy() for x in (reference, generated))
    try:
        return float(pesq(_PESQ_RATE, *sounds, "wb"))
    except NoUtterancesError:
        return math.nan


def intelligibility(
    reference: Float[Tensor, " time"], generated: Float[Tensor, " time"], sample_rate: int
) -> float:
    """Short-time objective intelligibility (STOI) from 0 to 1.

    Args:
        reference: clean or recorded speech.
        generated: the same speech as it came out, of the same length.
        sample_rate: in Hz.

    Returns:
        The score, or NaN for clips with less than half a second of speech.

    Raises:
        MissingDependencyError: without the pystoi package.

    Example:
        >>> import torch
        >>> x = torch.randn(20000)
        >>> round(intelligibility(x, x, 10000), 3)
        1.0

    Reference: Taal et al., An algorithm for intelligibility prediction of time-frequency weighted
    noisy speech, IEEE Trans. ASLP 19(7), 2011.
    """
    try:
        from pystoi import stoi  # noqa: PLC0415  an optional package
    except ImportError as error:
        raise MissingDependencyError(
            "STOI needs the pystoi package: pip install pystoi."
        ) from error

    if _silent(reference, generated):
        return math.nan
    with warnings.catch_warnings():
        # It warns, and returns 1e-5, where it finds no speech.
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(stoi(reference.cpu().numpy(), generated.cpu().numpy(), sample_rate))
        except RuntimeWarning:
            return math.nan


def _silent(*sounds: Tensor) -> bool:
    return any(not bool(x.any()) for x in sounds)
