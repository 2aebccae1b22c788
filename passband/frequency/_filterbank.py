"""Triangular filters over the bins of a spectrum, spaced evenly in Hz or in mel."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._mel import MelVariant, hz_to_mel, mel_to_hz
from passband.frequency._validate import require_choice, require_positive


def melscale_fbanks(
    n_freqs: int,
    f_min: float,
    f_max: float,
    n_mels: int,
    sample_rate: float,
    norm: Literal["slaney"] | None = None,
    mel_scale: MelVariant = "htk",
    *,
    allow_empty: bool = False,
) -> Float[Tensor, "{n_freqs} {n_mels}"]:
    """Triangular filters ``H[f, m]`` whose corners are evenly spaced in mel.

    Filter ``m`` rises from corner ``m`` to 1 at corner ``m + 1``, and falls to 0 at ``m + 2``.

    Args:
        n_freqs: bins of the spectrum, from 0 Hz to half the sampling rate: ``n_fft // 2 + 1``.
        f_min: lowest corner, in Hz, at least 0.
        f_max: highest corner, in Hz, at most half the sampling rate.
        n_mels: number of filters.
        sample_rate: in Hz.
        norm: ``slaney`` scales each filter to an area of 1 over Hz; None leaves its peak at 1.
        mel_scale: ``htk`` or ``slaney``, as in `hz_to_mel`.
        allow_empty: keep filters that lie between two bins, and so are all zeros.

    Returns:
        The filters in columns, in float64.

    Raises:
        ValueError: for frequencies out of range, or a filter without a bin.

    Example:
        >>> melscale_fbanks(5, 0.0, 4000.0, 2, 8000).round(decimals=3)
        tensor([[0.0000, 0.0000],
                [0.6760, 0.3240],
                [0.0000, 0.9060],
                [0.0000, 0.4530],
                [0.0000, 0.0000]], dtype=torch.float64)

    Agrees with ``librosa.filters.mel`` (transposed) to 1e-12, and with
    ``torchaudio.functional.melscale_fbanks``, which is made in float32, to 1e-4.
    Reference: Davis & Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition, IEEE Trans. ASSP 28(4), 1980, fig. 1.
    """
    _require_band(n_freqs, f_min, f_max, sample_rate)
    require_positive("n_mels", n_mels, "Pass the number of filters, e.g. 80.")
    if norm is not None:
        require_choice("norm", norm, ("slaney",))
    low, high = (float(hz_to_mel(f, mel_scale=mel_scale)) for f in (f_min, f_max))
    mels = torch.linspace(low, high, n_mels + 2, dtype=torch.float64)
    corners = mel_to_hz(mels, mel_scale=mel_scale)
    bank = _triangles(n_freqs, corners, sample_rate)
    if not allow_empty:
        _require_no_empty("n_mels", bank, corners, sample_rate)
    return bank if norm is None else bank * (2 / (corners[2:] - corners[:-2]))


def linear_fbanks(
    n_freqs: int,
    f_min: float,
    f_max: float,
    n_filter: int,
    sample_rate: float,
    *,
    allow_empty: bool = False,
) -> Float[Tensor, "{n_freqs} {n_filter}"]:
    """Triangular filters ``H[f, m]`` with a peak of 1, whose corners are evenly spaced in Hz.

    Args:
        n_freqs: bins of the spectrum, from 0 Hz to half the sampling rate: ``n_fft // 2 + 1``.
        f_min: lowest corner, in Hz, at least 0.
        f_max: highest corner, in Hz, at most half the sampling rate.
        n_filter: number of filters.
        sample_rate: in Hz.
        allow_empty: keep filters that lie between two bins, and so are all zeros.

    Returns:
        The filters in columns, in float64.

    Raises:
        ValueError: for frequencies out of range, or a filter without a bin.

    Example:
        >>> linear_fbanks(5, 0.0, 4000.0, 3, 8000)[:, 0]
        tensor([0., 1., 0., 0., 0.], dtype=torch.float64)

    Agrees with ``torchaudio.functional.linear_fbanks``, which is made in float32, to 1e-4.
    Reference: Davis & Mermelstein 1980, as for `melscale_fbanks`.
    """
    _require_band(n_freqs, f_min, f_max, sample_rate)
    require_positive("n_filter", n_filter, "Pass the number of filters, e.g. 80.")
    corners = torch.linspace(f_min, f_max, n_filter + 2, dtype=torch.float64)
    bank = _triangles(n_freqs, corners, sample_rate)
    if not allow_empty:
        _require_no_empty("n_filter", bank, corners, sample_rate)
    return bank


def _triangles(n_freqs: int, corners: Tensor, sample_rate: float) -> Tensor:
    bins = torch.linspace(0, sample_rate / 2, n_freqs, dtype=torch.float64)[:, None]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    return torch.minimum(rising, falling).clamp(min=0)


def _require_band(n_freqs: int, f_min: float, f_max: float, sample_rate: float) -> None:
    require_positive("n_freqs", n_freqs, "Pass n_fft // 2 + 1.")
    if not 0 < sample_rate < float("inf"):
        raise ValueError(
            f"`sample_rate` (={sample_rate:g} Hz) must be above 0. Pass the signal's own rate."
        )
    if not f_max <= sample_rate / 2:
        raise ValueError(
            f"`f_max` (={f_max:g} Hz) must be at most the Nyquist frequency {sample_rate / 2:g} Hz "
            f"of `sample_rate` (={sample_rate:g} Hz). Lower `f_max`, or resample the signal to at "
            f"least {2 * f_max:g} Hz."
        )
    if not 0 <= f_min < f_max:
        raise ValueError(
            f"`f_min` (={f_min:g} Hz) must be at least 0 Hz and below `f_max` (={f_max:g} Hz). "
            "Pass e.g. 0."
        )


def _require_no_empty(name: str, bank: Tensor, corners: Tensor, sample_rate: float) -> None:
    n_freqs, count = bank.shape
    empty = int((bank.amax(0) == 0).sum())
    if not empty:
        return
    # A filter wider than two bins holds one of them wherever it lies.
    narrowest = float((corners[2:] - corners[:-2]).min())
    enough = int(sample_rate / narrowest) + 1
    raise ValueError(
        f"`{name}` (={count}) must be few enough for every filter to hold a bin: {empty} of them "
        f"lie between two of the {n_freqs} bins {sample_rate / 2 / max(1, n_freqs - 1):.3g} Hz "
        f"apart. Lower {name}, raise n_fft to {2 ** (enough - 1).bit_length()}, or pass "
        "allow_empty=True to keep bands of zeros."
    )
