"""How near a generated voice comes to the recorded one."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.signal.tasks._speech_quality import intelligibility as intelligibility
from passband.signal.tasks._speech_quality import pesq_wideband as pesq_wideband
from passband.vocoder.learning._pitch import track_pitch


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


def _root_mean_square(x: Tensor) -> float:
    return float(x.square().mean().sqrt()) if x.numel() else math.nan
