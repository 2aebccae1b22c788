"""Batches of crops, drawn from pieces and changed by chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from passband.signal.tasks.transcription._pitch_axis import BINS_PER_SEMITONE
from passband.signal.tasks.transcription._recipe import DataSettings
from passband.training import make_generator

_CROPS = 301  # stream of what a step draws
_CURVES = 4  # cosines in the curve of a colour


@dataclass(frozen=True, eq=False)
class Example:
    """A piece as it is learned from.

    Attributes:
        levels: ``(bins, frames)`` in dB.
        targets: ``(heads, 88, frames)``.
    """

    levels: Tensor
    targets: Tensor


class Crops:
    """Crops of a number of frames, every place in every piece as likely as any other.

    Args:
        examples: to draw from, each at least ``frames`` long.
        frames: of a crop.
        batch_size: crops of a step.
        seed: of everything drawn; a step's crops are a function of it and of the step's number.

    Example:
        >>> example = Example(torch.randn(20, 50), torch.zeros(3, 88, 50))
        >>> levels, targets = Crops([example], 8, 4, seed=0)(0)
        >>> levels.shape, targets.shape
        (torch.Size([4, 20, 8]), torch.Size([4, 3, 88, 8]))
    """

    def __init__(
        self, examples: Sequence[Example], frames: int, batch_size: int, *, seed: int
    ) -> None:
        self.examples, self.frames, self.batch_size = examples, frames, batch_size
        self.seed = seed
        places = torch.tensor([example.levels.shape[-1] - frames + 1 for example in examples])
        self._ends = places.cumsum(0)

    def __call__(
        self, step: int
    ) -> tuple[Float[Tensor, "batch bins frames"], Float[Tensor, "batch heads 88 frames"]]:
        """Levels and targets of step ``step``."""
        generator = make_generator(self.seed, _CROPS, step)
        total = int(self._ends[-1])
        drawn = torch.randint(total, (self.batch_size,), generator=generator)
        numbers = torch.searchsorted(self._ends, drawn, right=True)
        levels, targets = [], []
        for place, number in zip(drawn.tolist(), numbers.tolist(), strict=True):
            example = self.examples[number]
            start = place - (int(self._ends[number - 1]) if number else 0)
            levels.append(example.levels[:, start : start + self.frames])
            targets.append(example.targets[..., start : start + self.frames])
        return torch.stack(levels), torch.stack(targets)


class Augmentation:
    """Moves crops on a pitch axis in pitch, level and colour.

    Args:
        settings: how far.
        seed: of everything drawn, with the step's number.

    Example:
        >>> moved, targets = Augmentation(DataSettings(), seed=0)(
        ...     torch.randn(2, 297, 8), torch.zeros(2, 3, 88, 8), 0
        ... )
        >>> moved.shape
        torch.Size([2, 297, 8])
    """

    def __init__(self, settings: DataSettings, *, seed: int) -> None:
        self.settings, self.seed = settings, seed

    def __call__(
        self,
        levels: Float[Tensor, "batch bins frames"],
        targets: Float[Tensor, "batch heads 88 frames"],
        step: int,
    ) -> tuple[Float[Tensor, "batch bins frames"], Float[Tensor, "batch heads 88 frames"]]:
        """Levels and targets of step ``step``, changed."""
        generator = make_generator(self.seed, _CROPS, step, 1)
        most, count = self.settings.pitch_shift, len(levels)
        shifts = torch.randint(-most, most + 1, (count,), generator=generator).tolist()
        moved = [move(x, BINS_PER_SEMITONE * s) for x, s in zip(levels, shifts, strict=True)]
        sounding = [
            torch.where(kept(88, s)[:, None], move(y, s), 0.0)
            for y, s in zip(targets, shifts, strict=True)
        ]
        gain = self.settings.gain_db * (2 * torch.rand(count, 1, generator=generator) - 1)
        colour = self.settings.colour_db * _curves(count, levels.shape[1], generator)
        return torch.stack(moved) + (gain + colour)[..., None], torch.stack(sounding)


def move(
    values: Float[Tensor, "*batch bins frames"], steps: int
) -> Float[Tensor, "*batch bins frames"]:
    """``values`` moved up by ``steps`` bins; the outermost bin fills what becomes free.

    Example:
        >>> move(torch.tensor([[1.0], [2.0], [3.0]]), 1)[:, 0]
        tensor([1., 1., 2.])
    """
    bins = values.shape[-2]
    return values[..., (torch.arange(bins) - steps).clamp(0, bins - 1), :]


def kept(bins: int, steps: int) -> Tensor:
    """Which bins hold what was there before a move by ``steps``."""
    before = torch.arange(bins) - steps
    return (before >= 0) & (before < bins)


def _curves(count: int, bins: int, generator: torch.Generator) -> Tensor:
    """Smooth curves ``(count, bins)`` within -1 to 1."""
    places = torch.linspace(0, math.pi, bins)
    amplitudes = 2 * torch.rand(count, _CURVES, generator=generator) - 1
    phases = 2 * math.pi * torch.rand(count, _CURVES, 1, generator=generator)
    waves = torch.cos(torch.arange(1, _CURVES + 1)[:, None] * places + phases)
    return (amplitudes[..., None] * waves).sum(dim=1) / _CURVES
