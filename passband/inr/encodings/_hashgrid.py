"""A learnable multi-resolution hash grid."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_not_negative
from passband.inr.kernels.hashgrid import HashGridBackend, HashGridLayout, hashgrid_encode


class HashGrid(nn.Module):
    """Features interpolated in ``n_levels`` grids, each finer than the last by a constant factor.

    Entry for entry the grid of tiny-cuda-nn's otype ``HashGrid`` with linear interpolation: see
    :func:`~passband.inr.kernels.hashgrid.hashgrid_encode`. Coordinates in [-1, 1] are mapped to its
    [0, 1] first, ``(x + 1) / 2``, so N vertices per axis are about N / 2 per unit.

    Args:
        in_features: coordinates of a point, 1 to 4.
        n_levels: number of levels.
        n_features_per_level: features of one table row.
        log2_hashmap_size: T; a level has at most ``2^T`` rows and shares them beyond.
        base_resolution: vertices per axis of the coarsest level.
        per_level_scale: growth of the resolution from one level to the next.
        finest_resolution: vertices per axis of the finest level. Exactly one of the two is given.
        init_scale: half-width of the uniform law of the table's initial values.
        backend: see :func:`~passband.inr.kernels.hashgrid.hashgrid_encode`.
        generator: source of the initial values; the same seed gives the same draws, scaled.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> grid = HashGrid(2, n_levels=4, log2_hashmap_size=10, finest_resolution=64)
        >>> grid(torch.zeros(5, 2)).shape, grid.table.shape
        (torch.Size([5, 8]), torch.Size([2984, 2]))

    Reference: Müller et al., *Instant Neural Graphics Primitives with a Multiresolution Hash
    Encoding*, ACM Trans. Graph. 41(4), 2022.
    """

    def __init__(
        self,
        in_features: int,
        *,
        n_levels: int = 16,
        n_features_per_level: int = 2,
        log2_hashmap_size: int = 19,
        base_resolution: int = 16,
        per_level_scale: float | None = None,
        finest_resolution: int | None = None,
        init_scale: float = 1e-4,
        backend: HashGridBackend = "auto",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_not_negative("init_scale", init_scale)
        self.layout = HashGridLayout.build(
            in_features,
            n_levels=n_levels,
            n_features_per_level=n_features_per_level,
            log2_hashmap_size=log2_hashmap_size,
            base_resolution=base_resolution,
            per_level_scale=per_level_scale,
            finest_resolution=finest_resolution,
        )
        self.in_features = in_features
        self.out_features = self.layout.out_features
        self.backend: HashGridBackend = backend
        device = generator.device if generator is not None else None
        table = torch.empty(self.layout.total_entries, n_features_per_level, device=device)
        table.uniform_(-init_scale, init_scale, generator=generator)
        self.table = nn.Parameter(table)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``, coarsest level first."""
        return hashgrid_encode(0.5 * x + 0.5, self.table, self.layout, backend=self.backend)
