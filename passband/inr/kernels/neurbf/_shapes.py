"""Radial kernels: how a value falls with the offset from a kernel's centre."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

_CORRELATION = 0.999


@runtime_checkable
class RadialKernel(Protocol):
    """What a radial encoding asks of its kernels."""

    @property
    def softening(self) -> float:
        """Added to the sum of a point's values before they are divided by it."""

    def size(self, dims: int) -> int:
        """Numbers that describe the shape of one kernel."""

    def shapes(
        self, covariances: Float[Tensor, "kernels d d"], narrowest: float, widest: float
    ) -> Float[Tensor, "kernels size"]:
        """Shapes of kernels over clusters of points; widths are clipped to the two limits."""

    def values(
        self, offsets: Float[Tensor, "*batch d"], shapes: Float[Tensor, "*batch size"]
    ) -> Float[Tensor, "*batch"]:
        """Kernel values, 1 at an offset of zero."""


@dataclass(frozen=True)
class InverseQuadratic:
    """``1 / (1 + o' A o)`` with a symmetric matrix A: an ellipse of half height.

    ``A`` is the inverse of a cluster's covariance, kept as its upper triangle row by row.

    Args:
        softening: added to a sum of values before they are divided by it; the paper's.

    Example:
        >>> shapes = InverseQuadratic().shapes(0.04 * torch.eye(2)[None], 0.01, 1.0)
        >>> InverseQuadratic().values(torch.tensor([[0.2, 0.0]]), shapes)
        tensor([0.5000])
    """

    softening: float = 1e-8

    def size(self, dims: int) -> int:
        """Entries of the upper triangle."""
        return dims * (dims + 1) // 2

    def shapes(
        self, covariances: Float[Tensor, "kernels d d"], narrowest: float, widest: float
    ) -> Float[Tensor, "kernels size"]:
        """Inverses, the roots of the eigenvalues and the correlations clipped."""
        variances, axes = torch.linalg.eigh(covariances)
        inverse = (axes / variances.clamp(narrowest**2, widest**2)[:, None]) @ axes.mT
        diagonal = inverse.diagonal(dim1=-2, dim2=-1).sqrt()
        limit = diagonal[:, :, None] * diagonal[:, None]
        limit = limit * (_CORRELATION + (1 - _CORRELATION) * torch.eye(limit.shape[-1]))
        row, column = torch.triu_indices(*inverse.shape[1:]).unbind()
        clipped: Tensor = inverse.clamp(-limit, limit)
        return clipped[:, row, column]

    def values(
        self, offsets: Float[Tensor, "*batch d"], shapes: Float[Tensor, "*batch size"]
    ) -> Float[Tensor, "*batch"]:
        """The value at each offset."""
        row, column = torch.triu_indices(offsets.shape[-1], offsets.shape[-1]).unbind()
        twice = torch.where(row == column, 1.0, 2.0).to(offsets)
        products = offsets[..., row] * offsets[..., column] * twice
        return 1 / (1 + (products * shapes).sum(dim=-1))


@dataclass(frozen=True)
class Tent:
    """``prod_k max(0, 1 - s |o_k|)``: one sharpness for all axes, zero beyond ``1 / s``.

    Its half height lies at the width, the root of the mean squared distance in the cluster.

    Args:
        softening: added to a sum of values before they are divided by it. Where a point leaves the
            last tent that holds it, its share would drop from 1 to 0 at once with the paper's 1e-8;
            0.1, which is ours, lets it fade.

    Example:
        >>> shapes = Tent().shapes(0.02 * torch.eye(2)[None], 0.01, 1.0)
        >>> Tent().values(torch.tensor([[0.2, 0.0], [0.2, 0.2], [0.4, 0.0]]), shapes.expand(3, 1))
        tensor([0.5000, 0.2500, 0.0000])
    """

    softening: float = 0.1

    def size(self, dims: int) -> int:
        """The sharpness."""
        return 1

    def shapes(
        self, covariances: Float[Tensor, "kernels d d"], narrowest: float, widest: float
    ) -> Float[Tensor, "kernels size"]:
        """Sharpness ``1 / (2 width)``, the width clipped."""
        width = covariances.diagonal(dim1=-2, dim2=-1).sum(dim=-1).sqrt()
        return 0.5 / width.clamp(narrowest, widest)[:, None]

    def values(
        self, offsets: Float[Tensor, "*batch d"], shapes: Float[Tensor, "*batch size"]
    ) -> Float[Tensor, "*batch"]:
        """The value at each offset."""
        return (1 - offsets.abs() * shapes).clamp(0, 1).prod(dim=-1)
