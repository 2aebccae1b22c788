"""The constant-Q transform over designed kernels, and its adjoint."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn.functional import pad

from passband.frequency._constant_q_kernels import ConstantQKernels, FilterGroup
from passband.frequency._decimation import (
    FACTOR,
    decimate,
    decimate_adjoint,
    decimation_needs,
)
from passband.frequency._framed_product import framed_products
from passband.frequency._framing import overlap_add
from passband.frequency._groups import by_items
from passband.frequency._validate import require_complex, require_real


def constant_q(
    x: Float[Tensor, "*batch time"], kernels: ConstantQKernels
) -> Complex[Tensor, "*batch bins frames"]:
    """Constant-Q transform ``C[k, m] = sum_n x[m hop + n] conj(g_k[n])``, phase and all.

    Beyond its ends the signal is zero. Filters are applied at the lowest rate that carries them;
    where the hop is no multiple of that rate's step, the signal is decimated once for every
    position a frame can have between two samples, so that any hop is as exact as any other.

    Args:
        x: signal, of any length.
        kernels: filters as `constant_q_kernels` gives them.

    Returns:
        Complex coefficients ``(*batch, bins, 1 + time // hop_length)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for an empty signal.

    Example:
        >>> from passband.frequency import constant_q_kernels
        >>> kernels = constant_q_kernels([220.0, 440.0], sample_rate=8000, hop_length=100)
        >>> tone = torch.sin(2 * torch.pi * 440 * torch.arange(8000) / 8000)
        >>> constant_q(tone, kernels)[:, 40].abs().round(decimals=1)
        tensor([0.3000, 2.7000])

    Agrees with the direct float64 sum over ``librosa.filters.wavelet`` to 3e-4 of the norm.
    Reference: Schörkhuber & Klapuri, Constant-Q transform toolbox for music processing, SMC 2010.
    """
    require_real("x", x)
    kernels = kernels.to(x)
    spans = _Spans(kernels, 1 + x.shape[-1] // kernels.hop_length)
    spectrum = by_items(lambda items: _analysed(items, kernels, spans), x).mT
    if kernels.order is not None:
        spectrum = spectrum.index_select(-2, kernels.order)
    return spectrum


def constant_q_adjoint(
    spectrum: Complex[Tensor, "*batch bins frames"], kernels: ConstantQKernels, length: int
) -> Float[Tensor, "*batch time"]:
    """Adjoint of `constant_q`: ``x[n] = Re sum_k sum_m C[k, m] g_k[n - m hop]``.

    Args:
        spectrum: complex coefficients, ``1 + length // hop_length`` frames.
        kernels: as given to `constant_q`.
        length: samples of the signal.

    Returns:
        Signal ``(*batch, length)``.

    Raises:
        TypeError: for coefficients that are not complex64 or complex128.

    Example:
        >>> from passband.frequency import constant_q_kernels
        >>> kernels = constant_q_kernels([220.0, 440.0], sample_rate=8000, hop_length=100)
        >>> constant_q_adjoint(torch.ones(2, 11, dtype=torch.complex64), kernels, 1000).shape
        torch.Size([1000])
    """
    require_complex("spectrum", spectrum)
    kernels = kernels.to(spectrum)
    spans = _Spans(kernels, spectrum.shape[-1])
    if kernels.order is not None:
        spectrum = spectrum.index_select(-2, kernels.order.argsort())
    columns = torch.view_as_real(spectrum.transpose(-1, -2).resolve_conj())
    bins = [group.kernel.shape[-1] // 2 for group in kernels.groups]
    parts = dict.fromkeys(range(kernels.levels + 1), columns.new_zeros(()))
    for group, part in zip(kernels.groups, columns.split(bins, dim=-2), strict=True):
        parts[group.level] = parts[group.level] + _products_adjoint(part, group, spans)
    branches = parts[kernels.levels]
    for level in reversed(range(kernels.levels)):
        branches = parts[level] + spans.up(branches, level)
    return _cut(branches[..., 0, :], spans.start[0], 0, length)


def _analysed(x: Tensor, kernels: ConstantQKernels, spans: "_Spans") -> Tensor:
    """Coefficients ``(*batch, frames, bins)``."""
    branches = _cut(x, 0, spans.start[0], spans.length[0])[..., None, :]
    columns: list[Tensor] = []
    for level in range(kernels.levels + 1):  # from the highest rate down
        if level > 0:
            branches = spans.down(branches, level - 1)
        groups = [group for group in kernels.groups if group.level == level]
        if groups:
            columns.append(_products(branches, groups, spans))
    return torch.view_as_complex(torch.cat(columns[::-1], dim=-2))


class _Spans:
    """Where the samples of each level stand.

    Branch c of a level holds the signal at that level's rate, starting from c hops: sample m of it
    stands at ``m 4^level + c hop``. A level has as many branches as frames can have positions
    between two of its samples. Its samples run over what frames and lower levels look at.
    """

    def __init__(self, kernels: ConstantQKernels, frames: int) -> None:
        self.hop, self.blocks, self.frames = kernels.hop_length, kernels.blocks, frames
        levels = kernels.levels
        self.start, self.length = [0] * (levels + 1), [0] * (levels + 1)
        for level in reversed(range(levels + 1)):
            needs = [self.of(group) for group in kernels.groups if group.level == level]
            if level < levels:
                needs += self._decimation(level)
            self.start[level] = min(first for first, _ in needs)
            self.length[level] = max(first + count for first, count in needs) - self.start[level]

    def count(self, level: int) -> int:
        """Branches of a level."""
        step: int = FACTOR**level
        return step // math.gcd(self.hop, step)

    def stride(self, level: int) -> int:
        """Samples of a branch from one of its frames to the next."""
        return self.hop * self.count(level) // int(FACTOR**level)

    def of(self, group: FilterGroup) -> tuple[int, int]:
        """First sample and number of samples of each branch that the frames of a group see."""
        rounds = -(-self.frames // self.count(group.level))
        return -group.reach, (rounds - 1) * self.stride(group.level) + group.kernel.shape[0]

    def down(self, branches: Tensor, level: int) -> Tensor:
        """Branches of ``level + 1`` from those of ``level``."""
        parts = [
            decimate(
                branches[..., first - self.start[level] :][..., :count],
                self.length[level + 1],
                self.blocks,
            )
            for first, count in self._decimation(level)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-2)

    def up(self, branches: Tensor, level: int) -> Tensor:
        """Adjoint of `down`."""
        parts = branches.split(self.count(level), dim=-2)
        spread = [
            _cut(decimate_adjoint(part, self.blocks), first, self.start[level], self.length[level])
            for part, (first, _) in zip(parts, self._decimation(level), strict=True)
        ]
        return sum(spread[1:], spread[0])

    def _decimation(self, level: int) -> list[tuple[int, int]]:
        """What the branches of the next level need of each branch: one to four stretches."""
        times = self.count(level + 1) // self.count(level)
        shifts = [j * self.stride(level) for j in range(times)]
        return [decimation_needs(self.start[level + 1], self.length[level + 1], s) for s in shifts]


def _products(branches: Tensor, groups: list[FilterGroup], spans: _Spans) -> Tensor:
    """Coefficients of the groups of one level ``(*batch, frames, bins, 2)``."""
    level = groups[0].level
    places = [spans.of(group) for group in groups]
    first = min(start for start, _ in places)
    count = max(start + length for start, length in places) - first
    product = framed_products(
        branches[..., first - spans.start[level] :][..., :count],
        [group.kernel for group in groups],
        [start - first for start, _ in places],
        spans.stride(level),
    )
    if product.shape[-3] == 1:
        ordered = product.squeeze(-3)
    else:
        ordered = product.transpose(-2, -3).flatten(-3, -2)
    columns: Tensor = ordered[..., : spans.frames, :].unflatten(-1, (-1, 2))
    return columns


def _products_adjoint(columns: Tensor, group: FilterGroup, spans: _Spans) -> Tensor:
    """Branches from the coefficients of a group, the adjoint of `_products`."""
    count = spans.count(group.level)
    rounds = -(-spans.frames // count)
    flat = pad(columns.flatten(-2), (0, 0, 0, rounds * count - spans.frames))
    product = flat.unflatten(-2, (rounds, count)).transpose(-2, -3)
    seen = overlap_add(product @ group.kernel.mT, spans.stride(group.level))
    return _cut(seen, spans.of(group)[0], spans.start[group.level], spans.length[group.level])


def _cut(x: Tensor, start: int, first: int, length: int) -> Tensor:
    """``length`` samples from ``first`` on of ``x``, which starts at ``start``; zero around it."""
    left, right = start - first, first + length - start - x.shape[-1]
    inner = x[..., max(0, -left) : x.shape[-1] + min(0, right)]
    if left <= 0 and right <= 0:
        return inner
    zeros = [x.new_zeros(*x.shape[:-1], max(0, margin)) for margin in (left, right)]
    return torch.cat((zeros[0], inner, zeros[1]), dim=-1)
