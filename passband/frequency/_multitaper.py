"""Multitaper spectra: the average over windows that each see the signal independently."""

from functools import lru_cache
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._groups import by_items
from passband.frequency._magnitude import magnitude
from passband.frequency._sample_rate import require_sample_rate
from passband.frequency._spectrogram import spectrogram
from passband.frequency._stft import PadMode
from passband.frequency._validate import require_between, require_choice, require_real

TaperWeighting = Literal["unity", "eigenvalues"]


def dpss(
    length: int, bandwidth: float = 4.0, n_tapers: int | None = None
) -> tuple[Float[Tensor, "tapers {length}"], Float[Tensor, " tapers"]]:
    """Discrete prolate spheroidal sequences: the windows with most of their energy in a band.

    The band is ``|f| <= W`` with ``bandwidth = length W``, ``W`` in cycles per sample.

    Args:
        length: samples, at least 2.
        bandwidth: time half bandwidth NW, above 0 and below ``length / 2``; 2.5 to 4 is usual.
        n_tapers: how many, most concentrated first; ``2 bandwidth - 1`` if not given.

    Returns:
        Windows ``(n_tapers, length)`` of unit energy, orthogonal to each other, and the fraction
        of each one's energy that lies in the band ``(n_tapers,)``; float64.

    Raises:
        ValueError: for a bandwidth out of range or more windows than samples.

    Example:
        >>> tapers, concentrations = dpss(64)
        >>> tapers.shape, bool(concentrations[0] > 0.9999999)
        (torch.Size([7, 64]), True)

    Agrees with ``scipy.signal.windows.dpss(norm=2)`` exactly.
    Reference: Slepian, Prolate spheroidal wave functions, Fourier analysis, and uncertainty V,
    Bell System Technical Journal 57(5), 1978.
    """
    require_between("length", length, 2, torch.inf, "Pass the samples of a frame, e.g. 1024.")
    if not 0 < bandwidth < length / 2:
        raise ValueError(
            f"`bandwidth` (={bandwidth:g}) must be above 0 and below half the length "
            f"{length / 2:g}. Pass e.g. 4, or a longer frame."
        )
    count = max(1, round(2 * bandwidth) - 1) if n_tapers is None else n_tapers
    if not 1 <= count <= length:
        raise ValueError(
            f"`n_tapers` (={n_tapers}) must be 1 to the {length} samples of a window. Pass e.g. "
            f"{min(length, max(1, round(2 * bandwidth) - 1))}."
        )
    tapers, concentrations = _dpss(length, float(bandwidth), count)
    return tapers.clone(), concentrations.clone()


@lru_cache(maxsize=16)
def _dpss(length: int, bandwidth: float, count: int) -> tuple[Tensor, Tensor]:
    from scipy.signal.windows import dpss as slepian  # noqa: PLC0415  0.9 s

    tapers, ratios = slepian(length, bandwidth, count, sym=True, norm=2, return_ratios=True)
    return torch.from_numpy(tapers.copy()), torch.from_numpy(ratios)


def taper_weights(
    concentrations: Float[Tensor, " tapers"], weighting: TaperWeighting = "unity"
) -> Float[Tensor, " tapers"]:
    """Weights of the tapers' spectra in their mean: all equal, or in proportion to concentration.

    Args:
        concentrations: as `dpss` returns them.
        weighting: ``unity`` or ``eigenvalues``.

    Returns:
        Weights that sum to 1.

    Raises:
        ValueError: for an unknown weighting.

    Example:
        >>> taper_weights(torch.tensor([1.0, 0.5]), "eigenvalues")
        tensor([0.6667, 0.3333])
    """
    require_choice("weighting", weighting, ("unity", "eigenvalues"))
    weights = torch.ones_like(concentrations) if weighting == "unity" else concentrations
    return weights / weights.sum()


