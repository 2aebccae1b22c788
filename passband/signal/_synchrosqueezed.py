"""Synchrosqueezed transforms and their inverses as modules."""

from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._sample_rate import require_sample_rate
from passband.frequency._stft import PadMode, _frame_window
from passband.frequency._synchrosqueeze import (
    inverse_synchrosqueezed_cwt,
    inverse_synchrosqueezed_stft,
    synchrosqueezed_cwt,
    synchrosqueezed_stft,
)
from passband.frequency._validate import require_between, require_choice, require_positive
from passband.frequency._windows import window as named_window
from passband.signal._cwt import warn_of_gaps
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import Transform, full_precision, require_finite
from passband.signal._wavelet_transform import WaveletTransform


class SynchrosqueezedCWT(WaveletTransform):
    """Wavelet transform with every coefficient moved to the row of its instantaneous frequency.

    A tone or chirp of amplitude A stands in one row or two, which sum to magnitude A; the real
    part of the sum over all rows is the signal, to the ripple of the scales.

    Args:
        gamma: coefficients of this magnitude or less are left out, at least 0.
        settings: as given to `CWT`, but for ``norm``; at least 16 voices.

    Attributes:
        frequencies: of the rows, in Hz, ascending.

    Raises:
        ValueError: as `CWT`.

    Example:
        >>> transform = SynchrosqueezedCWT(8000, f_min=100, voices=16)
        >>> squeezed = transform(3 * torch.cos(2 * torch.pi * 0.1 * torch.arange(2000)))
        >>> round(float(transform.frequencies[squeezed[:, 1000].abs().argmax()]))
        784

    Agrees with ``ssqueezepy.ssq_cwt`` in the rows of tones and chirps to 1e-3, times
    ``2 / wavelet.admissibility``.
    Reference: Daubechies, Lu & Wu, Synchrosqueezed wavelet transforms, Appl. Comput. Harmon.
    Anal. 30(2), 2011, eq. 2.3 to 2.6.
    """

    def __init__(self, *args: Any, gamma: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        require_between("gamma", gamma, 0.0, torch.inf, "Pass 0 to keep all.")
        self.gamma = gamma

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Complex[Tensor, "*batch n_scales time"]:
        """Squeezed coefficients ``(*batch, n_scales, time)``; `ValueError` for NaN."""
        require_finite("waveform", waveform)
        return synchrosqueezed_cwt(
            waveform,
            self._scales,
            frequencies=self._cycles,
            wavelet=self.wavelet,
            gamma=self.gamma,
            pad_mode=self.pad_mode,
        )


class InverseSynchrosqueezedCWT(WaveletTransform):
    """Inverse of `SynchrosqueezedCWT`, of all rows or of those left in place.

    Args:
        settings: as given to `SynchrosqueezedCWT`.

    Raises:
        ValueError: as `CWT`.

    Warns:
        UserWarning: where the frequencies are so far apart that the wavelets leave gaps.

    Example:
        >>> transform = SynchrosqueezedCWT(8000, f_min=100, voices=16)
        >>> inverse = InverseSynchrosqueezedCWT(8000, f_min=100, voices=16)
        >>> tone = torch.cos(2 * torch.pi * 0.1 * torch.arange(8000))
        >>> torch.allclose(inverse(transform(tone))[3000:5000], tone[3000:5000], atol=1e-3)
        True

    Agrees with the signal as `InverseCWT` does.
    Reference: Daubechies, Lu & Wu, Synchrosqueezed wavelet transforms, Appl. Comput. Harmon.
    Anal. 30(2), 2011, eq. 2.6.
    """

    def __init__(self, *args: Any, gamma: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        require_between("gamma", gamma, 0.0, torch.inf, "Pass 0 to keep all.")
        warn_of_gaps(self)

    @full_precision
    def forward(
        self, transform: Complex[Tensor, "*batch n_scales time"]
    ) -> Float[Tensor, "*batch time"]:
        """Signal ``(*batch, time)``; `ValueError` for NaN or another number of rows."""
        require_finite("transform", transform)
        return inverse_synchrosqueezed_cwt(
            transform, self._scales, wavelet=self.wavelet, pad_mode=self.pad_mode
        )


class SynchrosqueezedSTFT(FrameTransform):
    """STFT with every value moved to the bin of its instantaneous frequency.

    The real part of the sum over the bins is the signal at the middle of the frame.

    Args:
        sample_rate: samples per second, above 0.
        n_fft: frame length, in samples.
        hop_length: samples from one frame to the next; 1 where the inverse is wanted.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        window: a name or pair as `passband.frequency.window` takes it.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``.
        gamma: values of this magnitude or less are left out, at least 0.
        trainable: make the window a parameter.

    Attributes:
        frequencies: of the bins, in Hz.

    Raises:
        ValueError: for lengths that do not fit together or settings out of range.

    Example:
        >>> transform = SynchrosqueezedSTFT(sample_rate=8000, n_fft=200, hop_length=10)
        >>> squeezed = transform(3 * torch.cos(2 * torch.pi * 0.1 * torch.arange(2000)))
        >>> round(float(squeezed[transform.frequencies == 800, 100].abs()), 3)
        3.0

    Agrees with ``ssqueezepy.ssq_stft`` to 1e-3 of the norm, times ``2 / w[middle]``, but for the
    rows of zero and half the rate, which that counts twice.
    Reference: Thakur & Wu, Synchrosqueezing-based recovery of instantaneous frequency from
    nonuniform samples, SIAM J. Math. Anal. 43(5), 2011, sec. 3.
    """

    window: Tensor
    frequencies: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        n_fft: int = 512,
        hop_length: int = 1,
        win_length: int | None = None,
        window: str | tuple[str, float] = "hann",
        *,
        center: bool = True,
        pad_mode: PadMode = "reflect",
        gamma: float = 0.0,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        require_sample_rate(sample_rate)
        require_positive("n_fft", n_fft, "Pass e.g. 512.")
        require_positive("hop_length", hop_length, "Pass 1 where the inverse is wanted.")
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        require_between("gamma", gamma, 0.0, torch.inf, "Pass 0 to keep all.")
        length = n_fft if win_length is None else win_length
        require_positive("win_length", length, "Pass the window's samples, at most n_fft.")
        samples = named_window(window, length, dtype=torch.float64)
        _frame_window(samples, length, n_fft, samples.dtype, samples.device)
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.center, self.pad_mode, self.gamma = center, pad_mode, gamma
        self._constant("window", samples, trainable=trainable)
        hertz = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * (sample_rate / n_fft)
        self._constant("frequencies", hertz)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Complex[Tensor, "*batch freq frames"]:
        """Squeezed values ``(*batch, n_fft // 2 + 1, frames)``; `ValueError` for NaN."""
        require_finite("waveform", waveform)
        return synchrosqueezed_stft(
            waveform,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=self.window,
            padding="center" if self.center else "valid",
            pad_mode=self.pad_mode,
            gamma=self.gamma,
        )

    def support(self) -> Support:
        """The samples under a frame."""
        left = self.n_fft // 2 if self.center else 0
        return Support(left, self.n_fft - left, self.hop_length)


class InverseSynchrosqueezedSTFT(Transform):
    """Inverse of `SynchrosqueezedSTFT` at a hop of 1: the real part of the sum over the bins.

    Args:
        settings: as given to `SynchrosqueezedSTFT`.

    Raises:
        ValueError: for a hop other than 1: between the frames the squeezed values say nothing.

    Example:
        >>> x = torch.randn(500)
        >>> squeezed = SynchrosqueezedSTFT(8000, n_fft=64)(x)
        >>> torch.allclose(InverseSynchrosqueezedSTFT(8000, n_fft=64)(squeezed, 500), x, atol=1e-5)
        True

    Agrees with the signal to 1e-12 in float64, whatever it is, with ``center``.
    Reference: Oberlin, Meignen & Perrier, The Fourier-based synchrosqueezing transform, ICASSP
    2014, eq. 4.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        forward = SynchrosqueezedSTFT(*args, **kwargs)
        if forward.hop_length != 1:
            raise ValueError(
                f"`hop_length` (={forward.hop_length} samples) must be 1 for an inverse: between "
                "the frames the squeezed values say nothing. Pass hop_length=1 to both."
            )
        self.n_fft = forward.n_fft

    @full_precision
    def forward(
        self, transform: Complex[Tensor, "*batch freq frames"], length: int | None = None
    ) -> Float[Tensor, "*batch time"]:
        """Signal ``(*batch, length)``, all frames if not given; `ValueError` for NaN."""
        require_finite("transform", transform)
        if transform.ndim < 2 or transform.shape[-2] != self.n_fft // 2 + 1:
            raise ValueError(
                f"`transform` (shape {tuple(transform.shape)}) must be (*batch, "
                f"{self.n_fft // 2 + 1}, frames) for n_fft={self.n_fft}. Check n_fft and the axes."
            )
        return inverse_synchrosqueezed_stft(transform, length=length)
