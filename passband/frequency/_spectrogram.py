"""Spectrograms in torchaudio's conventions, and back."""

from typing import Literal

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn.functional import pad as zero_pad

from passband.frequency._block_spectrum import block_spectrum
from passband.frequency._stft import PadMode, _frame_window, _pad, istft
from passband.frequency._validate import (
    require_choice,
    require_complex,
    require_positive,
    require_real,
)

Normalization = bool | Literal["window", "frame_length"]


def spectrogram(
    x: Float[Tensor, "*batch time"],
    *,
    n_fft: int = 400,
    win_length: int | None = None,
    hop_length: int | None = None,
    pad: int = 0,
    window: str | tuple[str, float] | Float[Tensor, " window"] = "hann",
    power: float | None = 2.0,
    normalized: Normalization = False,
    center: bool = True,
    pad_mode: PadMode = "reflect",
    onesided: bool = True,
) -> Float[Tensor, "*batch freq frames"] | Complex[Tensor, "*batch freq frames"]:
    """Spectrogram ``|X[f, k]| ** power`` of the short-time Fourier transform ``X``.

    Args:
        x: signal.
        n_fft: frame length and transform length, in samples.
        win_length: window length, at most ``n_fft``; ``n_fft``, or the length of ``window``, if
            not given.
        hop_length: samples from one frame to the next; ``win_length // 2`` if not given.
        pad: zeros put before and after the signal, at least 0.
        window: a name as `passband.frequency.window` takes it (periodic), or the samples.
        power: exponent, above 0: 1 for magnitude, 2 for power; None for the complex spectrum.
        normalized: ``window`` (or True) divides ``X`` by the root of the window's sum of squares,
            ``frame_length`` by the root of ``n_fft``.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``: ``reflect``, ``constant`` (zeros),
            ``replicate`` or ``circular``.
        onesided: bins up to half the sampling rate; else all ``n_fft``.

    Returns:
        ``(*batch, n_fft // 2 + 1, frames)``, real, or complex if ``power`` is None.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for lengths that do not fit together, a power of 0 or below, or a signal too
            short for its padding.

    Example:
        >>> spectrogram(torch.ones(2, 800), n_fft=400, hop_length=100).shape
        torch.Size([2, 201, 9])

    Agrees with ``torchaudio.functional.spectrogram`` to 1e-5 in float32.
    Reference: Allen & Rabiner, A unified approach to short-time Fourier analysis and synthesis,
    Proc. IEEE 65(11), 1977.
    """
    require_power(power)
    frames = prepared_frames(
        x, n_fft, win_length, hop_length, pad, window, normalized, center, pad_mode
    )
    values = block_spectrum(*frames, power).mT
    if onesided:
        return values
    mirrored = values[..., 1 : (n_fft + 1) // 2, :].flip(-2)
    return torch.cat((values, mirrored.conj() if power is None else mirrored), dim=-2)


def inverse_spectrogram(
    spectrum: Complex[Tensor, "*batch freq frames"],
    *,
    length: int | None = None,
    n_fft: int = 400,
    win_length: int | None = None,
    hop_length: int | None = None,
    pad: int = 0,
    window: str | tuple[str, float] | Float[Tensor, " window"] = "hann",
    normalized: Normalization = False,
    center: bool = True,
    onesided: bool = True,
) -> Float[Tensor, "*batch time"]:
    """Least-squares inverse of `spectrogram` with ``power=None``.

    Args:
        spectrum: complex spectrum ``(*batch, n_fft // 2 + 1, frames)``.
        length: samples to return, honoured exactly; all that the frames hold if not given.
        n_fft: as given to `spectrogram`.
        win_length: as given to `spectrogram`.
        hop_length: as given to `spectrogram`.
        pad: as given to `spectrogram`; the zeros are taken off again where ``length`` is given.
        window: as given to `spectrogram`.
        normalized: as given to `spectrogram`.
        center: as given to `spectrogram`.
        onesided: as given to `spectrogram`; of all ``n_fft`` bins the upper half is not used.

    Returns:
        Signal ``(*batch, time)``.

    Raises:
        TypeError: for a spectrum that is not complex64 or complex128.
        ValueError: for lengths that do not fit together, or a window and hop that leave samples
            uncovered (NOLA).

    Example:
        >>> x = torch.randn(1000, dtype=torch.float64)
        >>> y = inverse_spectrogram(spectrogram(x, power=None), length=1000)
        >>> torch.allclose(x, y)
        True

    Agrees with ``torchaudio.functional.inverse_spectrogram`` to 1e-5 in float32.
    Reference: Griffin & Lim, Signal estimation from modified short-time Fourier transform, IEEE
    Trans. ASSP 32(2), 1984, eq. 6.
    """
    require_complex("spectrum", spectrum)
    window, hop_length = analysis_taper(window, win_length, hop_length, n_fft, spectrum)
    norm = normalization(normalized)
    if not onesided:
        _require_bins(spectrum, n_fft)
        spectrum = spectrum[..., : n_fft // 2 + 1, :]
    if norm == "window":
        spectrum = spectrum * window.square().sum().sqrt()
    require_pad(pad)
    signal = istft(
        spectrum,
        n_fft=n_fft,
        hop_length=hop_length,
        window=window,
        padding="center" if center else "valid",
        normalized=norm == "frame_length",
        length=length if length is None else length + 2 * pad,
    )
    return signal if length is None else signal[..., pad : pad + length]


def prepared_frames(
    x: Tensor,
    n_fft: int,
    win_length: int | None,
    hop_length: int | None,
    pad: int,
    window: str | tuple[str, float] | Tensor,
    normalized: Normalization,
    center: bool,
    pad_mode: PadMode,
) -> tuple[Tensor, Tensor, int]:
    """The padded signal, the window with its normalization, and the hop, as frames are made of."""
    require_real("x", x)
    if x.numel() == 0:
        raise ValueError(
            f"`x` (shape {tuple(x.shape)}) must hold at least one signal. Leave empty batches out."
        )
    taper, hop_length = analysis_taper(window, win_length, hop_length, n_fft, x)
    norm = normalization(normalized)
    if norm:
        taper = taper / (n_fft**0.5 if norm == "frame_length" else taper.square().sum().sqrt())
    require_pad(pad)
    x = zero_pad(x, (pad, pad)) if pad else x
    if center:
        x = _pad(x, (n_fft // 2, n_fft // 2), pad_mode, n_fft)
    elif x.shape[-1] < n_fft:
        raise ValueError(
            f"`n_fft` (={n_fft}) must be at most the {x.shape[-1]} samples of `x` if center=False. "
            "Shorten it, or use center=True."
        )
    return x, taper, hop_length


def require_power(power: float | None) -> None:
    """Raise unless ``power`` is None or above 0."""
    if power is not None and not power > 0:
        raise ValueError(
            f"`power` (={power}) must be above 0, or None for the complex spectrum. Pass 1 for "
            "magnitude, 2 for power."
        )


def require_real_power(power: float | None) -> float:
    """Raise unless ``power`` is above 0."""
    if power is None or not power > 0:
        raise ValueError(f"`power` (={power}) must be above 0. Pass 1 for magnitude, 2 for power.")
    return power


def require_frames(n_fft: int, win_length: int | None, hop_length: int | None) -> tuple[int, int]:
    """The window length and the hop that stand for None, all three checked against each other."""
    require_positive("n_fft", n_fft, "Pass e.g. 1024.")
    win_length = n_fft if win_length is None else win_length
    require_positive("win_length", win_length, "Pass the window's samples, at most n_fft.")
    if win_length > n_fft:
        raise ValueError(
            f"`win_length` (={win_length}) must be at most `n_fft` (={n_fft}). Raise n_fft."
        )
    hop_length = max(1, win_length // 2) if hop_length is None else hop_length
    require_positive("hop_length", hop_length, "Pass e.g. win_length // 2.")
    return win_length, hop_length


def normalization(normalized: Normalization) -> Literal["", "window", "frame_length"]:
    """What to divide by: the ``window``, the ``frame_length`` or nothing."""
    if isinstance(normalized, bool):
        return "window" if normalized else ""
    require_choice("normalized", normalized, ("window", "frame_length"))
    return normalized


def require_pad(pad: int) -> None:
    """Raise unless ``pad`` is an integer of at least 0."""
    if not isinstance(pad, int) or pad < 0:
        raise ValueError(
            f"`pad` (={pad!r}) must be an integer of at least 0. Pass 0 for no zeros at the ends."
        )


def analysis_taper(
    window: str | tuple[str, float] | Tensor,
    win_length: int | None,
    hop_length: int | None,
    n_fft: int,
    like: Tensor,
) -> tuple[Tensor, int]:
    """The window in the middle of ``n_fft`` samples, and the hop."""
    if win_length is None and isinstance(window, Tensor):
        win_length = window.shape[-1]
    win_length, hop_length = require_frames(n_fft, win_length, hop_length)
    dtype = like.real.dtype if like.is_complex() else like.dtype
    return _frame_window(window, win_length, n_fft, dtype, like.device), hop_length


def _require_bins(spectrum: Tensor, bins: int) -> None:
    if spectrum.ndim < 2 or spectrum.shape[-2] != bins:
        raise ValueError(
            f"`spectrum` (shape {tuple(spectrum.shape)}) must have {bins} bins on its second last "
            f"axis for n_fft={bins} and onesided=False. Check n_fft and the axes."
        )
