"""What a step learns from: signals and noises mixed at random, each known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from passband.training import make_generator
from passband.training.recipes import Settings

_MIX = 301  # stream of the numbers
_SEAM = 100  # samples over which a repeated noise fades into itself
_TINY = 1e-12
_REPEATS = 8  # most events stacked on one another


class MixingSettings(Settings):
    """How signals and noises are mixed; chances in [0, 1], the ratio in dB of powers.

    Example:
        >>> MixingSettings(snr_db=(-5, 10)).snr_db
        (-5.0, 10.0)
    """

    snr_db: tuple[float, float] = (-15.0, 15.0)
    pure_noise: Annotated[float, Field(ge=0, le=1)] = 0.1
    stack: Annotated[float, Field(ge=0, lt=1)] = 0.2
    second_noise: Annotated[float, Field(ge=0, le=1)] = 0.3
    stretch: Annotated[float, Field(ge=1, le=4)] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> "MixingSettings":
        low, high = self.snr_db
        if not -100 <= low <= high <= 100:
            raise ValueError("snr_db must be two numbers from -100 to 100, the lower first")
        return self


@dataclass(frozen=True)
class Trace:
    """One channel with an event.

    Attributes:
        samples: ``(time,)``, without offset.
        pick: sample of the first arrival.
    """

    samples: Tensor
    pick: int


class Mixture(NamedTuple):
    """Windows ``(*batch, samples)`` whose sum is the input."""

    signal: Tensor
    noise: Tensor


class Mixtures:
    """Batches of signal and noise, a function of seed, step and item alone.

    Each item is a window of a random trace with its first arrival at a random place, of unit
    standard deviation, with a random sign; by chance another event is laid over it, or it is
    silent. Its noise is a random window, turned in time and sign by chance, at times with a second
    one over it, at a ratio drawn evenly in decibels.

    Args:
        traces: with events, at least one.
        noises: ``(time,)`` each, without events, at least one.
        samples: length of a window.
        batch_size: windows per step.
        settings: chances and ratios.
        seed: of all that is drawn.

    Example:
        >>> traces = [Trace(torch.randn(900), 300)]
        >>> mixtures = Mixtures(
        ...     traces, [torch.randn(300)], samples=400, batch_size=4,
        ...     settings=MixingSettings(), seed=0,
        ... )
        >>> mixtures(3).signal.shape, torch.equal(mixtures(3).noise, mixtures(3).noise)
        (torch.Size([4, 400]), True)

    Reference: Zhu, Mousavi, Beroza, Seismic signal denoising and decomposition using deep neural
    networks, IEEE Transactions on Geoscience and Remote Sensing 57(11), 2019, section III; ratios
    even in decibels, signs, turned and doubled noises and stretched events are ours.
    """

    def __init__(
        self,
        traces: Sequence[Trace],
        noises: Sequence[Tensor],
        *,
        samples: int,
        batch_size: int,
        settings: MixingSettings,
        seed: int,
    ) -> None:
        self.traces, self.noises = traces, noises
        self.samples, self.batch_size = samples, batch_size
        self.settings, self.seed = settings, seed

    def __call__(self, step: int) -> Mixture:
        """Signals and noises ``(batch, samples)`` of step ``step`` (from 0)."""
        items = [self._item(step, item) for item in range(self.batch_size)]
        return Mixture(
            torch.stack([item.signal for item in items]),
            torch.stack([item.noise for item in items]),
        )

    def _item(self, step: int, item: int) -> Mixture:
        dice = _Dice(make_generator(self.seed, _MIX, step, item))
        low, high = self.settings.snr_db
        level = 10 ** (-dice.between(low, high) / 20)
        noise = level * unit(self._noise(dice))
        if dice.happens(self.settings.pure_noise):
            return Mixture(torch.zeros(self.samples), noise)
        signal = self._event(dice)
        for _ in range(_REPEATS):
            if not dice.happens(self.settings.stack):
                break
            signal = signal + self._event(dice) / dice.between(1, 5)
        return Mixture(unit(signal), noise)

    def _event(self, dice: "_Dice") -> Tensor:
        trace = self.traces[dice.below(len(self.traces))]
        if self.settings.stretch > 1:
            factor = self.settings.stretch ** dice.between(-1, 1)
            trace = stretched(trace, factor, self.samples)
        start = trace.pick - dice.below(self.samples * 9 // 10 + 1)
        return dice.sign() * unit(window(trace.samples, start, self.samples))

    def _noise(self, dice: "_Dice") -> Tensor:
        noise = self._one_noise(dice)
        if dice.happens(self.settings.second_noise):
            noise = unit(noise) + dice.between(0, 1) * unit(self._one_noise(dice))
        return noise

    def _one_noise(self, dice: "_Dice") -> Tensor:
        noise = self.noises[dice.below(len(self.noises))]
        found = repeated(noise, self.samples, dice.below(len(noise)))
        return dice.sign() * (found.flip(0) if dice.happens(0.5) else found)


class _Dice:
    """Numbers of one generator."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._one()

    def below(self, count: int) -> int:
        return int(self._one() * count)

    def happens(self, chance: float) -> bool:
        return self._one() < chance

    def sign(self) -> float:
        return 1.0 if self._one() < 0.5 else -1.0

    def _one(self) -> float:
        return float(torch.rand((), generator=self._generator, dtype=torch.float64))


