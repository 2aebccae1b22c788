"""Running median along the last axis."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_positive, require_real

# Values sorted at once, which bounds the memory whatever the signal.
_MOST_VALUES = 2**22


def running_median(x: Float[Tensor, "*batch time"], size: int) -> Float[Tensor, "*batch time"]:
    """Median of ``size`` neighbours, from ``x[t - size // 2]`` to ``x[t + (size - 1) // 2]``.

    Beyond its ends the signal is mirrored, the end sample included. The median of an even number is
    the upper of the two in the middle. The gradient goes to the sample that is the median.

    Args:
        x: values, of any length.
        size: number of neighbours, at least 1.

    Returns:
        Medians, of the shape of ``x``.

    Raises:
        TypeError: for values that are not float32 or float64.
        ValueError: for a size below 1, or no values.

    Example:
        >>> running_median(torch.tensor([1.0, 9.0, 2.0, 3.0]), 3)
        tensor([1., 2., 3., 3.])

    Agrees with ``scipy.ndimage.median_filter(mode="reflect")`` exactly.
    Reference: Tukey, Exploratory Data Analysis, Addison-Wesley, 1977, chapter 7.
    """
    require_real("x", x)
    require_positive("size", size, "Pass an odd number of neighbours, e.g. 31.")
    if size == 1:
        return x
    with torch.no_grad():
        source = _median_position(x.reshape(-1, x.shape[-1]), size)
    return x.gather(-1, source.reshape(x.shape))


def symmetric_windows(
    x: Float[Tensor, "*batch time"], size: int
) -> Float[Tensor, "*batch time {size}"]:
    """The ``size`` neighbours of every value, mirrored at the ends, as a view of a padded copy."""
    return x[..., _mirrored(x.shape[-1], size, x.device)].unfold(-1, size, 1)


def _mirrored(time: int, size: int, device: torch.device) -> Tensor:
    """Which value stands at each place of the padded signal."""
    position = torch.arange(-(size // 2), time + (size - 1) // 2, device=device) % (2 * time)
    return torch.minimum(position, 2 * time - 1 - position)


def _median_position(rows: Tensor, size: int) -> Tensor:
    """Where in its row the median of the neighbours of each value stands."""
    time = rows.shape[-1]
    mirrored = _mirrored(time, size, rows.device)
    places = torch.arange(time, device=rows.device)
    n_places = max(1, _MOST_VALUES // size)
    pieces = []
    for block in torch.split(rows, max(1, n_places // time)):
        windows = symmetric_windows(block, size)
        ranked = [
            part.kthvalue(size // 2 + 1)[1] for part in torch.split(windows, n_places, dim=-2)
        ]
        pieces.append(mirrored[places + torch.cat(ranked, dim=-1)])
    return torch.cat(pieces)
