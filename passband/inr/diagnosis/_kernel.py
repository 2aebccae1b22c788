"""The neural tangent kernel: which patterns a field learns fast from where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import functional_call

from passband.inr import Field
from passband.inr.diagnosis._gradients import (
    CHUNK_VALUES,
    Count,
    plain_copy,
    sample_gradients,
)


@dataclass(frozen=True)
class KernelSpectrum:
    """Eigenvalues of a kernel, largest first, and what of a signal lies along them.

    Attributes:
        eigenvalues: in float64; the component along an eigenvector decays at this rate under
            gradient flow.
        effective_rank: ``exp(-sum p ln p)`` with ``p = eigenvalues / sum``.
        target: share of the signal's variance in the first k eigenvectors, k = 1 .. n; None for a
            signal without variance.
        residual: the same of what the field has not learned yet.
    """

    eigenvalues: Float[Tensor, " n"]
    effective_rank: float
    target: Float[Tensor, " n"] | None
    residual: Float[Tensor, " n"] | None


def tangent_kernel(
    field: Field, x: Float[Tensor, "n d"], *, progress: Count = lambda done, total: None
) -> Float[Tensor, "n n"]:
    """``K_ij = sum_c <df_c(x_i)/dtheta, df_c(x_j)/dtheta>`` over all trained parameters theta.

    In float64 on the CPU, one tensor of parameters and one output c at a time.

    Args:
        field: the field; a copy of it is converted.
        x: points in [-1, 1].
        progress: told how many of the tensors are done.

    Agrees with a plain loop over points, in float64, to 1e-10.

    Example:
        >>> from passband.inr import encodings, networks
        >>> field = Field(encodings.Identity(2), networks.ReluMLP(2, 1, hidden_layers=0))
        >>> tangent_kernel(field, torch.eye(2))  # x x^T, and 1 for the bias
        tensor([[2., 1.],
                [1., 2.]], dtype=torch.float64)

    Reference: Jacot, Gabriel & Hongler, *Neural Tangent Kernel: Convergence and Generalization in
    Neural Networks*, NeurIPS 2018, eq. 4, summed over the outputs.
    """
    wide = plain_copy(field).to("cpu").double()
    points = x.detach().cpu().double()
    trained = {name: p.numel() for name, p in wide.named_parameters() if p.requires_grad}
    channels = wide(points[:1]).shape[-1]
    kernel = points.new_zeros(len(points), len(points))
    for done, (name, size) in enumerate(trained.items()):
        columns = _used(wide, name, points)
        step = max(1, CHUNK_VALUES // size)
        for channel in range(channels):
            one = points.new_zeros(len(points), channels)
            one[:, channel] = 1.0
            parts = zip(points.split(step), one.split(step), strict=True)
            rows = torch.cat([_rows(wide, name, part, ones)[:, columns] for part, ones in parts])
            kernel += rows @ rows.T
        progress(done + 1, len(trained))
    return kernel


def _rows(field: Field, name: str, x: Tensor, weights: Tensor) -> Tensor:
    return sample_gradients(field, [name], _inner, x, weights)[name].reshape(len(x), -1)


def _inner(given: Tensor, weights: Tensor) -> Tensor:
    return (given * weights).sum()


def _used(field: Field, name: str, x: Tensor) -> Int[Tensor, " k"]:
    """Which entries of a parameter any of the points reaches: few of a hash grid's.

    Random weights of the outputs, so that no two contributions cancel.
    """
    leaf = dict(field.named_parameters())[name].detach().requires_grad_()
    given = functional_call(field, {name: leaf}, (x,))
    weights = torch.randn(given.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad((given * weights).sum(), [leaf], materialize_grads=True)
    return gradient.flatten().nonzero().squeeze(1)


def kernel_spectrum(
    kernel: Float[Tensor, "n n"],
    target: Float[Tensor, "n channels"],
    residual: Float[Tensor, "n channels"],
) -> KernelSpectrum:
    """Eigenvalues of ``kernel`` and the cumulative energy of two signals along its eigenvectors.

    The means of the channels are taken out of the target first: any field learns them at once.

    Args:
        kernel: symmetric.
        target: the signal at the kernel's points.
        residual: the signal minus the field there.

    Example:
        >>> kernel = torch.diag(torch.tensor([3.0, 1.0, 0.0], dtype=torch.float64))
        >>> target = torch.tensor([[1.0], [-1.0], [0.0]])
        >>> spectrum = kernel_spectrum(kernel, target, target[[2, 0, 1]])
        >>> spectrum.eigenvalues.tolist(), round(spectrum.effective_rank, 3)
        ([3.0, 1.0, 0.0], 1.755)
        >>> spectrum.target.tolist()
        [0.5, 1.0, 1.0]

    Reference: Tancik et al., *Fourier Features Let Networks Learn High Frequency Functions in Low
    Dimensional Domains*, NeurIPS 2020, sec. 3; the effective rank is Roy & Vetterli's, EUSIPCO
    2007.
    """
    values, vectors = torch.linalg.eigh(kernel)
    values, vectors = values.flip(0).clamp_min(0.0), vectors.flip(1)
    centred = target - target.mean(dim=0)
    return KernelSpectrum(
        values,
        effective_rank(values),
        _cumulative_energy(vectors, centred),
        _cumulative_energy(vectors, residual),
    )


def effective_rank(eigenvalues: Float[Tensor, " n"]) -> float:
    """``exp`` of the entropy of the eigenvalues over their sum: n where all are equal.

    Example:
        >>> round(effective_rank(torch.ones(8)), 9)
        8.0
    """
    total = float(eigenvalues.sum())
    if total <= 0.0:
        return 0.0
    return float(torch.special.entr(eigenvalues.double() / total).sum().exp())


def _cumulative_energy(vectors: Tensor, signal: Tensor) -> Tensor | None:
    parts = (vectors.T @ signal.detach().cpu().to(vectors.dtype)).square().sum(dim=-1)
    total = float(parts.sum())
    return (parts.cumsum(0) / total).clamp_max(1.0) if total > 0.0 else None


def first_reaching(shares: Sequence[float], share: float) -> int:
    """How many of the first eigenvectors hold ``share``: 1 + the first index that reaches it.

    Example:
        >>> first_reaching([0.5, 0.9, 1.0], 0.9)
        2
    """
    return next((k + 1 for k, value in enumerate(shares) if value >= share), len(shares))