def multitaper_spectrum(
    x: Float[Tensor, "*batch time"],
    *,
    sample_rate: float,
    tapers: Float[Tensor, "tapers time"],
    weights: Float[Tensor, " tapers"],
    n_fft: int | None = None,
) -> Float[Tensor, "*batch freq"]:
    """Power density ``S(f) = 2 / fs sum_k w_k |sum_n v_k[n] x[n] exp(-2 pi i f n)|^2``.

    One-sided: the 2 is 1 at 0 Hz and at half the sample rate. The mean is not taken off first.

    Args:
        x: signal.
        sample_rate: fs, samples per second, above 0.
        tapers: v, windows of unit energy, one value per sample, as `dpss` returns them.
        weights: w, one per taper, that sum to 1, as `taper_weights` returns them.
        n_fft: transform length, at least the samples of ``x``; these if not given.

    Returns:
        Density in squared units of ``x`` per Hz, ``(*batch, n_fft // 2 + 1)``, at the frequencies
        ``k fs / n_fft``.

    Raises:
        ValueError: for lengths that do not fit together, or a sample rate that is not positive.

    Example:
        >>> tapers, concentrations = dpss(1000)
        >>> noise = torch.randn(1000, dtype=torch.float64)
        >>> density = multitaper_spectrum(
        ...     noise, sample_rate=200, tapers=tapers, weights=taper_weights(concentrations)
        ... )
        >>> density.shape, bool((density.sum() * 0.2 - noise.square().mean()).abs() < 0.1)
        (torch.Size([501]), True)

    Agrees with the mean of ``scipy.signal.periodogram(window=v_k, detrend=False)`` to 1e-12.
    Reference: Thomson, Spectrum estimation and harmonic analysis, Proc. IEEE 70(9), 1982.
    """

    def density(items: Tensor) -> Tensor:
        spectra = _eigenspectra(items, sample_rate, tapers, n_fft)
        summed = torch.einsum("k,...kf->...f", weights.to(spectra), spectra)
        return summed * _one_sided(n_fft or items.shape[-1], summed) / sample_rate

    return by_items(density, x, growth=len(tapers))


def adaptive_multitaper_spectrum(
    x: Float[Tensor, "*batch time"],
    *,
    sample_rate: float,
    tapers: Float[Tensor, "tapers time"],
    concentrations: Float[Tensor, " tapers"],
    n_fft: int | None = None,
    n_iter: int = 16,
) -> Float[Tensor, "*batch freq"]:
    """Multitaper density whose weights go down where a taper would leak into a weak frequency.

    With ``S_k`` the density through taper k, ``l_k`` its concentration and ``s^2`` the signal's
    mean square over the sample rate, repeats ``d_k = sqrt(l_k) S / (l_k S + (1 - l_k) s^2)`` and
    ``S = sum_k d_k^2 S_k / sum_k d_k^2``, from the mean of the first two tapers.

    Args:
        x: signal.
        sample_rate: samples per second, above 0.
        tapers: as in `multitaper_spectrum`.
        concentrations: of the tapers, as `dpss` returns them.
        n_fft: as in `multitaper_spectrum`.
        n_iter: repetitions, at least 1; the change falls about tenfold with every two.

    Returns:
        Density in squared units of ``x`` per Hz, ``(*batch, n_fft // 2 + 1)``.

    Raises:
        ValueError: as `multitaper_spectrum`, or for ``n_iter`` below 1.

    Example:
        >>> tapers, concentrations = dpss(500)
        >>> adaptive_multitaper_spectrum(
        ...     torch.randn(500), sample_rate=1, tapers=tapers, concentrations=concentrations
        ... ).shape
        torch.Size([251])

    Agrees with a plain loop over the frequencies to 1e-12 in float64.
    Reference: Thomson 1982, section V; Percival & Walden, Spectral analysis for physical
    applications, 1993, eq. 368a and 370a.
    """
    require_between("n_iter", n_iter, 1, torch.inf, "Pass e.g. 16.")

    def density(items: Tensor) -> Tensor:
        spectra = _eigenspectra(items, sample_rate, tapers, n_fft)
        ratios = concentrations.to(spectra)[:, None]
        floor = torch.finfo(spectra.dtype)
        level = items.square().mean(-1)[..., None, None].clamp(min=floor.tiny**0.5)
        estimate = spectra[..., :2, :].mean(-2, keepdim=True)
        for _ in range(n_iter):
            # The floor decides only where the first tapers see nothing at all.
            leakage = level * (1 - ratios) / estimate.maximum(floor.eps * level)
            gain = ratios / (ratios + leakage).square()
            estimate = (gain * spectra).sum(-2, keepdim=True) / gain.sum(-2, keepdim=True)
        summed = estimate.squeeze(-2)
        return summed * _one_sided(n_fft or items.shape[-1], summed) / sample_rate

    return by_items(density, x, growth=len(tapers))


