"""Weighted clusters of points: where the kernels of a radial encoding go, and how wide they are."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from passband.errors import InputError
from passband.inr.kernels.nearest import NearestIndex

_BROADENING = 2.0  # 1 / alpha, alpha = 0.5


def weighted_clusters(
    points: Float[Tensor, "n d"],
    weights: Float[Tensor, " n"],
    count: int,
    *,
    rounds: int = 10,
    generator: torch.Generator | None = None,
) -> tuple[Float[Tensor, "{count} d"], Float[Tensor, "{count} d d"]]:
    """Centres of ``count`` clusters by Lloyd's rounds, and twice the covariances of their points.

    The first centres are points drawn without replacement, with probabilities in proportion to the
    weights. A cluster that loses its weight keeps its centre; its covariance is 0.

    Args:
        points: where.
        weights: how much each counts, at least 0; all alike where they are all 0.
        count: clusters, at most as many as points.
        rounds: assignments to the nearest centre, each followed by weighted means.
        generator: source of the first centres.

    Returns:
        Centres, and ``2 mean (p - c)(p - c)'`` in float64, of points assigned to the final centres.

    Raises:
        InputError: more clusters than points, or weights below 0 or not finite.

    Example:
        >>> line = torch.tensor([[-1.0], [-0.8], [0.9], [1.0]]).double()
        >>> centres, covariances = weighted_clusters(
        ...     line, torch.tensor([1.0, 1.0, 3.0, 1.0]), 2,
        ...     generator=torch.Generator().manual_seed(1))
        >>> sorted(centres[:, 0].round(decimals=3).tolist())
        [-0.9, 0.925]

    Reference: Chen et al., *NeuRBF*, ICCV 2023, sec. 3.4; the doubling is its released code's.
    """
    if not 1 <= count <= len(points):
        raise InputError(
            f"`count` (={count}) must be between 1 and the number of points, {len(points)}. "
            "Ask for fewer kernels."
        )
    if not (weights.isfinite().all() and (weights >= 0).all()):
        raise InputError("`weights` must be finite and at least 0.")
    weights = weights.double()
    if weights.sum() == 0:
        weights = torch.ones_like(weights)
    centres = points[_draw(weights, count, generator)]
    for _ in range(rounds):
        nearest = _assign(points, centres)
        total = _sums(nearest, weights, count)
        sums = [_sums(nearest, weights * column.double(), count) for column in points.unbind(-1)]
        means = torch.stack(sums, dim=-1) / total.clamp_min(1e-300)[:, None]
        centres = torch.where(total[:, None] > 0, means.to(points.dtype), centres)
    return centres, _covariances(points, weights, centres)


def _draw(weights: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    # The largest of log(u) / w are a draw without replacement (Efraimidis and Spirakis, 2006), and
    # torch.multinomial stops at 2^24 points.
    uniform = torch.rand(len(weights), generator=generator, dtype=torch.float64)
    return (uniform.clamp_min(1e-300).log() / weights.clamp_min(1e-300)).topk(count).indices


def _covariances(points: Tensor, weights: Tensor, centres: Tensor) -> Tensor:
    nearest = _assign(points, centres)
    offsets = points.double() - centres.double()[nearest]
    total = _sums(nearest, weights, len(centres)).clamp_min(1e-300)
    dims = points.shape[1]
    entries = [
        _sums(nearest, weights * offsets[:, a] * offsets[:, b], len(centres)) / total
        for a in range(dims)
        for b in range(dims)
    ]
    return _BROADENING * torch.stack(entries, dim=-1).reshape(-1, dims, dims)


def _assign(points: Tensor, centres: Tensor) -> Int[Tensor, " n"]:
    return NearestIndex(centres, 1)(points)[:, 0]


def _sums(nearest: Tensor, values: Tensor, count: int) -> Tensor:
    return torch.bincount(nearest, weights=values, minlength=count)
