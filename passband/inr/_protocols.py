"""What an encoding or a network may offer beyond its forward pass; the fit uses what is there."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Staged(Protocol):
    """Opens itself in the course of a run, such as a grid whose levels join from coarse to fine."""

    def set_progress(self, done: float) -> None:
        """Take the state of a run of which ``done`` (0 to 1) is over; it depends on nothing else.

        A module that was never told is complete.
        """


@runtime_checkable
class Adaptive(Protocol):
    """Has constants that follow the signal, such as kernels where its detail is."""

    def adapt(
        self, points: Tensor, weights: Tensor, *, generator: torch.Generator | None = None
    ) -> None:
        """Set them, once before training.

        Args:
            points: ``(n, d)``, coordinates in [-1, 1].
            weights: ``(n,)``, at least 0: how much detail is there.
            generator: source of what is drawn.
        """


@runtime_checkable
class Levelled(Protocol):
    """Gives an approximation of the signal at each of several levels."""

    def level_outputs(self, x: Tensor) -> list[Tensor]:
        """Values of each active level, ``(..., d_out)``; the last are those of the forward pass."""


@runtime_checkable
class Penalized(Protocol):
    """Asks for something beside the loss of the fit."""

    def penalty(self) -> Tensor:
        """A scalar to add to the loss of the forward pass just made."""
