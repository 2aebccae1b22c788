"""Wigner-Ville distributions: energy over time and frequency without a window's blur."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn.functional import pad

from passband.frequency._validate import require_complex, require_positive

# Lag products in flight at once: 2^18 complex float32 are 2 MB, what a core's own cache holds.
_BLOCK = 1 << 18


def wigner_ville(
    z: Complex[Tensor, "*batch time"], *, hop_length: int = 1
) -> Float[Tensor, "*batch freq frames"]:
    """Wigner-Ville distribution ``W[f, t] = 2 sum_m z[t + m] z*[t - m] exp(-4 pi i f m)``.

    With ``N`` samples there are N frequencies, ``f_k = k / 2N`` cycles per sample: 0 to half the
    sample rate, in steps of ``sample_rate / 2N``. A lag of one on both sides is two samples, which
    is why the axis ends at half the rate: of a real signal the negative frequencies would fold
    onto it, so give its `analytic_signal`, which has none.

    The sum over f, over 2N, is ``|z[t]|^2``; the sum over t is ``|Z[f]|^2`` at the even k strictly
    between 0 and N (for an even N). What stands halfway between two components and oscillates is
    their interference.

    Args:
        z: analytic signal, zero beyond its ends. Memory of the result goes with ``N^2 / hop``:
            cut longer signals, or use `pseudo_wigner_ville`.
        hop_length: samples from one t to the next, from sample 0 on.

    Returns:
        Real values, of either sign, ``(*batch, time, 1 + (time - 1) // hop_length)``, in squared
        units of z per cycle per sample.

    Raises:
        ValueError: for a signal that is empty or not complex, or a hop below 1.

    Example:
        >>> z = torch.polar(torch.ones(64), 2 * torch.pi * 0.25 * torch.arange(64))
        >>> wigner_ville(z)[:, 31].argmax()  # 32 / (2 * 64) is 0.25
        tensor(32)

    Agrees with a plain loop over t, f and m to 1e-12 in float64.
    Reference: Claasen & Mecklenbraeuker, The Wigner distribution, part II: discrete-time signals,
    Philips J. Research 35, 1980; Boashash, Note on the use of the Wigner distribution
    for time-frequency signal analysis, IEEE Trans. ASSP 36(9), 1988.
    """
    require_complex("z", z)
    time = z.shape[-1]
    lags = z.real.new_ones((time + 1) // 2)
    return _distribution(z, lags, z.real.new_ones(1), time, hop_length)


def pseudo_wigner_ville(
    z: Complex[Tensor, "*batch time"],
    lag_window: Float[Tensor, " lags"],
    *,
    n_fft: int | None = None,
    hop_length: int = 1,
) -> Float[Tensor, "*batch freq frames"]:
    """`wigner_ville` with a window over the lag: ``2 sum_m g[m] z[t + m] z*[t - m] exp(...)``.

    Smooths along frequency, by about ``2 / lags`` of the whole axis, which mutes what interferes
    across more than the window's time; the sum over f still is ``2 n_fft |z[t]|^2`` if
    ``g[0] = 1``.

    Args:
        z: analytic signal, zero beyond its ends.
        lag_window: g, symmetric, an odd number of values for the lags ``-L ... L``.
        n_fft: frequencies ``f_k = k / (2 n_fft)`` cycles per sample, 0 to half the rate; at least
            the values of ``lag_window``, one more if not given.
        hop_length: samples from one t to the next.

    Returns:
        Real values ``(*batch, n_fft, 1 + (time - 1) // hop_length)``.

    Raises:
        ValueError: for a window of even length or longer than ``n_fft``, or as `wigner_ville`.

    Example:
        >>> z = torch.polar(torch.ones(640), 2 * torch.pi * 0.25 * torch.arange(640))
        >>> pseudo_wigner_ville(z, torch.hann_window(63, periodic=False))[:, 300].argmax()
        tensor(32)

    Agrees with a plain loop over t, f and m to 1e-12 in float64.
    Reference: Claasen & Mecklenbraeuker 1980.
    """
    return smoothed_pseudo_wigner_ville(
        z, z.real.new_ones(1), lag_window, n_fft=n_fft, hop_length=hop_length
    )


def smoothed_pseudo_wigner_ville(
    z: Complex[Tensor, "*batch time"],
    time_window: Float[Tensor, " smoothed"],
    lag_window: Float[Tensor, " lags"],
    *,
    n_fft: int | None = None,
    hop_length: int = 1,
) -> Float[Tensor, "*batch freq frames"]:
    """`pseudo_wigner_ville` averaged over time: ``2 sum_m g[m] sum_l h[l] z[t+l+m] z*[t+l-m] ...``.

    Mutes the interference of components at different frequencies, which oscillates along time.

    Args:
        z: analytic signal, zero beyond its ends.
        time_window: h, an odd number of values for ``-P ... P`` samples; summing to 1, it keeps
            the level.
        lag_window: g, as in `pseudo_wigner_ville`.
        n_fft: as in `pseudo_wigner_ville`.
        hop_length: samples from one t to the next.

    Returns:
        Real values ``(*batch, n_fft, 1 + (time - 1) // hop_length)``.

    Raises:
        ValueError: for a window of even length, or as `pseudo_wigner_ville`.

    Example:
        >>> z = torch.randn(2, 640, dtype=torch.complex64)
        >>> h, g = torch.ones(15) / 15, torch.hann_window(63, periodic=False)
        >>> smoothed_pseudo_wigner_ville(z, h, g, hop_length=10).shape
        torch.Size([2, 64, 64])

    Agrees with a plain loop over t, f, m and l to 1e-12 in float64.
    Reference: Flandrin, Some features of time-frequency representations of multicomponent signals,
    IEEE ICASSP, 1984.
    """
    require_complex("z", z)
    for name, values in (("time_window", time_window), ("lag_window", lag_window)):
        require_odd(name, values.shape[-1])
    n_fft = lag_window.shape[-1] + 1 if n_fft is None else n_fft
    require_frequencies(n_fft, lag_window.shape[-1])
    half = lag_window[lag_window.shape[-1] // 2 :]
    return _distribution(z, half.to(z.real), time_window.to(z.real), n_fft, hop_length)


def require_odd(name: str, length: int) -> None:
    """Raise unless ``length`` is an odd number of at least 1."""
    if length < 1 or length % 2 == 0:
        raise ValueError(
            f"`{name}` (of {length} samples) must have an odd number, one for the middle. Pass "
            f"{length + 1}."
        )


def require_frequencies(n_fft: int, lags: int) -> None:
    """Raise unless ``n_fft`` frequencies can hold ``lags`` lags."""
    require_positive("n_fft", n_fft, "Pass the frequencies wanted, e.g. 512.")
    if n_fft < lags:
        raise ValueError(
            f"`n_fft` (={n_fft}) must be at least the {lags} samples of the lag window. Raise it, "
            "or shorten the window."
        )


def _distribution(z: Tensor, lags: Tensor, smooth: Tensor, n_fft: int, hop: int) -> Tensor:
    """The distribution, from the window at the lags 0 ... L and the smoothing over time."""
    require_positive("hop_length", hop, "Pass 1 for every sample.")
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError(
            f"`z` (shape {tuple(z.shape)}) must have a last axis of at least one sample. "
            "Leave empty signals out."
        )
    reach, width = lags.shape[-1] - 1, smooth.shape[-1]
    count = 1 + (z.shape[-1] - 1) // hop
    # Frames that share most of the samples they are averaged over go into one group.
    group = min(count, -(-2 * (width - 1) // hop) or 1)
    span = (group - 1) * hop + width
    groups = -(-count // group)
    margin = reach + width // 2
    missing = (groups - 1) * group * hop + span + 2 * reach - margin - z.shape[-1]
    stretches = pad(z, (margin, max(0, missing))).unfold(-1, span + 2 * reach, group * hop)
    block = max(1, _BLOCK // (span * (reach + 1) * max(1, z.shape[:-1].numel())))
    band = _band(smooth, group, hop)
    pieces = []
    for first in range(0, groups, block):
        stretch = stretches[..., first : min(first + block, groups), :]
        products = _lag_products(stretch, reach)
        # Negative lags are the conjugates of the positive ones: a real result, half the work.
        pieces.append(torch.fft.hfft(_averaged(products, band) * lags, n=n_fft))
    joined = pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=-3)
    return 2 * joined.flatten(-3, -2)[..., :count, :].transpose(-1, -2)


def _lag_products(z: Tensor, reach: int) -> Tensor:
    """``z[t + m] z*[t - m]``, ``(*batch, time - 2 reach, reach + 1)``."""
    ahead = z[..., reach:].unfold(-1, reach + 1, 1)
    behind = z[..., : z.shape[-1] - reach].unfold(-1, reach + 1, 1).flip(-1)
    return ahead * behind.conj()


def _band(smooth: Tensor, frames: int, hop: int) -> Tensor:
    """The weights ``(frames, time)`` that average a stretch once per hop."""
    width = smooth.shape[-1]
    columns = torch.arange((frames - 1) * hop + width, device=smooth.device)
    offset = columns - hop * torch.arange(frames, device=smooth.device)[:, None]
    inside = (offset >= 0) & (offset < width)
    return torch.where(inside, smooth[offset.clamp(0, width - 1)], 0.0)


def _averaged(products: Tensor, band: Tensor) -> Tensor:
    """Averages over time ``(*batch, frames, lags)`` of lag products ``(*batch, time, lags)``."""
    if band.shape == (1, 1):
        return products * band
    mixed: Tensor = band @ torch.view_as_real(products.resolve_conj()).flatten(-2)
    return torch.view_as_complex(mixed.reshape(*mixed.shape[:-1], -1, 2))