def unit(x: Float[Tensor, " time"]) -> Float[Tensor, " time"]:
    """``x`` without its mean, at a standard deviation of 1; silence stays silent.

    Example:
        >>> unit(torch.tensor([1.0, 3.0]))
        tensor([-1.,  1.])
    """
    centred = x - x.mean()
    return centred / centred.std(correction=0).clamp_min(_TINY)


def window(x: Float[Tensor, " time"], start: int, samples: int) -> Float[Tensor, " {samples}"]:
    """``samples`` of ``x`` from ``start`` on, with zeros where there are none.

    Example:
        >>> window(torch.tensor([1.0, 2.0, 3.0]), -1, 3), window(torch.tensor([1.0, 2.0]), 1, 3)
        (tensor([0., 1., 2.]), tensor([2., 0., 0.]))
    """
    found = x[max(0, start) : max(0, start + samples)]
    before = min(max(0, -start), samples)
    return torch.nn.functional.pad(found, (before, samples - before - len(found)))


def repeated(x: Float[Tensor, " time"], samples: int, start: int) -> Float[Tensor, " {samples}"]:
    """``samples`` of ``x`` from ``start`` on, going round, its end faded into its beginning.

    The fade keeps the power of noise: weights ``cos`` and ``sin`` over at most 100 samples.

    Example:
        >>> noise = torch.randn(500)
        >>> torch.equal(repeated(noise, 300, 100), noise[100:400]), repeated(noise, 1200, 7).shape
        (True, torch.Size([1200]))
    """
    if start + samples <= len(x):
        return x[start : start + samples]
    seam = min(_SEAM, len(x) // 2)
    angle = (torch.arange(seam, dtype=x.dtype) + 0.5) * (torch.pi / (2 * seam))
    joint = x[-seam:] * angle.cos() + x[:seam] * angle.sin()
    ring = torch.cat((joint, x[seam:-seam]))
    return ring.repeat(-(-(start % len(ring) + samples) // len(ring)))[
        start % len(ring) : start % len(ring) + samples
    ]


def stretched(trace: Trace, factor: float, samples: int) -> Trace:
    """``trace`` played ``factor`` times as slowly, ``samples`` before and after the pick at most.

    Example:
        >>> slow = stretched(Trace(torch.arange(100.0), 50), 2.0, 60)
        >>> slow.pick, slow.samples[slow.pick], slow.samples[slow.pick + 4]
        (60, tensor(50.), tensor(52.))
    """
    place = trace.pick + torch.arange(-samples, samples, dtype=torch.float64) / factor
    inside = place[(place >= 0) & (place <= len(trace.samples) - 1)]
    left = inside.floor().long().clamp_max(len(trace.samples) - 2)
    share = (inside - left).to(trace.samples.dtype)
    values = trace.samples[left] * (1 - share) + trace.samples[left + 1] * share
    return Trace(values, int((inside < trace.pick).sum()))
