"""The pitch of a voice, frame by frame, and how surely there is one."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from passband.errors import InputError
from passband.frequency import frame
from passband.frequency import window as named_window

_OCTAVE_COST = 0.01  # per octave below the highest pitch: of equal peaks the first is the pitch
_VOICING = 0.45
_SILENCE = 0.03


class Pitch(NamedTuple):
    """What `track_pitch` finds, one value per frame.

    Args:
        frequency: in Hz, of the strongest period, whether or not the frame is voiced.
        periodicity: height of the autocorrelation's peak, 0 to 1.
        voiced: whether the frame is loud and periodic enough to have a pitch.
    """

    frequency: Float[Tensor, " frames"]
    periodicity: Float[Tensor, " frames"]
    voiced: Bool[Tensor, " frames"]


def track_pitch(
    audio: Float[Tensor, " time"],
    sample_rate: int,
    *,
    f_min: float = 60.0,
    f_max: float = 550.0,
    hop_seconds: float = 0.01,
) -> Pitch:
    """Pitch by the autocorrelation of windowed frames over that of the window, ``r_xw / r_w``.

    Frames are three of the longest periods long, at multiples of the hop. Of the lags allowed, the
    one of the highest peak less 0.01 per octave wins, refined by a parabola. A frame is voiced if
    its peak exceeds 0.45 plus what its own level lacks, as in the paper; the paper's search of a
    path through the frames is left out.

    Args:
        audio: one voice.
        sample_rate: in Hz.
        f_min: lowest pitch, in Hz.
        f_max: highest pitch, in Hz, below half the sampling rate.
        hop_seconds: between frames.

    Returns:
        `Pitch` of ``1 + time // hop`` frames.

    Raises:
        InputError: for pitches out of order or range.

    Example:
        >>> t = torch.arange(8000) / 16000
        >>> pitch = track_pitch(torch.sin(2 * torch.pi * 220 * t), 16000)
        >>> round(float(pitch.frequency.median()), 1), bool(pitch.voiced[5:-5].all())
        (220.0, True)

    Reference: Boersma, Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound, IFA Proceedings 17, 1993, eqs. 9 and 23-24.
    """
    if not 0 < f_min < f_max < sample_rate / 2:
        raise InputError(
            f"`f_min` (={f_min:g} Hz) and `f_max` (={f_max:g} Hz) must rise between 0 and "
            f"{sample_rate / 2:g} Hz, half the sampling rate. Change them."
        )
    length, hop = round(3 * sample_rate / f_min), max(1, round(hop_seconds * sample_rate))
    left = length // 2
    frames = frame(pad(audio, (left, length - left)), length, hop)
    frames = frames - frames.mean(dim=-1, keepdim=True)
    correlation = _correlation(frames, length)
    first, last = int(sample_rate / f_max), int(sample_rate / f_min) + 1
    lag, height = _best_lag(correlation[:, first - 1 : last + 2], first, sample_rate / f_max)
    loudness = frames.abs().amax(-1) / frames.abs().max().clamp(min=1e-12)
    missing = (2 - loudness * (1 + _VOICING) / _SILENCE).clamp(min=0)
    return Pitch(sample_rate / lag, height.clamp(0, 1), height > _VOICING + missing)


def _correlation(frames: Tensor, length: int) -> Tensor:
    """Normalised autocorrelation ``(frames, lags)``, 1 at lag 0, of the signal without window."""
    taper = named_window("hann", length, dtype=frames.dtype, device=frames.device)
    size = 2 * length

    def normalised(x: Tensor) -> Tensor:
        power: Tensor = torch.fft.rfft(x, n=size).abs().square()
        lags: Tensor = torch.fft.irfft(power, n=size)[..., :length]
        return lags / lags[..., :1].clamp(min=1e-20)

    return normalised(frames * taper) / normalised(taper).clamp(min=1e-3)


def _best_lag(correlation: Tensor, first: int, shortest: float) -> tuple[Tensor, Tensor]:
    """Lag in samples and height of the best peak; column 1 is lag ``first``."""
    before, here, after = correlation[:, :-2], correlation[:, 1:-1], correlation[:, 2:]
    lags = first + torch.arange(here.shape[-1], device=here.device, dtype=here.dtype)
    is_peak = (here >= before) & (here > after)
    worth = torch.where(is_peak, here - _OCTAVE_COST * torch.log2(lags / shortest), -2.0)
    best = worth.argmax(dim=-1, keepdim=True)
    left, top, right = (part.gather(-1, best)[:, 0] for part in (before, here, after))
    bend = (left - 2 * top + right).clamp(max=-1e-12)
    shift = (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
    found = is_peak.any(dim=-1)
    height = torch.where(found, top - 0.25 * (left - right) * shift, 0.0)
    return lags[best[:, 0]] + torch.where(found, shift, 0.0), height
