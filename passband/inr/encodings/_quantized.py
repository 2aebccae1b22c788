"""Coordinates snapped to a fine lattice."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr._protocols import Adaptive, Staged
from passband.inr.encodings._arguments import check_count, check_positive


class QuantizedCoordinates(nn.Module):
    """``inner(x_q)``, with ``x_q`` the middle of the cell of a virtual lattice that x lies in.

    Each axis of the cube [-extent, extent] has ``resolution`` lattice points and so one cell less,
    of side ``2 extent / (resolution - 1)``; the lattice goes on beyond the cube, whose upper faces
    count to its last cells. There are no parameters.

    **Derivatives are those of ``inner`` at the snapped point**, as if the snapping were the
    identity: that of the staircase itself is 0.

    Args:
        inner: any encoding.
        resolution: lattice points per axis; 25,600 in the paper.
        extent: half the side of the cube; 2.5 in the paper, for a scene in the unit sphere.

    Raises:
        InputError: an argument out of range. :meth:`forward` raises where the lattice is finer than
            the coordinates' floating-point type can tell: above 2^20 points in float32.

    Example:
        >>> from passband.inr.encodings import Identity
        >>> snapped = QuantizedCoordinates(Identity(1), resolution=5)
        >>> snapped(torch.tensor([[-1.0], [0.1], [0.4], [0.6], [1.0]])).T
        tensor([[-0.7500,  0.2500,  0.2500,  0.7500,  0.7500]])

    Reference: Jiang, Hua & Han, *Coordinate Quantized Neural Implicit Representations for
    Multi-view Reconstruction*, ICCV 2023, sec. 3.
    """

    def __init__(self, inner: nn.Module, *, resolution: int = 25600, extent: float = 1.0) -> None:
        super().__init__()
        check_count("resolution", resolution, least=2)
        check_positive("extent", extent)
        self.inner = inner
        self.resolution = resolution
        self.extent = extent
        self.in_features = int(inner.in_features)  # type: ignore[arg-type]
        self.out_features = int(inner.out_features)  # type: ignore[arg-type]

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the cells that the coordinates ``x`` lie in."""
        features: Tensor = self.inner(self.snap(x))
        return features

    def snap(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """The middles of the cells of ``x``, with the gradient of the identity.

        Raises:
            InputError: a lattice too fine for the dtype of ``x``.
        """
        finest = int(0.125 / torch.finfo(x.dtype).eps)
        if self.resolution > finest:
            raise InputError(
                f"`resolution` (={self.resolution}) must be at most {finest} for coordinates of "
                f"{x.dtype}, whose rounding a finer lattice would follow. Lower `resolution`."
            )
        snapped: Tensor = _Snap.apply(x, self.resolution - 1, self.extent)
        return snapped

    def set_progress(self, done: float) -> None:
        """Pass the progress of a run on to ``inner``."""
        if isinstance(self.inner, Staged):
            self.inner.set_progress(done)

    def adapt(
        self,
        points: Float[Tensor, "n d"],
        weights: Float[Tensor, " n"],
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        """Let ``inner`` follow the signal, where it can."""
        if isinstance(self.inner, Adaptive):
            self.inner.adapt(points, weights, generator=generator)


class _Snap(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cells: int, extent: float) -> Tensor:
        position = (x + extent) * (cells / (2 * extent))
        cell = torch.where(position == cells, position - 1, position.floor())
        return (cell + 0.5) * (2 * extent / cells) - extent

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0], None, None
