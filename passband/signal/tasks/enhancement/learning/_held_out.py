"""Mixtures that nothing is learned from, and what comes of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from passband.frequency import si_sdr
from passband.signal.tasks._recordings import Recordings
from passband.signal.tasks.enhancement.learning._mixing import Pair, find_crop, mixed
from passband.signal.tasks.enhancement.learning._recipe import MixtureSettings
from passband.training import make_generator

_ORDER, _CROP = 302, 303  # streams of numbers
_PEAK = 0.5

Measure = Callable[[Tensor, Tensor, int], float]
"""Of the clean and another signal ``(time,)`` at a rate in Hz; NaN where it does not apply."""


@dataclass(frozen=True)
class HeldOut:
    """Mixtures for evaluation.

    Attributes:
        names: of each, ``speech + noise``.
        snrs: of each, in dB.
        pairs: noisy and clean, ``(time,)``.
        sample_rate: in Hz.
    """

    names: Sequence[str]
    snrs: Sequence[float]
    pairs: Sequence[Pair]
    sample_rate: int


def make_held_out(speech: Recordings, noise: Recordings, settings: MixtureSettings) -> HeldOut:
    """Mixtures of held-out speech and noise, the same for every run with the same settings.

    Speech begins after ``settings.lead_seconds``; the ratio is that of the whole mixture.

    Args:
        speech: files with a peak of 1, the first ``settings.held_out_seconds`` of which are used.
        noise: files with a peak of 1, taken in an order of chance.
        settings: how many, and how loud.

    Raises:
        InputError: no file of speech or of noise can be read.
    """
    rate, seed = speech.sample_rate, settings.split_seed
    lead = round(settings.lead_seconds * rate)
    order = torch.randperm(len(noise), generator=make_generator(seed, _ORDER)).tolist()
    levels = settings.held_out_snr_db
    names, pairs = [], []
    for k in range(settings.mixtures):
        draw = make_generator(seed, _CROP, k)
        voice, clip = _clip(speech, k // len(levels), settings.held_out_seconds, draw)
        which, sound = find_crop("noise", noise, order[k % len(noise)], lead + len(clip), draw)
        pair = mixed(pad(clip, (lead, 0)), sound, levels[k % len(levels)])
        scale = _PEAK / float(pair.noisy.abs().max())
        pairs.append(Pair(scale * pair.noisy, scale * pair.clean))
        names.append(f"{speech.files[voice].stem} + {noise.files[which].stem}")
    return HeldOut(names, [levels[k % len(levels)] for k in range(len(pairs))], pairs, rate)


@dataclass(frozen=True)
class Scores:
    """What an enhancer made of held-out mixtures.

    Attributes:
        sounds: what came of each, on the CPU.
        rows: measures of each mixture, by name; None where one does not apply, as on silence.
    """

    sounds: Sequence[Tensor]
    rows: Sequence[Mapping[str, float | None]]

    @property
    def means(self) -> dict[str, float | None]:
        """Mean over the mixtures that each measure applies to.

        Example:
            >>> Scores([], [{"pesq": 1.0}, {"pesq": 2.0}, {"pesq": None}]).means
            {'pesq': 1.5}
        """
        return {name: mean([row[name] for row in self.rows]) for name in self.rows[0]}


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of the values there are.

    Example:
        >>> mean([1.0, None, 2.0]), mean([None])
        (1.5, None)
    """
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None


def score(
    enhance: Callable[[Tensor], Tensor], held_out: HeldOut, measures: Mapping[str, Measure]
) -> Scores:
    """Enhance every mixture, and measure how near it comes to the clean speech.

    Args:
        enhance: noisy speech ``(time,)`` to speech, of the same length.
        held_out: the mixtures.
        measures: by name.

    Example:
        >>> pair = Pair(torch.ones(8), torch.zeros(8))
        >>> held_out = HeldOut(["a"], [0.0], [pair], 8000)
        >>> score(lambda x: x, held_out, {"far": lambda s, x, rate: float((x - s).norm())}).rows
        [{'far': 2.8284270763397217}]
    """
    sounds, rows = [], []
    for pair in held_out.pairs:
        with torch.no_grad():
            made = enhance(pair.noisy).float().cpu()
        found = {n: f(pair.clean, made, held_out.sample_rate) for n, f in measures.items()}
        sounds.append(made)
        rows.append({n: None if math.isnan(value) else value for n, value in found.items()})
    return Scores(sounds, rows)


def si_snr(clean: Float[Tensor, " time"], made: Float[Tensor, " time"], sample_rate: int) -> float:
    """`passband.frequency.si_sdr` of ``made``, in dB, at any rate.

    Example:
        >>> round(si_snr(torch.tensor([1.0, -1.0]), torch.tensor([2.0, -2.0]), 16000))
        69
    """
    return float(si_sdr(made, clean))


def _clip(
    speech: Recordings, first: int, seconds: float, draw: torch.Generator
) -> tuple[int, Tensor]:
    """The beginning of a file of speech that can be read, and the number of the file."""
    most = round(seconds * speech.sample_rate)
    for offset in range(len(speech)):
        index = (first + offset) % len(speech)
        sound = speech(index)
        if sound is not None and float(sound[:most].abs().sum()) > 0:
            return index, sound[:most]
    return find_crop("held-out speech", speech, 0, most, draw)  # says why there is none
