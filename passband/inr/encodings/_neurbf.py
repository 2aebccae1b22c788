"""Adaptive radial basis functions."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.encodings._neurbf_clusters import weighted_clusters
from passband.inr.kernels.nearest import NearestIndex
from passband.inr.kernels.neurbf import (
    InverseQuadratic,
    RadialBackend,
    RadialKernel,
    radial_features,
)

_EXTENT = 2.0  # of the interval [-1, 1]
_INIT_SCALE = 1e-4


class NeuRBF(nn.Module):
    """``g_f(x) = sum_i w[i, f] sin(m_f phi_i(x) / sum_j phi_j(x))`` over the nearest kernels i.

    The multipliers ``m_f`` are spaced geometrically, so one kernel carries many frequencies. The
    features of ``grid``, where given, come in front; a trained bias is added to both.

    Kernels are not trained. They start scattered evenly; :meth:`adapt` puts them where the signal
    has detail and gives each the shape of the points around it, with widths between 1/(200 d) and
    1/10 of the interval [-1, 1].

    Args:
        in_features: coordinates of a point.
        n_kernels: number of kernels; see :func:`kernels_for_budget`.
        n_features: features of a kernel; 32 for pictures, 16 for shapes in the paper.
        neighbours: kernels that a point sees; 4 for pictures, 8 for shapes.
        multipliers: the least and the largest m, in radians; (2^-3, 2^12) for pictures, (1, 8) for
            shapes.
        kernel: phi; ``InverseQuadratic()`` for pictures, ``Tent()`` for shapes.
        grid: an encoding for what lies between the kernels, such as a small hash grid.
        backend: see :func:`~passband.inr.kernels.neurbf.radial_features`.
        generator: source of the initial values.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> encoding = NeuRBF(2, n_kernels=50, n_features=8)
        >>> points = torch.rand(1000, 2) * 2 - 1
        >>> encoding.adapt(points, weights=(-9 * points.square().sum(dim=-1)).exp())
        >>> encoding(points).shape, bool(encoding.centres.abs().mean() < 0.4)
        (torch.Size([1000, 8]), True)

    Reference: Chen et al., *NeuRBF: A Neural Fields Representation with Adaptive Radial Basis
    Functions*, ICCV 2023, sec. 3.
    """

    centres: Tensor
    shapes: Tensor
    multipliers: Tensor

    def __init__(
        self,
        in_features: int,
        *,
        n_kernels: int,
        n_features: int = 32,
        neighbours: int = 4,
        multipliers: tuple[float, float] = (2.0**-3, 2.0**12),
        kernel: RadialKernel | None = None,
        grid: nn.Module | None = None,
        backend: RadialBackend = "auto",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("n_features", n_features)
        check_count("neighbours", neighbours)
        check_count("n_kernels", n_kernels, least=neighbours)
        self.in_features = in_features
        self.neighbours = neighbours
        self.kernel = InverseQuadratic() if kernel is None else kernel
        self.grid = grid
        self.backend: RadialBackend = backend
        self.out_features = n_features + (int(grid.out_features) if grid is not None else 0)  # type: ignore[arg-type]
        device = generator.device if generator is not None else None
        centres = torch.rand(n_kernels, in_features, generator=generator, device=device) * 2 - 1
        self.register_buffer("centres", centres)
        width = _EXTENT * n_kernels ** (-1 / in_features)
        even = torch.eye(in_features).expand(n_kernels, -1, -1) * width**2 / in_features
        self.register_buffer("shapes", self._shapes_of(even).to(centres))
        self.register_buffer("multipliers", geometric(*multipliers, n_features).to(centres))
        weights = torch.empty(n_kernels, n_features, device=device)
        weights.uniform_(-_INIT_SCALE, _INIT_SCALE, generator=generator)
        self.weights = nn.Parameter(weights)
        self.bias = nn.Parameter(torch.zeros(self.out_features, device=device))
        self._index: tuple[tuple[int, int], NearestIndex] | None = None

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``, those of the grid first."""
        points = x.reshape(-1, self.in_features)
        features = radial_features(
            points,
            self._nearest(points),
            self.centres,
            self.shapes,
            self.weights,
            self.multipliers,
            self.kernel,
            backend=self.backend,
        ).reshape(*x.shape[:-1], self.weights.shape[1])
        if self.grid is not None:
            features = torch.cat((self.grid(x), features), dim=-1)
        return features + self.bias

    def adapt(
        self,
        points: Float[Tensor, "n d"],
        weights: Float[Tensor, " n"],
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        """Put the kernels where ``weights`` are large, by ten rounds of weighted k-means.

        Args:
            points: coordinates, at least as many as there are kernels.
            weights: how much detail is there: the size of the gradient in a picture, one over the
                distance to a surface.
            generator: source of the first centres, on the CPU.

        Raises:
            InputError: too few points, or weights below 0 or not finite.
        """
        # On the CPU, so that every device gets the same kernels.
        centres, covariances = weighted_clusters(
            points.cpu(), weights.cpu(), len(self.centres), generator=generator
        )
        self.place(centres, covariances)

    def place(
        self,
        centres: Float[Tensor, "kernels d"],
        covariances: Float[Tensor, "kernels d d"],
    ) -> None:
        """Put the kernels at ``centres``, shaped like clusters of these ``covariances``.

        Raises:
            InputError: another number of kernels or axes.
        """
        if centres.shape != self.centres.shape:
            raise InputError(
                f"`centres` must have the shape {tuple(self.centres.shape)}, "
                f"not {tuple(centres.shape)}."
            )
        self.centres.copy_(centres)
        self.shapes.copy_(self._shapes_of(covariances))

    def _shapes_of(self, covariances: Tensor) -> Tensor:
        narrowest = _EXTENT / (2 * self.in_features * 100)
        return self.kernel.shapes(covariances.double().cpu(), narrowest, _EXTENT / 10)

    def _nearest(self, points: Tensor) -> Tensor:
        # The version of a tensor counts its changes in place: loading, adapting.
        state = (id(self.centres), self.centres._version)
        if self._index is None or self._index[0] != state:
            self._index = state, NearestIndex(self.centres, self.neighbours)
        return self._index[1](points)


def geometric(low: float, high: float, count: int) -> Tensor:
    """``count`` numbers from ``low`` to ``high``, each the same factor above the one before.

    Example:
        >>> geometric(1.0, 8.0, 4)
        tensor([1., 2., 4., 8.])
    """
    check_positive("low", low)
    check_positive("high", high)
    exponents = torch.linspace(0, 1, count, dtype=torch.float64)
    return (low * (high / low) ** exponents).float()


def kernels_for_budget(
    budget: int,
    in_features: int,
    *,
    n_features: int = 32,
    kernel: RadialKernel | None = None,
) -> int:
    """How many kernels ``budget`` numbers can describe: centre, shape and weights of each.

    What else a field has (grid, network) is the caller's to subtract.

    Raises:
        InputError: a budget for less than one kernel.

    Example:
        >>> kernels_for_budget(185_000, 2)
        5000
    """
    kernel = InverseQuadratic() if kernel is None else kernel
    each = in_features + kernel.size(in_features) + n_features
    if budget < each:
        raise InputError(f"`budget` (={budget}) must be at least {each}, the numbers of a kernel.")
    return budget // each
