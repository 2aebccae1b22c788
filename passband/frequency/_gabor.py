"""Constant-Q bands that hold the whole signal: a tight nonstationary Gabor frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from passband.frequency._constant_q import require_hertz
from passband.frequency._validate import require_complex, require_positive, require_real


@dataclass(frozen=True)
class GaborPlan:
    """Where each Fourier coefficient goes, for signals of one length.

    Args:
        length: samples of the signal.
        padded: samples of its Fourier transform, the next even number with small factors.
        low: samples of the real band below the lowest frequency.
        octaves: bands and samples per band of each group of bands, lowest first.
        high: samples of the real band above the highest frequency.
        source: Fourier coefficient that each slot takes, ``(slots,)``.
        source_weight: weight it is taken with; 0 for slots that stay empty.
        slots: the two slots that hold each Fourier coefficient, ``(2, padded // 2 + 1)``.
        slot_weight: weights of the two; their squares add up to 1.
    """

    length: int
    padded: int
    low: int
    octaves: tuple[tuple[int, int], ...]
    high: int
    source: Tensor
    source_weight: Tensor
    slots: Tensor
    slot_weight: Tensor

    def to(self, device: torch.device, dtype: torch.dtype) -> "GaborPlan":
        """The same on ``device``, weights in the real type ``dtype``."""
        return replace(
            self,
            source=self.source.to(device),
            slots=self.slots.to(device),
            source_weight=self.source_weight.to(device=device, dtype=dtype),
            slot_weight=self.slot_weight.to(device=device, dtype=dtype),
        )

    def differs(self, length: int, like: Tensor) -> bool:
        """Whether this is a plan for another length, device or type than those of ``like``."""
        here = (self.length, self.source.device, self.slot_weight.dtype)
        return here != (length, like.device, like.dtype)

    @property
    def sizes(self) -> list[int]:
        """Slots of the low band, of each octave and of the high band."""
        return [
            self.low // 2 + 1,
            *(bands * frames for bands, frames in self.octaves),
            self.high // 2 + 1,
        ]


@lru_cache(maxsize=4)
def gabor_plan(
    length: int, *, sample_rate: float, f_min: float, n_bins: int, bins_per_octave: int = 12
) -> GaborPlan:
    """Bands at ``f_min 2 ** (k / bins_per_octave)``, each reaching to its neighbours' centres.

    In between, the response falls as a squared cosine over log-frequency, divided by the root of
    the sum of squares of all bands, which makes the frame tight: the inverse is the adjoint.

    Args:
        length: samples of the signals to come, at least 1.
        sample_rate: in Hz.
        f_min: lowest centre frequency in Hz; what lies below goes to a real low band.
        n_bins: number of bands; what lies above the last goes to a real high band.
        bins_per_octave: bands from a frequency to its double.

    Returns:
        The plan, on the CPU.

    Raises:
        ValueError: for values out of range, or a band at or above the Nyquist frequency.

    Example:
        >>> plan = gabor_plan(8000, sample_rate=8000, f_min=110.0, n_bins=24)
        >>> plan.octaves  # 12 bands of 24 and of 48 frames
        ((12, 24), (12, 48))

    Reference: Velasco, Holighaus, Dörfler & Grill, Constructing an invertible constant-Q transform
    with nonstationary Gabor frames, DAFx 2011, sections 2 and 3.
    """
    require_positive("length", length, "Pass the samples of the signal.")
    require_positive("n_bins", n_bins, "Pass e.g. 84 for seven octaves of 12.")
    require_positive("bins_per_octave", bins_per_octave, "Pass e.g. 12.")
    require_hertz("sample_rate", sample_rate)
    require_hertz("f_min", f_min)
    top = f_min * 2 ** ((n_bins - 1) / bins_per_octave)
    if top >= sample_rate / 2:
        raise ValueError(
            f"`n_bins` (={n_bins}, the last at {top:.1f} Hz) must end below the Nyquist frequency "
            f"{sample_rate / 2:g} Hz. Pass fewer bins, or a higher sample_rate."
        )
    padded = 2 * _fast(-(-length // 2))
    band, weight = _two_bands(padded, sample_rate, f_min, n_bins, bins_per_octave)
    k = np.arange(padded // 2 + 1)
    held = weight > 0
    # A real band of n samples holds coefficients up to n / 2.
    low = 2 * _fast(1 + int(k[(held & (band == -1)).any(0)].max(initial=0)))
    high = 2 * _fast(1 + int((padded // 2 - k[(held & (band == n_bins)).any(0)]).max(initial=0)))
    octaves, slots = [], np.zeros_like(band)
    offset = low // 2 + 1
    first = 0
    while first < n_bins:
        # The topmost octave is whole; the lowest group takes what is left over.
        bands = (n_bins - first) % bins_per_octave or bins_per_octave
        inside = held & (band >= first) & (band < first + bands)
        frames = _fast(_widest(band, inside, first, bands))
        octaves.append((bands, frames))
        rows = (band - first) * frames + k % frames
        slots = np.where((band >= first) & (band < first + bands), offset + rows, slots)
        offset += bands * frames
        first += bands
    slots = np.where(band == -1, np.minimum(k, low // 2), slots)
    slots = np.where(band == n_bins, offset + np.minimum(padded // 2 - k, high // 2), slots)
    total = offset + high // 2 + 1
    source, source_weight = np.zeros(total, dtype=np.int64), np.zeros(total)
    for slot, part, mask in zip(slots, weight, held, strict=True):
        source[slot[mask]] = k[mask]
        source_weight[slot[mask]] = part[mask]
    return GaborPlan(
        length,
        padded,
        low,
        tuple(octaves),
        high,
        torch.from_numpy(source),
        torch.from_numpy(source_weight),
        torch.from_numpy(slots),
        torch.from_numpy(weight),
    )


def gabor_transform(x: Float[Tensor, "*batch time"], plan: GaborPlan) -> list[Tensor]:
    """Bands of ``x``: real ``(*batch, 1, low)``, complex ``(*batch, bands, frames)``, real high.

    Band k is ``x`` filtered by its response: sample m of M stands at time ``m padded / M``, with
    its true phase. Squares of all values add up to those of ``x``.

    Args:
        x: signal of ``plan.length`` samples.
        plan: as `gabor_plan` gives it.

    Returns:
        The low band, the groups of bands, lowest first, and the high band, mirrored in frequency so
        that the Nyquist frequency is its zero.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for a signal of another length.

    Example:
        >>> plan = gabor_plan(8000, sample_rate=8000, f_min=110.0, n_bins=24)
        >>> [tuple(band.shape) for band in gabor_transform(torch.randn(8000), plan)]
        [(1, 220), (12, 24), (12, 48), (1, 7200)]

    Reference: Velasco et al., DAFx 2011, eq. 3.
    """
    require_real("x", x)
    if x.shape[-1] != plan.length:
        raise ValueError(
            f"`x` (time {x.shape[-1]}) must have the {plan.length} samples of the plan. Make a "
            "plan for this length."
        )
    plan = plan.to(x.device, x.dtype)
    spread = _moved(torch.fft.rfft(x, n=plan.padded), plan, forward=True)
    low, *middle, high = spread.split(plan.sizes, dim=-1)
    bands = [_real_band(low, plan.low, plan.padded)]
    for part, (count, frames) in zip(middle, plan.octaves, strict=True):
        scale = math.sqrt(2 * frames / plan.padded)
        bands.append(torch.fft.ifft(part.unflatten(-1, (count, frames))) * scale)
    return [*bands, _real_band(high, plan.high, plan.padded)]


def gabor_inverse(bands: Sequence[Tensor], plan: GaborPlan) -> Float[Tensor, "*batch time"]:
    """The signal from its bands, exactly: the adjoint of `gabor_transform`, which is its inverse.

    For bands that no signal has, the signal whose bands are nearest in the sum of squares.

    Args:
        bands: as `gabor_transform` gives them.
        plan: as given to `gabor_transform`.

    Returns:
        Signal ``(*batch, plan.length)``.

    Raises:
        ValueError: for bands whose number or shape is not that of the plan.

    Example:
        >>> plan = gabor_plan(1000, sample_rate=8000, f_min=110.0, n_bins=24)
        >>> x = torch.randn(1000, dtype=torch.float64)
        >>> bool((gabor_inverse(gabor_transform(x, plan), plan) - x).abs().max() < 1e-12)
        True

    Reference: Velasco et al., DAFx 2011, eq. 6.
    """
    shapes = [(1, plan.low), *plan.octaves, (1, plan.high)]
    if [tuple(band.shape[-2:]) for band in bands] != shapes:
        found = [tuple(band.shape[-2:]) for band in bands]
        raise ValueError(
            f"`bands` (last axes {found}) must be {shapes} for {plan.length} samples. Pass them as "
            "gabor_transform gave them."
        )
    low, *middle, high = bands
    for band in middle:
        require_complex("bands", band)
    plan = plan.to(low.device, low.dtype)
    parts = [_from_real_band(low, plan.padded)]
    for band in middle:
        scale = math.sqrt(plan.padded / (2 * band.shape[-1]))
        parts.append(torch.fft.fft(band).flatten(-2) * scale)
    parts.append(_from_real_band(high, plan.padded))
    spectrum = _moved(torch.cat(parts, dim=-1), plan, forward=False)
    signal: Tensor = torch.fft.irfft(spectrum, n=plan.padded)
    return signal[..., : plan.length]


def _moved(values: Tensor, plan: GaborPlan, *, forward: bool) -> Tensor:
    tables = (plan.source, plan.source_weight, plan.slots, plan.slot_weight)
    moved: Tensor = _Move.apply(values, *tables, forward)
    return moved


class _Move(torch.autograd.Function):
    """Fourier coefficients to slots, or back: each gather is the other one's adjoint."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        values: Tensor,
        source: Tensor,
        source_weight: Tensor,
        slots: Tensor,
        slot_weight: Tensor,
        forward: bool,
    ) -> Tensor:
        if forward:
            return values.index_select(-1, source) * source_weight
        first = values.index_select(-1, slots[0]) * slot_weight[0]
        return first + values.index_select(-1, slots[1]) * slot_weight[1]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, *tables, ctx.way = inputs
        ctx.save_for_backward(*tables)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        back: Tensor = _Move.apply(grads[0], *ctx.saved_tensors, not ctx.way)
        return back, None, None, None, None, None


