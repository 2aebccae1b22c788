"""From constant-Q coefficients back to the signal: least squares on the band the filters cover."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Complex, Float
from numpy.typing import NDArray
from torch import Tensor

from passband.frequency._constant_q import constant_q_filter
from passband.frequency._constant_q_kernels import (
    ConstantQKernels,
    filter_geometry,
)
from passband.frequency._constant_q_rates import noise_bandwidth, window_spectrum
from passband.frequency._constant_q_transform import constant_q, constant_q_adjoint
from passband.frequency._fast_length import fast_length
from passband.frequency._validate import require_complex, require_positive

# A frequency counts as covered where the filters' responses, each with peak 1, add up to this.
_COVERED = 0.1
# Frames per filter length and noise bandwidth that the inverse needs to converge.
_DENSITY = 1.8
_REACH = 8  # cycles per window length up to which a filter's response counts


@dataclass(frozen=True)
class ConstantQResponse:
    """How the transform weighs each frequency, and what it does not hold at all.

    Args:
        power: response ``S(f)`` of transform and adjoint on a uniform grid from 0 to Nyquist.
        covered: the bands that can be given back, as pairs of frequencies in Hz.
        largest_hop: the longest hop at which every filter is sampled densely enough to invert.
        undersampled: lowest centre frequency in Hz whose filter ``hop_length`` is too long for;
            None if there is none.
    """

    power: Tensor
    covered: tuple[tuple[float, float], ...]
    largest_hop: int
    undersampled: float | None


def constant_q_response(
    frequencies: Sequence[float],
    *,
    sample_rate: float,
    hop_length: int,
    bins_per_octave: float | None = None,
    gamma: float | None = 0.0,
    filter_scale: float = 1.0,
    norm: float | None = 1.0,
    window: str | tuple[str, float] = "hann",
    scale: bool = True,
) -> ConstantQResponse:
    """Response of transform and adjoint in a row, ``S(f) = sum_k |G_k(f)|^2 / (2 hop)``.

    Arguments are those of `constant_q_kernels`. A filter of L samples and a window of noise
    bandwidth b counts as sampled densely enough up to a hop of ``L / 1.8 b``, L / 2.7 for Hann:
    the inverse then reaches 60 dB in its usual number of steps.

    Example:
        >>> response = constant_q_response([220.0, 440.0], sample_rate=8000, hop_length=100)
        >>> response.largest_hop, response.undersampled
        (11, 220.0)

    Reference: Velasco, Holighaus, Dörfler & Grill, Constructing an invertible constant-Q transform
    with nonstationary Gabor frames, DAFx 2011, section 2.
    """
    lengths = filter_geometry(
        frequencies, sample_rate, bins_per_octave, gamma, filter_scale, window
    )
    f = np.asarray(frequencies, dtype=np.float64)
    count = 2 ** math.ceil(math.log2(4 * lengths.max())) + 1
    grid = np.linspace(0, sample_rate / 2, count)
    power, coverage = np.zeros(count), np.zeros(count)
    offsets, shape = window_spectrum(window)
    shape = shape / shape.max()
    for centre, length in zip(f, lengths, strict=True):
        width = _REACH * sample_rate / length
        begin, end = np.searchsorted(grid, (centre - width, centre + width))
        relative = np.interp((grid[begin:end] - centre) * length / sample_rate, offsets, shape)
        coverage[begin:end] += relative
        power[begin:end] += relative * _peak(length, norm, window, scale) ** 2
    most = lengths / (_DENSITY * noise_bandwidth(window))
    late = f[most < hop_length]
    return ConstantQResponse(
        power=torch.from_numpy(np.where(coverage >= _COVERED, power / (2 * hop_length), 0.0)),
        covered=_bands(grid, coverage >= _COVERED),
        largest_hop=max(1, math.floor(most.min())),
        undersampled=float(late.min()) if len(late) else None,
    )


def constant_q_inverse(
    spectrum: Complex[Tensor, "*batch bins frames"],
    kernels: ConstantQKernels,
    power: Float[Tensor, " grid"],
    length: int,
    *,
    n_iter: int = 16,
) -> Float[Tensor, "*batch time"]:
    """The signal on the covered band whose transform is nearest, ``(A* A)^-1 A* C``.

    The adjoint divided by the response is exact where the hop is short for every filter; what the
    hop and the ends leave is removed by conjugate gradients, with that division as preconditioner.
    The gradient is that of the least-squares solution itself, another solution of the same system.

    Args:
        spectrum: coefficients as `constant_q` gives them.
        kernels: as given to `constant_q`.
        power: response of `constant_q_response`; zero where nothing is given back.
        length: samples of the signal; ``1 + length // hop_length`` is the number of frames.
        n_iter: steps of conjugate gradients; 0 for the adjoint divided by the response.

    Returns:
        Signal ``(*batch, length)``.

    Raises:
        TypeError: for coefficients that are not complex64 or complex128.
        ValueError: for a length that does not belong to the number of frames.

    Example:
        >>> from passband.frequency import constant_q_kernels, cqt_frequencies
        >>> settings = dict(sample_rate=8000, hop_length=16, bins_per_octave=12)
        >>> f = cqt_frequencies(36, 110.0).tolist()
        >>> kernels = constant_q_kernels(f, **settings)
        >>> response = constant_q_response(f, **settings)
        >>> tone = torch.sin(2 * torch.pi * 440 * torch.arange(8000) / 8000)
        >>> back = constant_q_inverse(constant_q(tone, kernels), kernels, response.power, 8000)
        >>> bool((back - tone)[2000:6000].abs().max() < 1e-3)
        True

    Reference: Gröchenig, Acceleration of the frame algorithm, IEEE Trans. Signal Processing 41(12),
    1993; Velasco et al., DAFx 2011.
    """
    require_complex("spectrum", spectrum)
    require_positive("length", length, "Pass the samples of the signal.")
    if spectrum.shape[-1] != 1 + length // kernels.hop_length:
        low = (spectrum.shape[-1] - 1) * kernels.hop_length
        raise ValueError(
            f"`length` (={length} samples) must be {max(1, low)} to {low + kernels.hop_length - 1} "
            f"for {spectrum.shape[-1]} frames. Pass the length of the signal analysed."
        )
    kernels = kernels.to(spectrum)
    seen = constant_q_adjoint(spectrum, kernels, length)
    weights = _inverse_response(power, length, seen)
    solution: Tensor = _Solve.apply(seen, kernels, weights, n_iter)
    return solution


class _Solve(torch.autograd.Function):
    """``(A* A)^-1 b`` on the covered band: symmetric, so its gradient is another solution."""

    generate_vmap_rule = True

    @staticmethod
    def forward(b: Tensor, kernels: ConstantQKernels, weights: Tensor, n_iter: int) -> Tensor:
        return _conjugate_gradients(b, kernels, weights, n_iter)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.kernels, ctx.weights, ctx.n_iter = inputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        return _Solve.apply(grads[0], ctx.kernels, ctx.weights, ctx.n_iter), None, None, None


def _conjugate_gradients(
    b: Tensor, kernels: ConstantQKernels, weights: Tensor, n_iter: int
) -> Tensor:
    length = b.shape[-1]
    if n_iter == 0:
        return _weighted(b, weights)
    x = torch.zeros_like(b)
    residual = b
    direction = scaled = _weighted(residual, weights)
    product = (residual * scaled).sum(-1, keepdim=True)
    for _ in range(n_iter):
        image = constant_q_adjoint(constant_q(direction, kernels), kernels, length)
        step = _ratio(product, (direction * image).sum(-1, keepdim=True))
        x = x + step * direction
        residual = residual - step * image
        scaled = _weighted(residual, weights)
        previous, product = product, (residual * scaled).sum(-1, keepdim=True)
        direction = scaled + _ratio(product, previous) * direction
    return x


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """Quotient, 0 where nothing is left to divide by: silence, or a solution already exact."""
    nothing = below <= torch.finfo(below.dtype).tiny
    return torch.where(nothing, 0.0, above / torch.where(nothing, 1.0, below))


def _inverse_response(power: Tensor, length: int, like: Tensor) -> Tensor:
    """``1 / S`` at the frequencies of a transform long enough for ``length`` samples."""
    count = fast_length(-(-length // 2)) + 1
    position = torch.linspace(
        0, power.shape[-1] - 1, count, dtype=torch.float64, device=power.device
    )
    below = position.floor().long().clamp(max=power.shape[-1] - 2)
    part = position - below
    here, after = power.double()[below], power.double()[below + 1]
    known = (here > 0) & (after > 0)
    response = torch.where(known, torch.lerp(here, after, part), 1.0)
    return torch.where(known, 1 / response, 0.0).to(dtype=like.dtype, device=like.device)


def _weighted(x: Tensor, weights: Tensor) -> Tensor:
    count = 2 * (weights.shape[-1] - 1)
    filtered: Tensor = torch.fft.irfft(torch.fft.rfft(x, n=count) * weights, n=count)
    return filtered[..., : x.shape[-1]]


def _peak(length: float, norm: float | None, window: str | tuple[str, float], scale: bool) -> float:
    """Response of a filter at its own frequency: the sum of its window, as normed and scaled."""
    taps, _ = constant_q_filter(0.0, length, 1.0, window, norm)
    return float(taps.real.sum()) * (math.sqrt(length) if scale else length)


def _bands(
    grid: NDArray[np.float64], covered: NDArray[np.bool_]
) -> tuple[tuple[float, float], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], covered.astype(np.int8), [0]))))
    pairs = edges.reshape(-1, 2)
    return tuple((float(grid[first]), float(grid[last - 1])) for first, last in pairs)
