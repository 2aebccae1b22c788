"""What a step learns from: random crops of random files at random levels."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks import Recordings
from passband.training import make_generator

_ORDER, _CROP = 102, 103  # streams of numbers


class Clips:
    """Batches of crops, a function of seed, step and item alone, so that a run resumes exactly.

    Every epoch goes through all files in an order of its own. Of each a random stretch is taken, at
    a peak of the whole file drawn evenly in decibels; files shorter than a crop are repeated. A
    file that cannot be read leaves its place to the next of its epoch.

    Args:
        recordings: the files, with a peak of 1.
        samples: length of a crop, at least 1.
        batch_size: crops per step in all processes together, a multiple of ``processes``.
        seed: of all that is drawn.
        gain_db: least and largest peak, in dB of full scale.
        process: which share of the batch is wanted, from 0.
        processes: number of shares.

    Raises:
        InputError: the batch cannot be shared evenly; in a call, if no file can be read.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from passband.media import write_audio
        >>> path = Path(tempfile.mkdtemp()) / "a.wav"
        >>> write_audio(path, torch.rand(1, 1000), 8000)
        >>> clips = Clips(Recordings([path], 8000), samples=256, batch_size=4, seed=0)
        >>> clips(7).shape, torch.equal(clips(7), clips(7)), torch.equal(clips(7), clips(8))
        (torch.Size([4, 256]), True, False)

    Reference: Siuzdak, Vocos: closing the gap between time-domain and Fourier-based neural
    vocoders, ICLR, 2024, section 4.1 (crops and gain); the order of files is ours.
    """

    def __init__(
        self,
        recordings: Recordings,
        *,
        samples: int,
        batch_size: int,
        seed: int,
        gain_db: tuple[float, float] = (-6.0, -1.0),
        process: int = 0,
        processes: int = 1,
    ) -> None:
        if batch_size % processes:
            raise InputError(
                f"`data.batch_size` (={batch_size}) must be a multiple of the number of processes, "
                f"{processes}. Change one of them."
            )
        self.recordings, self.samples, self.seed = recordings, samples, seed
        self.batch_size, self.gain_db = batch_size, gain_db
        share = batch_size // processes
        self._items = range(process * share, (process + 1) * share)
        self._order = lru_cache(maxsize=4)(self._permutation)

    def __call__(self, step: int) -> Float[Tensor, "batch samples"]:
        """This process's crops of step ``step`` (from 0)."""
        return torch.stack([self._clip(step * self.batch_size + item) for item in self._items])

    def _clip(self, position: int) -> Tensor:
        sound = self._sound(position)
        generator = make_generator(self.seed, _CROP, position)
        where, level = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
        low, high = self.gain_db
        gain: float = 10 ** ((low + level * (high - low)) / 20)
        return gain * crop(sound, self.samples, where)

    def _sound(self, position: int) -> Tensor:
        count = len(self.recordings)
        epoch, place = divmod(position, count)
        order = self._order(epoch)
        for offset in range(count):
            sound = self.recordings(order[(place + offset) % count])
            if sound is not None:
                return sound
        raise InputError(
            f"none of the {count} sound files can be read. The first says: "
            f"{next(iter(self.recordings.faults.values()))}"
        )

    def _permutation(self, epoch: int) -> list[int]:
        generator = make_generator(self.seed, _ORDER, epoch)
        order: list[int] = torch.randperm(len(self.recordings), generator=generator).tolist()
        return order


def crop(sound: Float[Tensor, " time"], samples: int, where: float) -> Float[Tensor, " samples"]:
    """``samples`` of ``sound``, from the part ``where`` of the places they can begin at.

    Args:
        sound: repeated if it is shorter.
        samples: how many to take, at least 1.
        where: in [0, 1).

    Example:
        >>> crop(torch.arange(5.0), 2, 0.5), crop(torch.arange(2.0), 5, 0.5)
        (tensor([2., 3.]), tensor([0., 1., 0., 1., 0.]))
    """
    if len(sound) < samples:
        return sound.repeat(-(-samples // len(sound)))[:samples]
    start = int(where * (len(sound) - samples + 1))
    return sound[start : start + samples]
