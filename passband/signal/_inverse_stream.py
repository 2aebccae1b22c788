"""Signal out of spectra that arrive a few frames at a time."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import pad as zero_pad

from passband.frequency import overlap_add
from passband.frequency._spectrogram import Normalization, analysis_taper, normalization
from passband.frequency._stft import Padding, _require_spectrum, _span, divided, require_cover
from passband.signal._transform import require_finite


@runtime_checkable
class Inverse(Protocol):
    """What a stream reads of an `InverseSpectrogram`."""

    n_fft: int
    hop_length: int
    pad: int
    normalized: Normalization
    center: bool
    onesided: bool
    window: Tensor


class InverseStream:
    """An `InverseSpectrogram` of a spectrum that arrives in pieces of any number of frames.

    ``push`` returns the samples that no coming frame reaches, ``finish`` the rest; joined on the
    last axis they equal the inverse of the whole spectrum to rounding. Less than ``3/2 n_fft``
    samples are kept.

    Args:
        inverse: settings, window and device are used as they are at each push; ``pad`` must be 0.

    Attributes:
        latency: samples from the last one returned to the end of the last frame pushed, at most:
            ``n_fft - hop_length``, with ``center`` at least ``n_fft // 2``. So far behind its input
            runs a chain of spectrogram, processing frame by frame and inverse, and a hop more where
            the input comes sample by sample.

    Raises:
        ValueError: for an inverse with ``pad``, or a window and hop that leave samples uncovered.

    Example:
        >>> from passband.signal import InverseSpectrogram, Spectrogram
        >>> sound = torch.randn(500, dtype=torch.float64)
        >>> spectrum = Spectrogram(n_fft=64, hop_length=16, power=None)(sound)
        >>> stream = InverseSpectrogram(n_fft=64, hop_length=16).stream()
        >>> pieces = [stream.push(frames) for frames in spectrum.split(3, dim=-1)]
        >>> torch.allclose(torch.cat([*pieces, stream.finish(length=500)]), sound), stream.latency
        (True, 48)
    """

    def __init__(self, inverse: Inverse) -> None:
        if inverse.pad:
            raise ValueError(
                f"`pad` (={inverse.pad}) must be 0 to stream: where the zeros at the end begin is "
                "known only at the end. Pass pad=0 and cut the signal yourself."
            )
        self._inverse = inverse
        self._padding: Padding = "center" if inverse.center else "valid"
        n_fft, hop = inverse.n_fft, inverse.hop_length
        self._require_cover(2 * -(-n_fft // hop) + 1)
        self.latency = max(n_fft - hop, n_fft // 2 if inverse.center else 0)
        self.reset()

    def reset(self) -> None:
        """Forget everything pushed; the stream starts anew."""
        self._signal: Tensor | None = None  # windowed frames added up, from sample `_first` on
        self._power: Tensor | None = None  # squared windows added up, likewise
        self._first = 0
        self._count = 0

    def push(self, spectrum: Tensor) -> Tensor:
        """Samples completed by ``spectrum`` ``(*batch, freq, frames)``, any frames, also none."""
        require_finite("spectrum", spectrum)
        _require_spectrum(self._onesided(spectrum), self._inverse.n_fft, least=0)
        if self._signal is None:
            self._power = spectrum.real.new_zeros(0)
            self._signal = self._power.expand(*spectrum.shape[:-2], 0)
        if spectrum.shape[-1] > 0:
            self._add(*self._frames(self._onesided(spectrum)))
        start, natural = self._span()
        return self._taken(min(self._count * self._inverse.hop_length, start + natural))

    def finish(self, length: int | None = None) -> Tensor:
        """The samples still to come, up to ``length`` in all if given; then starts anew.

        Raises:
            ValueError: if nothing was pushed, for a length that is already exceeded, or frames too
                few for the window to reach every sample.
        """
        if self._signal is None or self._count == 0:
            raise ValueError("`finish` (0 frames pushed) must follow a push. Push frames first.")
        start, natural = self._span()
        given = max(0, self._first - start)
        if length is not None and length < given:
            raise ValueError(
                f"`length` (={length} samples) must be at least the {given} samples that were "
                "already returned. Cut them yourself."
            )
        self._require_cover(self._count)
        stop = start + (natural if length is None else length)
        rest = self._taken(min(stop, self._first + self._signal.shape[-1]))
        missing = stop - start - given - rest.shape[-1]
        self.reset()
        return zero_pad(rest, (0, missing))

    def _onesided(self, spectrum: Tensor) -> Tensor:
        n_fft = self._inverse.n_fft
        if self._inverse.onesided or spectrum.ndim < 2 or spectrum.shape[-2] != n_fft:
            return spectrum
        return spectrum[..., : n_fft // 2 + 1, :]

    def _add(self, frames: Tensor, taper: Tensor) -> None:
        """Take in windowed frames ``(*batch, frames, n_fft)``."""
        assert self._signal is not None
        assert self._power is not None
        count, hop = frames.shape[-2], self._inverse.hop_length
        offset = self._count * hop - self._first
        squares = taper.square().expand(count, -1)
        self._signal = _added(self._signal, overlap_add(frames, hop), offset)
        self._power = _added(self._power, overlap_add(squares, hop), offset)
        self._count += count

    def _frames(self, spectrum: Tensor) -> tuple[Tensor, Tensor]:
        """Windowed frames, and the window."""
        inverse = self._inverse
        taper, _ = analysis_taper(inverse.window, None, inverse.hop_length, inverse.n_fft, spectrum)
        norm = normalization(inverse.normalized)
        scale = "ortho" if norm == "frame_length" else "backward"
        frames: Tensor = torch.fft.irfft(spectrum.mT, n=inverse.n_fft, norm=scale)
        if norm == "window":
            frames = frames * taper.square().sum().sqrt()
        return frames * taper, taper

    def _taken(self, stop: int) -> Tensor:
        """The signal's samples before ``stop``, which are then forgotten."""
        assert self._signal is not None
        assert self._power is not None
        begin = max(self._first, self._span()[0])
        if stop <= begin:
            return self._signal[..., :0]
        here = slice(begin - self._first, stop - self._first)
        out = divided(self._signal[..., here], self._power[here])
        self._signal = self._signal[..., here.stop :].clone()
        self._power = self._power[here.stop :].clone()
        self._first = stop
        return out

    def _span(self) -> tuple[int, int]:
        inverse = self._inverse
        return _span(self._padding, self._count, inverse.n_fft, inverse.hop_length)

    def _require_cover(self, count: int) -> None:
        inverse = self._inverse
        window = inverse.window.detach().to("cpu", torch.float64)
        taper, hop = analysis_taper(window, None, inverse.hop_length, inverse.n_fft, window)
        require_cover(taper, hop, self._padding, min(count, 2 * -(-inverse.n_fft // hop) + 1))


def _added(kept: Tensor, more: Tensor, offset: int) -> Tensor:
    """``kept`` and, ``offset`` samples later, ``more``."""
    total = offset + more.shape[-1]
    return zero_pad(kept, (0, total - kept.shape[-1])) + zero_pad(more, (offset, 0))
