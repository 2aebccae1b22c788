"""Posed photographs of one object, and what is held out of them."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Cameras


@dataclass(frozen=True, eq=False)
class Photographs:
    """Pictures, masks and cameras of one object that lies in the unit sphere of the scene.

    Args:
        names: of the pictures, unique.
        images: RGB, one tensor per picture, of its own size.
        masks: True on the object, one per picture; None where the data has none.
        cameras: one per picture, in the scene frame.
        to_world: similarity from the scene to the world of the data.
        notes: what was skipped or assumed in reading, one line each.
    """

    names: tuple[str, ...]
    images: tuple[UInt8[Tensor, "_ _ 3"], ...]
    masks: tuple[Bool[Tensor, "_ _"], ...] | None
    cameras: Cameras
    to_world: Float[Tensor, "4 4"]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def select(self, index: Int[Tensor, " m"]) -> "Photographs":
        """The pictures numbered ``index``, in that order, with their cameras and masks.

        Args:
            index: 0 to n - 1.
        """
        kept = index.tolist()
        return Photographs(
            tuple(self.names[i] for i in kept),
            tuple(self.images[i] for i in kept),
            None if self.masks is None else tuple(self.masks[i] for i in kept),
            self.cameras.select(index),
            self.to_world,
            self.notes,
        )


def held_out(photographs: Photographs, every: int = 10) -> tuple[Photographs, Photographs]:
    """Pictures to learn from, and those to judge by: numbers 0, e, 2 e, ... of all.

    Args:
        photographs: at least 2.
        every: e, from 2 on.

    Returns:
        (train, test).

    Raises:
        InputError: fewer than 2 pictures, or ``every`` below 2.

    Example:
        >>> one = torch.zeros(1, 1, 3, dtype=torch.uint8)
        >>> eyes, sizes = torch.eye(4).expand(5, 4, 4), torch.ones(5, 2, dtype=torch.int64)
        >>> cameras = Cameras(eyes[:, :3, :3], eyes, sizes)
        >>> five = Photographs(tuple("abcde"), (one,) * 5, None, cameras, torch.eye(4))
        >>> [part.names for part in held_out(five, every=3)]
        [('b', 'c', 'e'), ('a', 'd')]
    """
    if every < 2:
        raise InputError(f"`every` (={every}) must be at least 2. 10 holds out a tenth.")
    if len(photographs) < 2:
        raise InputError(f"`photographs` (of {len(photographs)}) must be at least 2. Add pictures.")
    number = torch.arange(len(photographs))
    test = number % every == 0
    return photographs.select(number[~test]), photographs.select(number[test])


def evenly_spread(photographs: Photographs, count: int) -> Photographs:
    """``count`` of the pictures, the first and the last among them; all where there are no more.

    Args:
        photographs: in their order.
        count: from 1 on.
    """
    if count >= len(photographs):
        return photographs
    return photographs.select(torch.linspace(0, len(photographs) - 1, count).round().long())
