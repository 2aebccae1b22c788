"""The faults any format can have, each told in one line: which file, what is wrong, the cure.

``name`` is the path as the person gave it, with the format in brackets where the suffix differs.
"""

import math
from dataclasses import dataclass

import numpy as np

from passband.errors import InputError


@dataclass(frozen=True)
class Header:
    """What the first bytes of a file promise: (channels, height, width) or (channels, time)."""

    shape: tuple[int, ...]
    bit_depth: int | None
    sample_rate: int | None = None


def cut_short(name: str, detail: str) -> InputError:
    """The file ends before what it promises."""
    return InputError(f"{name} is cut short: {detail}. Copy or download it again.")


def damaged(name: str, detail: object) -> InputError:
    """The file's bytes make no sense."""
    reason = " ".join(str(detail).split()).rstrip(".")
    return InputError(f"{name} is damaged: {reason}. Copy or download it again.")


def unsupported(name: str, detail: str, cure: str) -> InputError:
    """The file is sound but holds something not read here."""
    return InputError(f"{name} {detail}, which is not read here. {cure}")


def several(name: str, count: int, noun: str) -> InputError:
    """The file holds more than one picture."""
    return InputError(f"{name} holds {count} {noun}; exactly one is read. Pass a file with one.")


def check_size(name: str, header: Header, max_samples: int) -> None:
    """Raise `InputError` where the header promises nothing, or more than ``max_samples`` numbers.

    Called before any memory is taken for the samples.
    """
    size = " x ".join(f"{n:,}" for n in header.shape)
    total = math.prod(header.shape)
    if total == 0:
        what = "audio" if len(header.shape) == 2 else "pixels"
        raise InputError(f"{name} holds no {what} ({size}). Pass a file that does.")
    if total > max_samples:
        raise InputError(
            f"{name} holds {size} = {total:,} samples, more than `max_samples` (={max_samples:,}). "
            f"Pass a smaller file, or raise it with --set target.max_samples={total} where "
            f"{total * 4 / 1e6:,.1f} MB of memory can be spared."
        )


def check_finite(
    name: str, samples: np.ndarray, axes: tuple[str, ...], cure: str = "Repair it"
) -> None:
    """Raise `InputError` where samples are NaN or infinite: how many, and where the first is.

    ``axes`` are the names of the array's axes in the message.
    """
    finite = np.isfinite(samples)
    if finite.all():
        return
    first = np.unravel_index(int(finite.argmin()), samples.shape)
    place = ", ".join(f"{axis} {int(index)}" for axis, index in zip(axes, first, strict=True))
    count = finite.size - int(np.count_nonzero(finite))
    raise InputError(
        f"{name} holds {count:,} NaN or infinite samples of {finite.size:,}; the first is at "
        f"{place}. {cure}, e.g. with numpy.nan_to_num."
    )
