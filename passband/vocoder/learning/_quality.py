"""How near a generated voice comes to the recorded one."""

import math
import warnings

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import MissingDependencyError
from passband.frequency import resample
from passband.vocoder.learning._pitch import track_pitch

_PESQ_RATE = 16000
_SHORTEST_PESQ = 0.3  # seconds; below, the standard's alignment has nothing to hold on to


def pesq_wideband(
    reference: Float[Tensor, " time"], generated: Float[Tensor, " time"], sample_rate: int
) -> float:
    """Perceptual quality from 1 to 4.64 of wide-band speech, both resampled to 16 kHz.

    Args:
        reference: recorded speech.
        generated: the same speech as it came out, of the same length.
        sample_rate: in Hz.

    Returns:
        The score, or NaN for clips without speech or shorter than 0.3 s.

    Raises:
        MissingDependencyError: without the pesq package.

    Example:
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
        reference: recorded speech.
        generated: the same speech as it came out, of the same length.
        sample_rate: in Hz.

    Returns:
        The score, or NaN for clips with less than half a second of speech.

    Raises:
        MissingDependencyError: without the pystoi package.

    Example:
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


def voicing_errors(
    reference: Float[Tensor, " time"], generated: Float[Tensor, " time"], sample_rate: int
) -> dict[str, float]:
    """How well periodicity, voicing and pitch are kept, by `track_pitch`.

    The measures are those of the paper, whose tracker is a trained network: figures of the two
    trackers do not compare.

    Args:
        reference: recorded speech.
        generated: the same speech as it came out, of the same length.
        sample_rate: in Hz.

    Returns:
        ``periodicity``: root mean square difference of the periodicities, over frames voiced in
        either; ``voicing_f1``: harmonic mean of precision and recall of the voiced frames, 1 if
        there are none; ``pitch_cents``: root mean square error of the pitch in cents, over frames
        voiced in both, NaN without any.

    Example:
        >>> tone = torch.sin(2 * torch.pi * 220 * torch.arange(8000) / 16000)
        >>> errors = voicing_errors(tone, torch.zeros(8000), 16000)
        >>> round(errors["periodicity"], 1), errors["voicing_f1"]
        (1.0, 0.0)

    Reference: Morrison et al., Chunked autoregressive GAN for conditional waveform synthesis, ICLR,
    2022, section 4.2.
    """
    true, made = (track_pitch(x, sample_rate) for x in (reference, generated))
    both, either = true.voiced & made.voiced, true.voiced | made.voiced
    total = int(true.voiced.sum() + made.voiced.sum())
    apart = (true.periodicity - made.periodicity)[either]
    cents = 1200 * torch.log2(made.frequency[both] / true.frequency[both])
    return {
        "periodicity": _root_mean_square(apart) if total else 0.0,
        "voicing_f1": 2 * int(both.sum()) / total if total else 1.0,
        "pitch_cents": _root_mean_square(cents),
    }


def _silent(*sounds: Tensor) -> bool:
    return any(not bool(x.any()) for x in sounds)


def _root_mean_square(x: Tensor) -> float:
    return float(x.square().mean().sqrt()) if x.numel() else math.nan
