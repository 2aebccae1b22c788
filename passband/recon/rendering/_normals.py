"""Gradients and Laplacians of a signed distance from its values at a few points around."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError

_TETRAHEDRON = ((1.0, -1.0, -1.0), (-1.0, -1.0, 1.0), (-1.0, 1.0, -1.0), (1.0, 1.0, 1.0))


def numerical_gradient_4(
    distance: Callable[[Tensor], Tensor],
    x: Float[Tensor, "points 3"],
    step: float,
    *,
    center: Float[Tensor, " points"] | None = None,
) -> tuple[Float[Tensor, "points 3"], Float[Tensor, " points"]]:
    """``sum_k k f(x + e k) / (4 e)`` over the corners k of a tetrahedron, ``e = step / sqrt 3``.

    The Laplacian is ``(sum_k f(x + e k) / 2 - 2 f(x)) / e^2``. Both are exact for a quadratic f,
    but for ``e (f_yz, f_xz, f_xy)``, by which the gradient is off: the error is of first order in
    the step, where that of :func:`numerical_gradient_6` is of second, for a third less work.

    Args:
        distance: f, (n, 3) to (n,); called once for all points around, and once for x.
        x: where.
        step: distance of the points around from x, scene units, above 0.
        center: f(x), where it is known already; it is not computed then.

    Returns:
        Gradient (points, 3) and Laplacian (points,), differentiable as ``distance`` is.

    Raises:
        InputError: a step that is not above 0.

    Example:
        >>> x = torch.tensor([[0.0, 3.0, 4.0]], dtype=torch.float64)
        >>> gradient, laplacian = numerical_gradient_4(lambda x: x.norm(dim=-1), x, 1e-4)
        >>> [round(value, 3) for value in (*gradient[0].abs().tolist(), laplacian.item())]
        [0.0, 0.6, 0.8, 0.4]

    Reference: Li, Müller, Evans, Taylor, Unberath, Liu & Lin, *Neuralangelo: High-Fidelity Neural
    Surface Reconstruction*, CVPR 2023, sec. 3.2, who difference along the axes.
    """
    values, center = _around(distance, x, step / 3**0.5, _TETRAHEDRON, center)
    e = step / 3**0.5
    gradient = values.T @ values.new_tensor(_TETRAHEDRON) / (4 * e)
    return gradient, (values.sum(0) / 2 - 2 * center) / e**2


def numerical_gradient_6(
    distance: Callable[[Tensor], Tensor],
    x: Float[Tensor, "points 3"],
    step: float,
    *,
    center: Float[Tensor, " points"] | None = None,
) -> tuple[Float[Tensor, "points 3"], Float[Tensor, " points"]]:
    """``(f(x + step e_k) - f(x - step e_k)) / (2 step)`` along each axis k.

    The Laplacian is ``sum_k (f(x + step e_k) - 2 f(x) + f(x - step e_k)) / step^2``. Both are exact
    for a quadratic f.

    Args:
        distance: f, (n, 3) to (n,); called once for all points around, and once for x.
        x: where.
        step: distance of the points around from x, scene units, above 0.
        center: f(x), where it is known already; it is not computed then.

    Returns:
        Gradient (points, 3) and Laplacian (points,), differentiable as ``distance`` is.

    Raises:
        InputError: a step that is not above 0.

    Example:
        >>> x = torch.tensor([[0.0, 3.0, 4.0]], dtype=torch.float64)
        >>> gradient, laplacian = numerical_gradient_6(lambda x: x.norm(dim=-1), x, 1e-4)
        >>> [round(value, 3) for value in (*gradient[0].abs().tolist(), laplacian.item())]
        [0.0, 0.6, 0.8, 0.4]

    Reference: Li, Müller, Evans, Taylor, Unberath, Liu & Lin, *Neuralangelo: High-Fidelity Neural
    Surface Reconstruction*, CVPR 2023, eq. 4.
    """
    axes = torch.eye(3).tolist()
    offsets = [*axes, *([-value for value in axis] for axis in axes)]
    values, center = _around(distance, x, step, offsets, center)
    gradient = (values[:3] - values[3:]).T / (2 * step)
    return gradient, (values.sum(0) - 6 * center) / step**2


def cell_step(resolutions: Sequence[int], opened: float, *, extent: float = 2.0) -> float:
    """``extent / N``, one cell of the finest level that is open: the step of numerical normals.

    A step of one cell makes the gradient depend on all cells that f is interpolated from there, and
    smooths over a surface's details until the levels that carry them are open.

    Mind the unit: a cell of a grid over [-1, 1] with N vertices per unit interval of its own
    coordinates is 2 / N wide. An implementation that maps [-2, 2] to the grid and steps by 1 / N
    steps by a quarter of a cell, and numbers published with it are for that.

    Args:
        resolutions: N of each level, coarsest first.
        opened: number of levels that are open; with a level that is opening counted in part, the
            step falls geometrically from one level's cell to the next.
        extent: width of what the grid spans, scene units.

    Returns:
        The step in scene units.

    Raises:
        InputError: fewer than one level or more than there are.

    Example:
        >>> cell_step([32, 64, 128], 1), cell_step([32, 64, 128], 3), cell_step([32, 128], 1.5)
        (0.0625, 0.015625, 0.03125)

    Reference: Li, Müller, Evans, Taylor, Unberath, Liu & Lin, *Neuralangelo*, CVPR 2023, sec. 3.3.
    """
    if not 1 <= opened <= len(resolutions):
        raise InputError(
            f"`opened` (={opened:g}) must be between 1 and the number of levels, "
            f"{len(resolutions)}."
        )
    low = int(opened) - 1
    high = min(low + 1, len(resolutions) - 1)
    finer = resolutions[high] / resolutions[low]
    return float(extent / (resolutions[low] * finer ** (opened - low - 1)))


def _around(
    distance: Callable[[Tensor], Tensor],
    x: Tensor,
    step: float,
    offsets: Sequence[Sequence[float]],
    center: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """f at ``x + step offset``, (offsets, points), and at ``x``."""
    if not step > 0:
        raise InputError(f"`step` (={step:g}) must be above 0. Pass one cell of the finest grid.")
    shifted = x + step * x.new_tensor(offsets)[:, None]
    values = distance(shifted.reshape(-1, 3)).reshape(len(offsets), len(x))
    return values, distance(x) if center is None else center
