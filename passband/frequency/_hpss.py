"""Separation of a spectrogram into what lasts and what strikes."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._magnitude import magnitude
from passband.frequency._median import running_median
from passband.frequency._validate import require_positive

Pair = tuple[float, float]


def softmask(
    x: Float[Tensor, "*shape"],
    reference: Float[Tensor, "*shape"],
    *,
    power: float = 1.0,
    split_zeros: bool = False,
) -> Float[Tensor, "*shape"]:
    """Mask ``x ** power / (x ** power + reference ** power)``, computed without overflow.

    Args:
        x: values, at least 0.
        reference: values of the same shape, at least 0.
        power: exponent, above 0; infinity gives the hard mask ``x > reference``.
        split_zeros: the mask where both are 0: a half, or else 0.

    Returns:
        The mask, between 0 and 1.

    Raises:
        ValueError: for a power of 0 or below.

    Example:
        >>> softmask(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0]), power=2.0)
        tensor([0.5000, 0.9000])

    Agrees with ``librosa.util.softmask`` to 1e-12 in float64.
    Reference: FitzGerald, Harmonic/percussive separation using median filtering, DAFx 2010, eqs. 7
    and 8.
    """
    if not power > 0:
        raise ValueError(f"`power` (={power:g}) must be above 0. Pass 2 for Wiener's filter.")
    if power == math.inf:
        return (x > reference).to(x.dtype)
    larger = torch.maximum(x, reference).detach()  # it cancels, and so has no gradient
    silent = larger < torch.finfo(x.dtype).tiny
    larger = torch.where(silent, 1.0, larger)
    mine, other = (_power(value / larger, power, silent) for value in (x, reference))
    zero = 0.5 if split_zeros else 0.0
    return torch.where(silent, zero, mine / torch.where(silent, 1.0, mine + other))


def hpss_masks(
    S: Float[Tensor, "*batch freq frames"],
    *,
    kernel_size: int | tuple[int, int] = 31,
    power: float = 2.0,
    margin: float | Pair = 1.0,
) -> tuple[Float[Tensor, "*batch freq frames"], Float[Tensor, "*batch freq frames"]]:
    """Harmonic and percussive masks of a magnitude spectrogram, by medians over time and frequency.

    ``H`` is the running median over time, which strikes do not survive, ``P`` the one over
    frequency, which tones do not; the masks are ``softmask(H, margin P)`` and
    ``softmask(P, margin H)``.

    Args:
        S: magnitudes.
        kernel_size: frames (harmonic) and bins (percussive) of the medians; one number for both.
        power: exponent of the masks, above 0; 2 for Wiener's filter, infinity for hard masks.
        margin: factors, at least 1, by which a part must exceed the other; one number for both.

    Returns:
        The harmonic and the percussive mask, of the shape of ``S``.

    Raises:
        TypeError: for values that are not float32 or float64.
        ValueError: for settings out of range.

    Example:
        >>> steady = torch.zeros(5, 9).index_fill(0, torch.tensor(2), 1.0)
        >>> harmonic, percussive = hpss_masks(steady, kernel_size=5)
        >>> float(harmonic[2, 4]), float(percussive[2, 4])
        (1.0, 0.0)

    Agrees with ``librosa.decompose.hpss(mask=True)`` to 1e-12 in float64 and 1e-5 in float32.
    Reference: FitzGerald, DAFx 2010; Driedger, Mueller & Disch, Extending harmonic-percussive
    separation of audio, ISMIR 2014.
    """
    frames, bins = kernel_pair(kernel_size)
    margins = margin_pair(margin)
    harmonic = running_median(S, frames)
    percussive = running_median(S.mT, bins).mT
    split = margins == (1, 1)
    return (
        softmask(harmonic, percussive * margins[0], power=power, split_zeros=split),
        softmask(percussive, harmonic * margins[1], power=power, split_zeros=split),
    )


def hpss(
    S: Float[Tensor, "*batch freq frames"] | Complex[Tensor, "*batch freq frames"],
    *,
    kernel_size: int | tuple[int, int] = 31,
    power: float = 2.0,
    margin: float | Pair = 1.0,
) -> tuple[Tensor, Tensor]:
    """Harmonic and percussive parts of a spectrogram, ``S`` times the masks of `hpss_masks`.

    Args:
        S: complex spectrum, or magnitudes.
        kernel_size: as in `hpss_masks`.
        power: as in `hpss_masks`.
        margin: as in `hpss_masks`. Above 1 the parts leave a residual ``S - H - P``.

    Returns:
        The harmonic and the percussive part, of the shape and type of ``S``.

    Raises:
        TypeError: for values that are not float32, float64 or complex.
        ValueError: for settings out of range.

    Example:
        >>> harmonic, percussive = hpss(torch.ones(40, 50))
        >>> float((harmonic + percussive).mean())
        1.0

    Agrees with ``librosa.decompose.hpss`` to 1e-12 in float64 and 1e-5 in float32.
    Reference: FitzGerald, DAFx 2010.
    """
    size = magnitude(S) if S.is_complex() else S
    masks = hpss_masks(size, kernel_size=kernel_size, power=power, margin=margin)
    return S * masks[0], S * masks[1]


def kernel_pair(kernel_size: int | tuple[int, int]) -> tuple[int, int]:
    """Sizes of the harmonic and the percussive median."""
    sizes = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
    if len(sizes) != 2:
        raise ValueError(
            f"`kernel_size` (={kernel_size!r}) must be one or two sizes. Pass e.g. 31."
        )
    for size in sizes:
        require_positive("kernel_size", size, "Pass e.g. 31, or a pair (frames, bins).")
    return sizes[0], sizes[1]


def margin_pair(margin: float | Pair) -> Pair:
    """Margins of the harmonic and the percussive mask."""
    margins = (margin, margin) if isinstance(margin, int | float) else tuple(margin)
    if len(margins) != 2 or not all(1 <= m < math.inf for m in margins):
        raise ValueError(
            f"`margin` (={margin!r}) must be one or two factors of at least 1. Pass 1 for no "
            "residual, 2 to 5 for cleaner parts."
        )
    return margins[0], margins[1]


def _power(ratio: Tensor, power: float, silent: Tensor) -> Tensor:
    """``ratio ** power`` with gradient 0 at 0, where a power below 1 has none."""
    if power >= 1:
        return ratio**power
    quiet = silent | (ratio == 0)
    return torch.where(quiet, 0.0, torch.where(quiet, 1.0, ratio) ** power)
