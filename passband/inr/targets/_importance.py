"""Where the detail of a signal is."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.inr.targets._grid import GridTarget, grid_coordinates


def grid_importance(
    target: GridTarget,
) -> tuple[Float[Tensor, "n d"], Float[Tensor, " n"]]:
    """The samples of a signal and, as their weights, the length of its gradient there.

    ``sqrt(sum_c sum_k (d s_c / d x_k)^2)`` by central differences (one-sided at the ends) along
    each axis of each channel, per sample.

    Args:
        target: the signal.

    Returns:
        ``(points, weights)``: coordinates in [-1, 1] in the order of the flat grid, and weights at
        least 0.

    Example:
        >>> from passband.inr.targets import image_target
        >>> points, weights = grid_importance(image_target("skimage:astronaut"))
        >>> points.shape, weights.shape
        (torch.Size([262144, 2]), torch.Size([262144]))
    """
    signal = target.signal
    axes = [axis for axis in range(1, signal.ndim) if signal.shape[axis] > 1]
    squares = torch.zeros(signal.shape[1:])
    for slope in torch.gradient(signal, dim=axes):
        squares += slope.square().sum(dim=0)
    points = grid_coordinates(torch.arange(target.info.count), target.info.size)
    return points, squares.sqrt().flatten()
