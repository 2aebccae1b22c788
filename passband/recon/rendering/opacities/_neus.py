"""Opacity from the logistic function of the signed distance, after NeuS."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.recon.rendering.opacities._neus_alpha import neus_alpha


class NeusOpacity(nn.Module):
    """:func:`neus_alpha` with a learned sharpness ``s = min(exp(10 v), sharpest)``.

    Args:
        v: initial value of the parameter; 0.3 is s = 20, a layer a tenth of the unit sphere wide.
        sharpest: largest s, in 1 / scene unit. Beyond it v has no gradient.
        anneal_over: fraction of a run, 0 to 1, over which the slope's annealing r grows from 0 to
            1; 0 is none. NeuS takes a sixth without masks and 0 with them.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> opacity = NeusOpacity(anneal_over=0.5)
        >>> round(opacity.sharpness, 2)
        20.09
        >>> opacity.set_progress(0.1)
        >>> opacity.anneal
        0.2

    Reference: see :func:`neus_alpha`.
    """

    def __init__(
        self, v: float = 0.3, *, sharpest: float = math.inf, anneal_over: float = 0.0
    ) -> None:
        super().__init__()
        if not sharpest > 0:
            raise InputError(f"`sharpest` (={sharpest:g}) must be above 0. Pass e.g. 2000.")
        _check_fraction("anneal_over", anneal_over)
        self.v = nn.Parameter(torch.tensor(float(v)))
        self.sharpest, self.anneal_over, self.anneal = sharpest, anneal_over, 1.0

    @property
    def sharpness(self) -> float:
        """The s of now, in 1 / scene unit."""
        return float(self._sharpness().detach())

    def set_progress(self, done: float) -> None:
        """Take the annealing of a run of which ``done`` (0 to 1) is over."""
        self.anneal = _annealed(done, self.anneal_over)

    def alpha(
        self,
        distance: Float[Tensor, "rays samples"],
        slope: Float[Tensor, "rays samples"],
        length: Float[Tensor, "rays samples"],
    ) -> Float[Tensor, "rays samples"]:
        """Opacity of sections: see :func:`neus_alpha`."""
        sharpness = self._sharpness().to(distance.dtype)
        return neus_alpha(distance, slope, length, sharpness, self.anneal)

    def _sharpness(self) -> Tensor:
        return torch.exp(10 * self.v).clamp(max=self.sharpest)


class ScheduledNeusOpacity(nn.Module):
    """:func:`neus_alpha` with a sharpness that grows along a run, ``first (last / first)^done``.

    Nothing is learned: for short runs, whose length a learned sharpness would not know. The
    schedule is ours.

    Args:
        first: s at the start of the run, in 1 / scene unit, above 0.
        last: s at its end; a module that was never told of a run has this.
        anneal_over: see :class:`NeusOpacity`.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> opacity = ScheduledNeusOpacity(20, 2000)
        >>> opacity.set_progress(0.5)
        >>> round(opacity.sharpness)
        200
    """

    def __init__(self, first: float, last: float, *, anneal_over: float = 0.0) -> None:
        super().__init__()
        if not (first > 0 and last > 0):
            raise InputError(
                f"`first` and `last` (={first:g}, {last:g}) must be above 0. Pass e.g. 20 and 2000."
            )
        _check_fraction("anneal_over", anneal_over)
        self.first, self.last, self.anneal_over = first, last, anneal_over
        self.anneal, self._sharpness = 1.0, float(last)

    @property
    def sharpness(self) -> float:
        """The s of now, in 1 / scene unit."""
        return self._sharpness

    def set_progress(self, done: float) -> None:
        """Take sharpness and annealing of a run of which ``done`` (0 to 1) is over."""
        self._sharpness = self.first * (self.last / self.first) ** done
        self.anneal = _annealed(done, self.anneal_over)

    def alpha(
        self,
        distance: Float[Tensor, "rays samples"],
        slope: Float[Tensor, "rays samples"],
        length: Float[Tensor, "rays samples"],
    ) -> Float[Tensor, "rays samples"]:
        """Opacity of sections: see :func:`neus_alpha`."""
        sharpness = distance.new_tensor(self._sharpness)
        return neus_alpha(distance, slope, length, sharpness, self.anneal)


def _annealed(done: float, over: float) -> float:
    return min(done / over, 1.0) if over > 0 else 1.0


def _check_fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise InputError(f"`{name}` (={value:g}) must be a fraction of the run, 0 to 1.")
