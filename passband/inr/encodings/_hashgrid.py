"""A learnable multi-resolution hash grid."""

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_not_negative
from passband.inr.kernels.hashgrid import (
    GridType,
    HashGridBackend,
    HashGridLayout,
    Interpolation,
    hashgrid_encode,
    hashgrid_encode_with_jacobian,
)


class HashGrid(nn.Module):
    """Features interpolated in ``n_levels`` grids, each finer than the last by a constant factor.

    Entry for entry the grid of tiny-cuda-nn's otypes ``HashGrid``, ``DenseGrid`` and ``TiledGrid``:
    see :func:`~passband.inr.kernels.hashgrid.hashgrid_encode`. Coordinates in [-1, 1] are mapped to
    its [0, 1] first, ``(x + 1) / 2``, so N vertices per axis are about N / 2 per unit.

    Args:
        in_features: coordinates of a point, 1 to 7.
        n_levels: number of levels.
        n_features_per_level: features of one table row.
        log2_hashmap_size: T; a level has at most ``2^T`` rows and shares them beyond.
        base_resolution: vertices per axis of the coarsest level.
        per_level_scale: growth of the resolution from one level to the next.
        finest_resolution: vertices per axis of the finest level. Exactly one of the two is given.
        grid_type: ``hash``; ``dense``, every vertex has its row; or ``tiled``, the coarsest level's
            number of rows, repeated.
        interpolation: ``linear``, ``smoothstep`` (derivatives are continuous) or ``nearest``.
        allow_large: take levels of more than 2^24 rows.
        coarse_to_fine: fraction of a run, 0 to 1, over which levels open, the coarsest first; 0
            has all of them open from the start.
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
    Encoding*, ACM Trans. Graph. 41(4), 2022. How levels open: Lin et al., *BARF: Bundle-Adjusting
    Neural Radiance Fields*, ICCV 2021, eq. 14, there for octaves of a positional encoding.
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
        grid_type: GridType = "hash",
        interpolation: Interpolation = "linear",
        allow_large: bool = False,
        coarse_to_fine: float = 0.0,
        init_scale: float = 1e-4,
        backend: HashGridBackend = "auto",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_not_negative("init_scale", init_scale)
        if not 0 <= coarse_to_fine <= 1:
            raise InputError(
                f"`coarse_to_fine` (={coarse_to_fine}) must be a fraction of the run, 0 to 1. "
                f"Pass e.g. 0.3."
            )
        self.layout = HashGridLayout.build(
            in_features,
            n_levels=n_levels,
            n_features_per_level=n_features_per_level,
            log2_hashmap_size=log2_hashmap_size,
            base_resolution=base_resolution,
            per_level_scale=per_level_scale,
            finest_resolution=finest_resolution,
            grid_type=grid_type,
            interpolation=interpolation,
            allow_large=allow_large,
        )
        self.in_features = in_features
        self.out_features = self.layout.out_features
        self.backend: HashGridBackend = backend
        self.coarse_to_fine = coarse_to_fine
        self.level_weights = (1.0,) * n_levels
        device = generator.device if generator is not None else None
        table = torch.empty(self.layout.total_entries, n_features_per_level, device=device)
        table.uniform_(-init_scale, init_scale, generator=generator)
        self.table = nn.Parameter(table)

    def set_progress(self, done: float) -> None:
        """Open the levels of a run of which ``done`` (0 to 1) is over.

        Level l has the weight ``(1 - cos(pi clamp(a - l, 0, 1))) / 2``, where a grows from 1 to the
        number of levels in the first ``coarse_to_fine`` of the run.
        """
        count = len(self.layout.levels)
        share = min(done / self.coarse_to_fine, 1.0) if self.coarse_to_fine > 0 else 1.0
        opened = 1 + (count - 1) * share
        openings = (min(max(opened - level, 0.0), 1.0) for level in range(count))
        self.level_weights = tuple((1 - math.cos(math.pi * part)) / 2 for part in openings)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``, coarsest level first; those of closed levels are 0."""
        table, layout = self._open_levels()
        encoded = hashgrid_encode(0.5 * x + 0.5, table, layout, backend=self.backend)
        return encoded if layout is self.layout else self._weighted(encoded[..., None])[..., 0]

    def with_jacobian(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> tuple[
        Float[Tensor, "*batch {self.out_features}"],
        Float[Tensor, "*batch {self.out_features} {self.in_features}"],
    ]:
        """Features of ``x`` and their derivatives ``d feature / d x``, in one pass.

        Example:
            >>> grid = HashGrid(3, n_levels=2, log2_hashmap_size=8, finest_resolution=32)
            >>> features, jacobian = grid.with_jacobian(torch.zeros(5, 3))
            >>> jacobian.shape
            torch.Size([5, 4, 3])
        """
        table, layout = self._open_levels()
        encoded, jacobian = hashgrid_encode_with_jacobian(
            0.5 * x + 0.5, table, layout, backend=self.backend
        )
        jacobian = 0.5 * jacobian
        if layout is self.layout:
            return encoded, jacobian
        return self._weighted(encoded[..., None])[..., 0], self._weighted(jacobian)

    def _open_levels(self) -> tuple[Tensor, HashGridLayout]:
        """Table and layout up to the finest level that is open; the whole where all are."""
        if all(weight == 1 for weight in self.level_weights):
            return self.table, self.layout
        count = sum(weight > 0 for weight in self.level_weights)
        layout = replace(self.layout, levels=self.layout.levels[:count])
        return self.table[: layout.total_entries], layout

    def _weighted(self, values: Tensor) -> Tensor:
        """Values (..., columns, k) times the weights of their levels, with zeros for the closed."""
        features = self.layout.n_features_per_level
        weights = values.new_tensor(self.level_weights).repeat_interleave(features)[:, None]
        missing = self.out_features - values.shape[-2]
        return weights * F.pad(values, (0, 0, 0, missing))