def multitaper_spectrogram(
    x: Float[Tensor, "*batch time"],
    *,
    sample_rate: float,
    tapers: Float[Tensor, "tapers win_length"],
    weights: Float[Tensor, " tapers"],
    n_fft: int | None = None,
    hop_length: int | None = None,
    center: bool = True,
    pad_mode: PadMode = "reflect",
) -> Float[Tensor, "*batch freq frames"]:
    """Power density of every frame: `multitaper_spectrum` along the signal.

    Args:
        x: signal.
        sample_rate: samples per second, above 0.
        tapers: windows of unit energy, as long as a frame.
        weights: one per taper, that sum to 1.
        n_fft: transform length, at least that of the tapers; that of the tapers if not given.
        hop_length: samples from one frame to the next; a quarter of the tapers if not given.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``, as `stft` takes it.

    Returns:
        Density in squared units of ``x`` per Hz, ``(*batch, n_fft // 2 + 1, frames)``, one-sided.

    Raises:
        ValueError: for lengths that do not fit together, or a sample rate that is not positive.

    Example:
        >>> tapers, concentrations = dpss(64)
        >>> multitaper_spectrogram(
        ...     torch.randn(500),
        ...     sample_rate=100,
        ...     tapers=tapers,
        ...     weights=taper_weights(concentrations),
        ... ).shape
        torch.Size([33, 32])

    Agrees with the weighted mean of ``scipy.signal.spectrogram(window=v_k, detrend=False)`` over
    the tapers to 1e-12 in float64.
    Reference: Thomson 1982.
    """
    require_sample_rate(sample_rate)
    _require_tapers(tapers, weights)
    length = tapers.shape[-1]
    n_fft = length if n_fft is None else n_fft
    hop_length = max(1, length // 4) if hop_length is None else hop_length

    def mean_power(items: Tensor) -> Tensor:
        density = items.new_zeros(())
        for taper, weight in zip(tapers.to(x), weights.to(x), strict=True):
            density = density + weight * spectrogram(
                items,
                n_fft=n_fft,
                hop_length=hop_length,
                window=taper,
                center=center,
                pad_mode=pad_mode,
            )
        return density * _one_sided(n_fft, density)[:, None] / sample_rate

    return by_items(mean_power, x)


def _eigenspectra(x: Tensor, sample_rate: float, tapers: Tensor, n_fft: int | None) -> Tensor:
    """Power ``(*batch, tapers, freq)`` through every taper."""
    require_real("x", x)
    require_sample_rate(sample_rate)
    time = x.shape[-1]
    if tapers.shape[-1] != time:
        raise ValueError(
            f"`tapers` (of {tapers.shape[-1]} samples) must be as long as the signal of {time}. "
            "Cut the signal, or make tapers of its length."
        )
    if n_fft is not None and n_fft < time:
        raise ValueError(
            f"`n_fft` (={n_fft}) must be at least the {time} samples of `x`. Raise it, or pass "
            "None."
        )
    spectra = torch.fft.rfft(x[..., None, :] * tapers.to(x), n=n_fft)
    return magnitude(spectra, power=2)


def _require_tapers(tapers: Tensor, weights: Tensor) -> None:
    if weights.shape != tapers.shape[:1] or 0 in tapers.shape:
        raise ValueError(
            f"`weights` (shape {tuple(weights.shape)}) must be one per taper of `tapers` (shape "
            f"{tuple(tapers.shape)}). Take both from one call of dpss."
        )


def _one_sided(n_fft: int, like: Tensor) -> Tensor:
    """2 for every bin that stands for two frequencies, 1 for those of 0 and half the rate."""
    bins = torch.arange(n_fft // 2 + 1, device=like.device)
    return torch.where((bins == 0) | (2 * bins == n_fft), 1.0, 2.0).to(like.dtype)
