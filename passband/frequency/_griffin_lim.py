"""A signal from the magnitudes of its spectrogram alone."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from passband.frequency._block_spectrum import block_spectrum, blocks, in_blocks
from passband.frequency._framing import overlap_add
from passband.frequency._spectrogram import analysis_taper, require_real_power
from passband.frequency._stft import _covers, _pad, _span
from passband.frequency._validate import require_positive, require_real, values_can_be_read
from passband.frequency._windows import nola_satisfied

# Below this a magnitude has no phase to speak of.
_SILENCE = 1e-16


def griffinlim(
    specgram: Float[Tensor, "*batch freq frames"],
    *,
    n_fft: int = 400,
    n_iter: int = 32,
    win_length: int | None = None,
    hop_length: int | None = None,
    window: str | tuple[str, float] | Float[Tensor, " window"] = "hann",
    power: float = 2.0,
    momentum: float = 0.99,
    length: int | None = None,
    rand_init: bool = True,
) -> Float[Tensor, "*batch time"]:
    """Signal whose spectrogram is near ``specgram``, by the fast Griffin-Lim iteration.

    Each step projects on the spectra that a signal can have, ``c_n = STFT(ISTFT(t_(n-1)))``, and
    keeps of ``c_n - a c_(n-1)``, ``a = momentum / (1 + momentum)``, only the phase.

    Args:
        specgram: what `spectrogram` gives with ``center`` and without ``normalized``.
        n_fft: as given to `spectrogram`.
        n_iter: steps, at least 0.
        win_length: as given to `spectrogram`.
        hop_length: as given to `spectrogram`.
        window: as given to `spectrogram`.
        power: as given to `spectrogram`.
        momentum: in [0, 1); 0 is the method of Griffin and Lim.
        length: samples to return, honoured exactly; ``(frames - 1) hop_length`` if not given.
        rand_init: begin with random phases (of torch's generator), else with zero.

    Returns:
        Signal ``(*batch, time)``.

    Raises:
        TypeError: for values that are not float32 or float64.
        ValueError: for shapes and lengths that do not fit together, a momentum out of range, or a
            window and hop that leave samples uncovered (NOLA).

    Example:
        >>> from passband.frequency import spectrogram
        >>> tone = torch.sin(torch.arange(4000) / 10)
        >>> griffinlim(spectrogram(tone), length=4000).shape
        torch.Size([4000])

    Agrees with ``torchaudio.functional.griffinlim(rand_init=False)`` to 1e-5 in float64.
    Reference: Perraudin, Balazs & Sondergaard, A fast Griffin-Lim algorithm, WASPAA 2013,
    algorithm 2; Griffin & Lim, IEEE Trans. ASSP 32(2), 1984.
    """
    require_real_power(power)
    require_steps(n_iter, momentum)
    taper, hop_length = analysis_taper(window, win_length, hop_length, n_fft, specgram)
    _require_magnitudes(specgram, n_fft, hop_length)
    if length is not None:
        require_positive("length", length, "Pass the samples to return, or None for all of them.")
    values = specgram.mT.reshape(-1, *specgram.mT.shape[-2:])
    magnitudes = _magnitudes(values, power).contiguous()
    slowing = momentum / (1 + momentum)
    spectrum, before = _initial(magnitudes, rand_init), None
    start, envelope = _covered(taper, hop_length, values.shape[-2], length)
    span = slice(start, start + envelope.shape[-1])
    for step in range(n_iter):
        signal = _synthesis(magnitudes, spectrum, before, slowing, taper, hop_length)
        signal = _pad(signal[:, span] / envelope, (n_fft // 2, n_fft // 2), "reflect", n_fft)
        before = spectrum if step and slowing else None
        spectrum = block_spectrum(signal, taper, hop_length, None)
    signal = _synthesis(magnitudes, spectrum, before, slowing, taper, hop_length)
    signal = signal[:, span] / envelope
    if length is not None:
        signal = pad(signal, (0, length - signal.shape[-1]))
    return signal.reshape(*specgram.shape[:-2], -1)


def require_steps(n_iter: int, momentum: float) -> None:
    """Raise unless ``n_iter`` is a whole number of at least 0 and ``momentum`` in [0, 1)."""
    if not isinstance(n_iter, int) or n_iter < 0:
        raise ValueError(f"`n_iter` (={n_iter!r}) must be an integer of at least 0. Pass e.g. 32.")
    if not 0 <= momentum < 1:
        raise ValueError(
            f"`momentum` (={momentum}) must be at least 0 and below 1. Pass e.g. 0.99."
        )


def _require_magnitudes(specgram: Tensor, n_fft: int, hop_length: int) -> None:
    require_real("specgram", specgram)
    if specgram.ndim < 2 or specgram.shape[-2] != n_fft // 2 + 1:
        raise ValueError(
            f"`specgram` (shape {tuple(specgram.shape)}) must be (*batch, {n_fft // 2 + 1}, "
            f"frames) for n_fft={n_fft}. Check n_fft and the axes."
        )
    least = n_fft // 2 // hop_length + 2
    if specgram.shape[-1] < least:
        raise ValueError(
            f"`specgram` ({specgram.shape[-1]} frames) must have at least {least} frames for "
            f"n_fft={n_fft} and hop_length={hop_length}. Pass a longer one."
        )


def _magnitudes(values: Tensor, power: float) -> Tensor:
    if power == 1:
        return values
    # At silence a root has no finite gradient.
    heard = values > torch.finfo(values.dtype).tiny
    return torch.where(heard, torch.where(heard, values, 1) ** (1 / power), 0)


def _initial(magnitudes: Tensor, rand_init: bool) -> Tensor:
    turns = torch.rand_like(magnitudes) if rand_init else torch.zeros_like(magnitudes)
    return torch.polar(torch.ones_like(turns), 2 * math.pi * turns)


def _covered(taper: Tensor, hop_length: int, count: int, length: int | None) -> tuple[int, Tensor]:
    """First sample of the signal in the overlap-added frames, and its squared windows' sum."""
    envelope = overlap_add(taper.square().expand(count, -1), hop_length)
    start, natural = _span("center", count, taper.shape[-1], hop_length)
    # While iterating, the signal must give the frames it is made of.
    if length is not None and length // hop_length + 1 == count:
        natural = length
    envelope = envelope[start : start + natural]
    if values_can_be_read(taper) and not (nola_satisfied(taper, hop_length) and _covers(envelope)):
        raise ValueError(
            f"`hop_length` (={hop_length}) must be small enough for the window of "
            f"{taper.shape[-1]} samples to reach every sample (NOLA). Pass a quarter of the window."
        )
    return start, envelope


def _synthesis(
    magnitudes: Tensor,
    spectrum: Tensor,
    before: Tensor | None,
    slowing: float,
    taper: Tensor,
    hop_length: int,
) -> Tensor:
    """Overlap-added frames of the magnitudes with the phases of ``spectrum - slowing before``."""
    n_fft = taper.shape[-1]
    if not in_blocks(magnitudes, taper):
        turned = _with_phase(magnitudes, spectrum, before, slowing)
        return overlap_add(torch.fft.irfft(turned, n=n_fft) * taper, hop_length)
    items, count, _ = magnitudes.shape
    out = magnitudes.new_zeros(items, (count - 1) * hop_length + n_fft)
    for block in blocks(items, count, n_fft):
        earlier = None if before is None else before[block]
        turned = _with_phase(magnitudes[block], spectrum[block], earlier, slowing)
        added = overlap_add(torch.fft.irfft(turned, n=n_fft).mul_(taper), hop_length)
        start = block[1].start * hop_length
        out[block[0], start : start + added.shape[-1]] += added
    return out


def _with_phase(
    magnitudes: Tensor, spectrum: Tensor, before: Tensor | None, slowing: float
) -> Tensor:
    turned = spectrum if before is None else torch.sub(spectrum, before, alpha=slowing)
    parts = torch.view_as_real(turned)
    squares = parts.square()
    size = (squares[..., 0] + squares[..., 1]).clamp(min=_SILENCE**2).sqrt()
    return torch.view_as_complex(parts * (magnitudes / size)[..., None])