def _real_band(spectrum: Tensor, samples: int, padded: int) -> Tensor:
    band: Tensor = torch.fft.irfft(spectrum, n=samples)
    return (band * math.sqrt(samples / padded))[..., None, :]


def _from_real_band(band: Tensor, padded: int) -> Tensor:
    spectrum: Tensor = torch.fft.rfft(band[..., 0, :])
    return spectrum * math.sqrt(padded / band.shape[-1])


def _two_bands(
    padded: int, sample_rate: float, f_min: float, n_bins: int, bins_per_octave: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The two neighbouring bands that share each Fourier coefficient, and their weights.

    Band -1 is the low one, band ``n_bins`` the high one.
    """
    frequency = np.arange(padded // 2 + 1) * (sample_rate / padded)
    with np.errstate(divide="ignore"):
        position = bins_per_octave * np.log2(frequency / f_min)
    position = position.clip(-1, n_bins)
    lower = np.floor(position).clip(-1, n_bins - 1)
    angle = (position - lower) * (math.pi / 2)
    weight = np.stack((np.cos(angle) ** 2, np.sin(angle) ** 2))
    weight[weight < 1e-30] = 0  # the far end of a slope, but for rounding
    weight[:, -1] = 0, 1  # a complex band cannot hold the Nyquist frequency, its own conjugate
    weight /= np.sqrt((weight**2).sum(0))
    return np.stack((lower, lower + 1)).astype(np.int64), weight


def _widest(band: NDArray[np.int64], inside: NDArray[np.bool_], first: int, bands: int) -> int:
    """Fourier coefficients of the widest of a group of bands."""
    counts = np.bincount((band[inside] - first).ravel(), minlength=bands)
    return max(1, int(counts.max()))


def _fast(count: int) -> int:
    from scipy.fft import next_fast_len  # noqa: PLC0415  needed by plans alone

    fast: int = next_fast_len(count, real=False)
    return fast
