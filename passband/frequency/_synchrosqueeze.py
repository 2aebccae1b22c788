"""Synchrosqueezing: every coefficient moved to the row of its own instantaneous frequency."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._cwt import cwt_plan, from_summed, icwt_plan, log_steps, padded_spectrum
from passband.frequency._extension import filled
from passband.frequency._groups import by_items
from passband.frequency._stft import Padding, PadMode, _frame_window, stft
from passband.frequency._validate import require_between, require_complex, require_positive
from passband.frequency._wavelet_filters import FilterPlan, analyse, part_of
from passband.frequency._wavelets import Wavelet

# Rows of a wavelet transform moved together: the transform itself is never held as a whole.
_ROWS = 16


def synchrosqueezed_cwt(
    x: Float[Tensor, "*batch time"],
    scales: Sequence[float] | Float[Tensor, " scales"],
    *,
    frequencies: Sequence[float] | Float[Tensor, " rows"] | None = None,
    wavelet: str | Wavelet = "gmw",
    gamma: float = 0.0,
    pad_mode: str = "reflect",
) -> Complex[Tensor, "*batch rows time"]:
    """Synchrosqueezed CWT ``T[f, n] = sum_{s: w(s, n) nearest f} (2 / C) W[s, n] d ln s``.

    ``w = Im(W' / W) / 2 pi`` is the instantaneous frequency of each coefficient; ``W'`` is the
    transform of the derivative, ``i omega`` in the frequency domain. ``C`` is
    ``wavelet.admissibility``, so that the rows of a tone of amplitude A sum to magnitude A and the
    real part of the sum over all rows is the signal, to the ripple of the scales.

    A coefficient whose frequency lies outside of ``frequencies`` stays in the row nearest to its
    scale, so that the sum over the rows loses nothing. The rows are differentiable in ``x`` for
    the rows chosen; the choice itself has no gradient.

    Args:
        x: signal.
        scales: as `cwt` takes them; at least 16 to the octave.
        frequencies: rows, ascending, in cycles per sample; those of the scales if not given.
        wavelet: as `cwt` takes it.
        gamma: coefficients of this magnitude (peak 2, `norm` l1) or less are left out, at least 0.
        pad_mode: as `cwt` takes it.

    Returns:
        Complex ``(*batch, rows, time)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: as `cwt`, or for frequencies that do not ascend.

    Example:
        >>> tone = 3 * torch.cos(2 * torch.pi * 0.1 * torch.arange(1000.0))
        >>> scales = [2.0 ** (octave / 16) for octave in range(20, 80)]
        >>> squeezed = synchrosqueezed_cwt(tone, scales, frequencies=torch.arange(0.05, 0.2, 0.01))
        >>> round(float(squeezed[5, 500].abs()), 2)  # all of it in the row of 0.1
        3.0

    Agrees with ``ssqueezepy.ssq_cwt`` in the rows of tones and chirps to 1e-3, times ``2 / C``;
    that puts what lies outside of its frequencies into its first and last row.
    Reference: Daubechies, Lu & Wu, Synchrosqueezed wavelet transforms, Appl. Comput. Harmon.
    Anal. 30(2), 2011, eq. 2.3 to 2.6.
    """
    plan = cwt_plan(x, scales, wavelet, "l1", pad_mode)
    _require_gamma(gamma)
    centres = filled([plan.wavelet.centre / (2 * math.pi * s) for s in plan.scales], x)
    rows = _rows(plan, frequencies)
    edges = _edges(filled(rows, x))
    spectrum = padded_spectrum(x, plan, pad_mode)
    omega = torch.arange(plan.size // 2 + 1, device=x.device, dtype=x.dtype)
    slope = spectrum.detach() * torch.complex(torch.zeros_like(omega), omega / plan.size)
    weights = filled(_weights(plan), x)[:, None]
    out = spectrum.new_zeros(*x.shape[:-1], len(rows), x.shape[-1])
    for first in range(0, len(plan.scales), _ROWS):
        part = part_of(plan, first, first + _ROWS)
        some = slice(first, first + _ROWS)
        values = analyse(spectrum, part)
        with torch.no_grad():
            frequency = _ratio(analyse(slope, part), values).imag
            index = _destination(frequency, centres[some, None], edges)
        out.scatter_add_(-2, index, _kept(values, gamma) * weights[some])
    return out


def inverse_synchrosqueezed_cwt(
    transform: Complex[Tensor, "*batch rows time"],
    scales: Sequence[float] | Float[Tensor, " scales"],
    *,
    wavelet: str | Wavelet = "gmw",
    pad_mode: str = "reflect",
) -> Float[Tensor, "*batch time"]:
    """Inverse of `synchrosqueezed_cwt`: the sum over the rows, put right as `icwt` does.

    Rows set to zero leave their component out: that is how one component is taken from a mixture.

    Args:
        transform: as `synchrosqueezed_cwt` returns it, or some of its rows.
        scales: as given to it.
        wavelet: as given to it.
        pad_mode: as given to it.

    Returns:
        Signal ``(*batch, time)``, of what `covered_bands` says.

    Raises:
        TypeError: for a transform that is not complex64 or complex128.
        ValueError: as `icwt`.

    Example:
        >>> tone = torch.cos(2 * torch.pi * 0.1 * torch.arange(8000.0))
        >>> scales = [2.0 ** (octave / 16) for octave in range(20, 80)]
        >>> back = inverse_synchrosqueezed_cwt(synchrosqueezed_cwt(tone, scales), scales)
        >>> torch.allclose(back[3000:5000], tone[3000:5000], atol=1e-3)
        True

    Agrees with ``ssqueezepy.issq_cwt`` to the 1e-2 by which that misses the signal.
    Reference: Daubechies, Lu & Wu, Synchrosqueezed wavelet transforms, Appl. Comput. Harmon.
    Anal. 30(2), 2011, eq. 2.6.
    """
    plan = icwt_plan(transform, scales, wavelet, "l1", pad_mode)
    return from_summed(transform.sum(-2), plan, _weights(plan), pad_mode)


def synchrosqueezed_stft(
    x: Float[Tensor, "*batch time"],
    *,
    n_fft: int,
    hop_length: int = 1,
    win_length: int | None = None,
    window: str | tuple[str, float] | Float[Tensor, " window"] = "hann",
    padding: Padding = "center",
    pad_mode: PadMode = "reflect",
    gamma: float = 0.0,
) -> Complex[Tensor, "*batch {n_fft//2+1} frames"]:
    """Synchrosqueezed STFT ``T[f, k] = sum_{g: w(g, k) nearest f} c_g V[g, k]``.

    ``V`` is the STFT with its phase taken at the middle of the frame, and ``w = g - Im(V' / V) /
    2 pi`` the frequency of each value, ``V'`` being the STFT by the derivative of the window
    (``i omega`` in its spectrum). ``c_g`` is ``2 / (n_fft w[middle])``, half of it at zero and at
    half the rate: the real part of the sum over the rows is the signal at the middle of the frame.

    A value whose frequency is below zero or above half the rate stays in its own row. The rows are
    differentiable in ``x`` for the rows chosen; the choice itself has no gradient.

    Args:
        x: signal.
        n_fft: frame length, in samples.
        hop_length: samples from one frame to the next; 1 where the inverse is wanted.
        win_length: as `stft` takes it.
        window: as `stft` takes it.
        padding: as `stft` takes it.
        pad_mode: as `stft` takes it.
        gamma: values of this magnitude or less are left out, in the unit of ``V``, at least 0.

    Returns:
        Complex ``(*batch, n_fft // 2 + 1, frames)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: as `stft`, or for a negative ``gamma``.

    Example:
        >>> tone = 3 * torch.cos(2 * torch.pi * 0.1 * torch.arange(1000.0))
        >>> squeezed = synchrosqueezed_stft(tone, n_fft=200, hop_length=10)
        >>> round(float(squeezed[20, 50].abs()), 3)
        3.0

    Agrees with ``ssqueezepy.ssq_stft`` to 1e-3 of the norm, times ``2 / w[middle]``, but for the
    rows of zero and half the rate, which that counts twice.
    Reference: Thakur & Wu, Synchrosqueezing-based recovery of instantaneous frequency from
    nonuniform samples, SIAM J. Math. Anal. 43(5), 2011, sec. 3.
    """
    _require_gamma(gamma)
    taper = _frame_window(window, win_length, n_fft, x.dtype, x.device)

    def squeezed(items: Tensor) -> Tensor:
        def seen(x: Tensor, taper: Tensor) -> Tensor:
            return stft(
                x,
                n_fft=n_fft,
                hop_length=hop_length,
                window=taper,
                padding=padding,
                pad_mode=pad_mode,
            )

        values = seen(items, taper)
        with torch.no_grad():
            index = _nearest_bin(seen(items.detach(), _derivative(taper)), values, n_fft)
        kept = _kept(values, gamma) * _synthesis_factor(taper)[:, None]
        return torch.zeros_like(kept).scatter_add(-2, index, kept)

    return by_items(squeezed, x, growth=max(1.0, n_fft / hop_length))


def _nearest_bin(slopes: Tensor, values: Tensor, n_fft: int) -> Tensor:
    """Row of the frequency of each value, its own where that is out of the band."""
    own = torch.arange(n_fft // 2 + 1, device=values.device, dtype=values.real.dtype)[:, None]
    row = (own - _ratio(slopes, values).imag * (n_fft / (2 * math.pi))).round()
    return torch.where((row < 0) | (row > n_fft // 2), own, row).long()


def _synthesis_factor(taper: Tensor) -> Tensor:
    """``c_g``, and the turn of phase from the beginning of a frame to its middle."""
    n_fft = taper.shape[-1]
    middle = n_fft // 2
    bins = torch.arange(n_fft // 2 + 1, device=taper.device, dtype=taper.dtype)
    scale = torch.full_like(bins, 2 / n_fft)
    scale[:1] /= 2
    if n_fft % 2 == 0:
        scale[-1:] /= 2
    return torch.polar(scale / taper[middle], 2 * math.pi * middle / n_fft * bins)


def inverse_synchrosqueezed_stft(
    transform: Complex[Tensor, "*batch freq time"], *, length: int | None = None
) -> Float[Tensor, "*batch time_out"]:
    """Inverse of `synchrosqueezed_stft` at a hop of 1: the real part of the sum over the rows.

    Exact with ``padding="center"``, whatever the signal, the window and ``n_fft``.

    Args:
        transform: as `synchrosqueezed_stft` returns it for ``hop_length=1``.
        length: samples to return, at most the frames there are; all of them if not given (under
            ``center`` with an even ``n_fft``, one more than the signal had).

    Returns:
        Signal ``(*batch, length)``.

    Raises:
        TypeError: for a transform that is not complex64 or complex128.
        ValueError: for a length beyond the frames.

    Example:
        >>> x = torch.randn(500, dtype=torch.float64)
        >>> squeezed = synchrosqueezed_stft(x, n_fft=64)
        >>> torch.allclose(inverse_synchrosqueezed_stft(squeezed, length=500), x)
        True

    Agrees with ``ssqueezepy.issq_stft`` for signals without mean.
    Reference: Oberlin, Meignen & Perrier, The Fourier-based synchrosqueezing transform, ICASSP
    2014, eq. 4.
    """
    require_complex("transform", transform)
    frames = transform.shape[-1]
    if length is not None:
        require_positive("length", length, "Pass the samples to return, or None for all of them.")
        if length > frames:
            raise ValueError(
                f"`length` (={length} samples) must be at most the {frames} frames of "
                "`transform`, one for each sample. Compute it with hop_length=1."
            )
    return transform.real.sum(-2)[..., :length]


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """``a / b``, and 0 where there is nothing to divide by."""
    power = b.real.square() + b.imag.square()
    tiny = torch.finfo(power.dtype).tiny
    return a * b.conj() / power.clamp_min(tiny)


def _destination(frequency: Tensor, own: Tensor, edges: Tensor) -> Tensor:
    """Row of each frequency; of its ``own`` where the frequency is outside of the edges."""
    outside = (frequency < edges[0]) | (frequency > edges[-1])
    frequency = torch.where(outside, own, frequency).contiguous()
    return torch.bucketize(frequency, edges[1:-1])


def _rows(plan: FilterPlan, frequencies: Sequence[float] | Tensor | None) -> list[float]:
    if frequencies is None:
        return sorted(plan.wavelet.centre / (2 * math.pi * s) for s in plan.scales)
    rows = frequencies.tolist() if isinstance(frequencies, Tensor) else list(frequencies)
    if not rows or not 0 < rows[0] or not all(a < b for a, b in pairwise(rows)):
        span = f"{rows[0]:g} to {rows[-1]:g}" if rows else "none"
        raise ValueError(f"`frequencies` ({span}, cycles per sample) must ascend above 0. Sort it.")
    return rows


def _edges(rows: Tensor) -> Tensor:
    """Borders half way between the rows in pitch, and as far out beyond the first and the last."""
    logs = rows.log()
    between = (logs[1:] + logs[:-1]) / 2
    first = logs[:1] - (between[:1] - logs[:1] if len(rows) > 1 else 1.0)
    last = logs[-1:] + (logs[-1:] - between[-1:] if len(rows) > 1 else 1.0)
    return torch.cat((first, between, last)).exp()


def _require_gamma(gamma: float) -> None:
    require_between("gamma", gamma, 0.0, math.inf, "Pass 0 to keep all.")


def _kept(values: Tensor, gamma: float) -> Tensor:
    if gamma == 0:
        return values
    return values.masked_fill(values.detach().abs() <= gamma, 0.0)


def _weights(plan: FilterPlan) -> list[float]:
    return [2 * step / plan.wavelet.admissibility for step in log_steps(plan.scales)]


def _derivative(taper: Tensor) -> Tensor:
    """Derivative of the periodic band-limited curve through the window's samples."""
    count = taper.shape[-1]
    omega = 2 * math.pi * torch.fft.rfftfreq(count, device=taper.device, dtype=taper.dtype)
    if count % 2 == 0:
        omega[-1:] = 0.0
    slope = torch.complex(torch.zeros_like(omega), omega)
    derivative: Tensor = torch.fft.irfft(torch.fft.rfft(taper) * slope, n=count)
    return derivative
