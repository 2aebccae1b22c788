"""Points of a shape: on its surface, near it, and in the cube around it."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.inr.targets._mesh_points import sample_mesh
from passband.inr.targets._shape import ShapeTarget
from passband.training import ShuffledSampler, make_generator

_STREAM = 7  # keeps the pool's numbers apart from those of the initial weights and the batches
NEAR = 1.8 / 1024
"""Standard deviation of points near the surface: the largest extent of a shape over 1024."""


def sample_surface(
    target: ShapeTarget, n: int, generator: torch.Generator | None = None
) -> Float[Tensor, "n 3"]:
    """Points spread evenly over the surface of a shape, float32."""
    return sample_mesh(target.mesh, n, generator=generator)[0].float()


def sample_near_surface(
    target: ShapeTarget, n: int, sigma: float = NEAR, generator: torch.Generator | None = None
) -> Float[Tensor, "n 3"]:
    """Surface points moved along each axis by logistic noise of standard deviation ``sigma``.

    Points that would leave the cube [-1, 1]^3 are put on its sides.

    Args:
        target: the shape.
        n: how many points.
        sigma: in units of the coordinates, positive.
        generator: source of the numbers, on the processor.
    """
    if not sigma > 0.0:
        raise InputError(f"`sigma` (={sigma:g}) must be positive. Pass e.g. {NEAR:.4g}.")
    points = sample_mesh(target.mesh, n, generator=generator)[0]
    uniform = torch.rand(n, 3, generator=generator, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
    noise = torch.logit(uniform) * (sigma * math.sqrt(3.0) / math.pi)
    return (points + noise).clamp(-1.0, 1.0).float()


def sample_volume(
    target: ShapeTarget, n: int, generator: torch.Generator | None = None
) -> Float[Tensor, "n 3"]:
    """Points spread evenly over the cube [-1, 1]^3, whatever the shape in it, float32."""
    return 2.0 * torch.rand(n, 3, generator=generator) - 1.0


def shape_samples(
    target: ShapeTarget,
    n: int,
    *,
    sigma: float = NEAR,
    generator: torch.Generator | None = None,
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]]:
    """``n`` points of a shape with their signed distances: 4/8 on it, 3/8 near it, 1/8 anywhere.

    Args:
        target: the shape.
        n: how many points.
        sigma: of the points near it, see :func:`sample_near_surface`.
        generator: source of the numbers, on the processor.

    Returns:
        ``(points, distances)``, float32, surface first. Distances on the surface are 0.

    Reference: Müller, Evans, Schied, Keller, *Instant Neural Graphics Primitives with a
    Multiresolution Hash Encoding*, ACM Trans. Graph. 41(4), 2022 (training of signed distances).
    """
    on = n // 2
    near = 3 * n // 8
    surface = sample_surface(target, on, generator)
    close = sample_near_surface(target, near, sigma, generator)
    anywhere = sample_volume(target, n - on - near, generator)
    beside = torch.cat((close, anywhere))
    distances = torch.cat((torch.zeros(on), target.distance(beside)))
    return torch.cat((surface, beside)), distances


def shape_importance(
    target: ShapeTarget, n: int, *, eps: float = 1e-3, generator: torch.Generator | None = None
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]]:
    """Points of a shape and, as their weights, ``1 / (|distance| + eps)``.

    Args:
        target: the shape.
        n: how many points.
        eps: distance under which points count alike, in units of the coordinates. Its value is
            ours; with a value near 0, points on the surface leave no weight to the others.
        generator: source of the numbers, on the processor.

    Returns:
        ``(points, weights)``, float32.

    Reference: Chen, Li, Song, Chen, Yu, Yuan, Xu, *NeuRBF: A Neural Fields Representation with
    Adaptive Radial Basis Functions*, ICCV 2023 (initialisation for signed distances).
    """
    if not eps > 0.0:
        raise InputError(f"`eps` (={eps:g}) must be positive. Pass e.g. 1e-3.")
    points, distances = shape_samples(target, n, generator=generator)
    return points, 1.0 / (distances.abs() + eps)


class ShapeSampler:
    """Batches of points with their signed distances, a function of the step number alone.

    A pool of :func:`shape_samples` is made once and dealt out in shuffled order, as
    :class:`passband.training.ShuffledSampler` does, since a distance costs as much as a training
    step spends on a point. 2^21 points take 32 MiB.

    Args:
        target: the shape.
        batch_size: points per step; capped at ``pool``.
        seed: seed of the pool and of its order.
        pool: points made.
        sigma: of the points near the surface.
        device: where the batches are.
    """

    def __init__(
        self,
        target: ShapeTarget,
        batch_size: int,
        *,
        seed: int,
        pool: int = 2**21,
        sigma: float = NEAR,
        device: torch.device | str = "cpu",
    ) -> None:
        generator = make_generator(seed, _STREAM)
        points, distances = shape_samples(target, pool, sigma=sigma, generator=generator)
        self._pool = torch.cat((points, distances[:, None]), dim=1).to(device)
        self._order = ShuffledSampler(pool, batch_size, seed=seed, device=device)

    def __call__(self, step: int) -> tuple[Float[Tensor, "batch 3"], Float[Tensor, "batch 1"]]:
        """Points and distances of ``step`` (from 0)."""
        batch = self._pool[self._order(step)]
        return batch[:, :3].contiguous(), batch[:, 3:]
