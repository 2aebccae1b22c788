"""The one form in which seismograms of every format are handled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.frequency import resample

_FINEST = 100  # denominator of a rate in Hz: 31.25 is exact, and 100.000002 of a float32 is 100


@dataclass(frozen=True)
class Record:
    """Channels of one station over one stretch of time.

    Attributes:
        samples: float64 ``(channels, time)``, in the file's units.
        sample_rate: in Hz.
        pick: sample of the first arrival, where the file has one.

    Example:
        >>> import torch
        >>> Record(torch.zeros(3, 200, dtype=torch.float64), 100.0).seconds
        2.0
    """

    samples: Tensor
    sample_rate: float
    pick: int | None = None

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.samples.shape[-1] / self.sample_rate


@dataclass(frozen=True)
class SeismicFile:
    """What a file holds, and how others of its form and metadata are written.

    Attributes:
        records: one for each stretch.
        write: takes a path, and for each record samples of its shape.
    """

    records: Sequence[Record]
    write: Callable[[Path, Sequence[Tensor]], None]


def require_numbers(samples: Tensor, source: object) -> None:
    """Raise unless there are samples, and all of them are numbers.

    Raises:
        InputError: names ``source``.

    Example:
        >>> import torch
        >>> require_numbers(torch.zeros(1, 5), "a.npz")
    """
    if not samples.numel():
        raise InputError(f"{source} holds no samples. Check how it was written.")
    bad = int((~samples.isfinite()).sum())
    if bad:
        raise InputError(
            f"{source} holds {bad} samples that are NaN or infinite, of {samples.numel()}. Cut the "
            "record at its gaps, or fill them."
        )


def at_rate(
    samples: Float[Tensor, "*batch time"], sample_rate: float, wanted: float
) -> Float[Tensor, "*batch new_time"]:
    """``samples`` of any rate at ``wanted`` Hz; rates are rounded to hundredths of a ratio.

    Args:
        samples: at ``sample_rate``.
        sample_rate: in Hz, above 0; need not be whole.
        wanted: in Hz, above 0; need not be whole.

    Example:
        >>> import torch
        >>> at_rate(torch.zeros(2, 125), 31.25, 100).shape
        torch.Size([2, 400])
    """
    have, want = (Fraction(rate).limit_denominator(_FINEST) for rate in (sample_rate, wanted))
    if min(have, want) <= 0:
        raise InputError(
            f"`sample_rate` (={sample_rate:g} Hz) must be at least 0.01 Hz. Check the header."
        )
    common = have.denominator * want.denominator
    return resample(samples, int(have * common), int(want * common))
