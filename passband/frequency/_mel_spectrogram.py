"""Spectrograms seen through filters, and through mel filters in particular."""

from functools import lru_cache
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from passband.frequency._block_spectrum import Ranges, block_spectrum, filter_ranges
from passband.frequency._filterbank import melscale_fbanks
from passband.frequency._mel import MelVariant
from passband.frequency._spectrogram import Normalization, prepared_frames, require_real_power
from passband.frequency._stft import PadMode
from passband.frequency._validate import DtypeError


def filtered_spectrogram(
    x: Float[Tensor, "*batch time"],
    filters: Float[Tensor, "freq filters"],
    *,
    n_fft: int = 400,
    win_length: int | None = None,
    hop_length: int | None = None,
    pad: int = 0,
    window: str | tuple[str, float] | Float[Tensor, " window"] = "hann",
    power: float = 2.0,
    normalized: Normalization = False,
    center: bool = True,
    pad_mode: PadMode = "reflect",
    ranges: Ranges | None = None,
) -> Float[Tensor, "*batch filters frames"]:
    """Spectrogram through filters, ``sum_f H[f, m] |X[f, k]| ** power``, in one pass.

    The spectrogram itself is never written out, so this costs hardly more than the transform.

    Args:
        x: signal.
        filters: ``H``, ``(n_fft // 2 + 1, filters)``, such as `melscale_fbanks` gives.
        n_fft: as in `spectrogram`.
        win_length: as in `spectrogram`.
        hop_length: as in `spectrogram`.
        pad: as in `spectrogram`.
        window: as in `spectrogram`.
        power: as in `spectrogram`, but not None.
        normalized: as in `spectrogram`.
        center: as in `spectrogram`.
        pad_mode: as in `spectrogram`.
        ranges: where the filters are nonzero, as `filter_ranges` gives it once for many calls; the
            rest is then left out of the sum. Everywhere, if not given.

    Returns:
        ``(*batch, filters, frames)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for filters of another number of bins, and as in `spectrogram`.

    Example:
        >>> import torch
        >>> bands = torch.eye(201)[:, :100]
        >>> filtered_spectrogram(torch.ones(800), bands, hop_length=100).shape
        torch.Size([100, 9])

    Agrees with the product of ``filters`` and ``torchaudio.functional.spectrogram`` to 1e-5 in
    float32.
    Reference: Davis & Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition, IEEE Trans. ASSP 28(4), 1980, section II.
    """
    require_real_power(power)
    frames = prepared_frames(
        x, n_fft, win_length, hop_length, pad, window, normalized, center, pad_mode
    )
    _require_filters(filters, n_fft)
    filters = filters.to(dtype=x.dtype, device=x.device)
    return block_spectrum(*frames, power, filters, ranges).mT


def mel_spectrogram(
    x: Float[Tensor, "*batch time"],
    *,
    sample_rate: float = 16000,
    n_fft: int = 400,
    win_length: int | None = None,
    hop_length: int | None = None,
    f_min: float = 0.0,
    f_max: float | None = None,
    pad: int = 0,
    n_mels: int = 128,
    window: str | tuple[str, float] | Float[Tensor, " window"] = "hann",
    power: float = 2.0,
    normalized: Normalization = False,
    center: bool = True,
    pad_mode: PadMode = "reflect",
    norm: Literal["slaney"] | None = None,
    mel_scale: MelVariant = "htk",
    allow_empty: bool = False,
) -> Float[Tensor, "*batch {n_mels} frames"]:
    """Mel spectrogram: the `spectrogram` through the filters of `melscale_fbanks`.

    Args:
        x: signal.
        sample_rate: in Hz.
        n_fft: as in `spectrogram`.
        win_length: as in `spectrogram`.
        hop_length: as in `spectrogram`.
        f_min: lowest frequency, in Hz.
        f_max: highest frequency, in Hz; half the sampling rate if not given.
        pad: as in `spectrogram`.
        n_mels: number of mel bands.
        window: as in `spectrogram`.
        power: as in `spectrogram`, but not None.
        normalized: as in `spectrogram`.
        center: as in `spectrogram`.
        pad_mode: as in `spectrogram`.
        norm: as in `melscale_fbanks`.
        mel_scale: as in `melscale_fbanks`.
        allow_empty: as in `melscale_fbanks`.

    Returns:
        ``(*batch, n_mels, frames)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: as `spectrogram` and `melscale_fbanks` raise it.

    Example:
        >>> import torch
        >>> mel_spectrogram(torch.ones(2, 16000), n_fft=1024, hop_length=160, n_mels=80).shape
        torch.Size([2, 80, 101])

    Agrees with ``librosa.feature.melspectrogram`` to 1e-5 in float32 (given ``mel_scale="slaney"``,
    ``norm="slaney"`` and ``pad_mode="constant"``), and with
    ``torchaudio.transforms.MelSpectrogram`` to 1e-5.
    Reference: Davis & Mermelstein 1980, as for `filtered_spectrogram`.
    """
    f_max = sample_rate / 2 if f_max is None else f_max
    bins = n_fft // 2 + 1
    filters, ranges = _bank(bins, f_min, f_max, n_mels, sample_rate, norm, mel_scale, allow_empty)
    return filtered_spectrogram(
        x,
        filters,
        n_fft=n_fft,
        win_length=win_length,
        hop_length=hop_length,
        pad=pad,
        window=window,
        power=power,
        normalized=normalized,
        center=center,
        pad_mode=pad_mode,
        ranges=ranges,
    )


@lru_cache(maxsize=16)
def _bank(
    n_freqs: int,
    f_min: float,
    f_max: float,
    n_mels: int,
    sample_rate: float,
    norm: Literal["slaney"] | None,
    mel_scale: MelVariant,
    allow_empty: bool,
) -> tuple[Tensor, Ranges]:
    filters = melscale_fbanks(
        n_freqs, f_min, f_max, n_mels, sample_rate, norm, mel_scale, allow_empty=allow_empty
    )
    return filters, filter_ranges(filters)


def _require_filters(filters: Tensor, n_fft: int) -> None:
    if not filters.is_floating_point():
        raise DtypeError(
            f"`filters` (dtype {filters.dtype}) must be real floating-point values. Convert them."
        )
    if filters.ndim != 2 or filters.shape[0] != n_fft // 2 + 1:
        raise ValueError(
            f"`filters` (shape {tuple(filters.shape)}) must be ({n_fft // 2 + 1}, filters) for "
            f"n_fft={n_fft}. Make them with n_freqs=n_fft // 2 + 1."
        )
