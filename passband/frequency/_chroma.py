"""Filters that gather the octaves of each pitch class."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_positive


def chroma_fbanks(
    sample_rate: float,
    n_fft: int,
    n_chroma: int = 12,
    tuning: float = 0.0,
    ctroct: float = 5.0,
    octwidth: float | None = 2.0,
    norm: float | None = 2.0,
    base_c: bool = True,
) -> Float[Tensor, "{n_fft//2+1} {n_chroma}"]:
    """Filters ``H[f, c]``: Gaussian bumps at pitch class ``c`` of every octave.

    A bump is half as wide as the pitch classes, or as a bin where bins are wider.

    Args:
        sample_rate: in Hz.
        n_fft: samples in a frame, at least 2.
        n_chroma: pitch classes in an octave.
        tuning: deviation from A = 440 Hz, in pitch classes.
        ctroct: centre of the weighting of octaves, in octaves above 27.5 Hz.
        octwidth: its standard deviation, in octaves; None weights all octaves alike.
        norm: order of the norm to which each bin's weights are scaled, above 0; None for none.
        base_c: the first class is C; else A.

    Returns:
        The filters in columns, in float64.

    Raises:
        ValueError: for settings that are not positive.

    Example:
        >>> bank = chroma_fbanks(22050, 4096)
        >>> int(bank[82].argmax())  # 441 Hz
        9

    Agrees with ``librosa.filters.chroma`` (transposed), which is made in float64, to 1e-12.
    Reference: Ellis, Chroma feature analysis and synthesis, LabROSA, Columbia University, 2007;
    Bartsch & Wakefield, Audio thumbnailing of popular music, IEEE Trans. Multimedia 7(1), 2005.
    """
    _require(sample_rate, n_fft, n_chroma, tuning, octwidth, norm)
    hertz = torch.arange(1, n_fft, dtype=torch.float64) * (sample_rate / n_fft)
    classes = n_chroma * torch.log2(hertz / (27.5 * 2 ** (tuning / n_chroma)))
    # 0 Hz has no pitch: it stands far below the first bin, and is wide.
    classes = torch.cat((classes[:1] - 1.5 * n_chroma, classes))
    widths = torch.cat((classes.diff().clamp(min=1), classes.new_ones(1)))
    half = round(n_chroma / 2)
    away = classes[:, None] - torch.arange(n_chroma, dtype=torch.float64)
    away = (away + half + 10 * n_chroma).remainder(n_chroma) - half
    bank = torch.exp(-0.5 * (2 * away / widths[:, None]) ** 2)
    if norm is not None:
        bank = normalised(bank, norm, dim=1)
    if octwidth is not None:
        bank = bank * torch.exp(-0.5 * ((classes / n_chroma - ctroct) / octwidth) ** 2)[:, None]
    if base_c:
        bank = bank.roll(-3 * (n_chroma // 12), dims=1)
    return bank[: n_fft // 2 + 1].contiguous()


def normalised(x: Tensor, norm: float, dim: int) -> Tensor:
    """``x`` with norm 1 along ``dim``, where the norm is not below the smallest normal number."""
    size = torch.linalg.vector_norm(x, norm, dim=dim, keepdim=True)
    return x / torch.where(size < torch.finfo(x.dtype).tiny, 1.0, size)


def _require(
    sample_rate: float,
    n_fft: int,
    n_chroma: int,
    tuning: float,
    octwidth: float | None,
    norm: float | None,
) -> None:
    require_positive("n_fft", n_fft, "Pass e.g. 4096.")
    require_positive("n_chroma", n_chroma, "Pass e.g. 12.")
    if n_fft < 2:
        raise ValueError(f"`n_fft` (={n_fft}) must be at least 2. Pass e.g. 4096.")
    if not 0 < sample_rate < math.inf:
        raise ValueError(
            f"`sample_rate` (={sample_rate:g} Hz) must be above 0. Pass the signal's own rate."
        )
    if not math.isfinite(tuning):
        raise ValueError(f"`tuning` (={tuning}) must be finite. Pass 0 for A = 440 Hz.")
    for name, value in (("octwidth", octwidth), ("norm", norm)):
        if value is not None and not value > 0:
            raise ValueError(f"`{name}` (={value:g}) must be above 0, or None. Pass e.g. 2.")
