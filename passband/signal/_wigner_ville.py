"""Wigner-Ville distributions of real signals, as modules."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import analytic_signal
from passband.frequency import window as named_window
from passband.frequency._validate import require_positive
from passband.frequency._wigner_ville import (
    pseudo_wigner_ville,
    require_frequencies,
    require_odd,
    smoothed_pseudo_wigner_ville,
    wigner_ville,
)
from passband.signal._transform import Transform, full_precision, require_finite


class WignerVille(Transform):
    """Wigner-Ville distribution of the analytic signal: `wigner_ville`.

    Of N samples it gives N frequencies, 0 to half the sample rate in steps of
    ``sample_rate / 2N``; its memory goes with ``N^2 / hop_length``.

    Args:
        hop_length: samples from one frame to the next, from sample 0 on.

    Raises:
        ValueError: for a hop below 1.

    Example:
        >>> WignerVille(hop_length=4)(torch.randn(2, 256)).shape
        torch.Size([2, 256, 64])

    Agrees with a plain loop over time, frequency and lag to 1e-12 in float64.
    Reference: Claasen & Mecklenbraeuker, The Wigner distribution, part II: discrete-time signals,
    Philips J. Research 35, 1980.
    """

    def __init__(self, hop_length: int = 1) -> None:
        super().__init__()
        require_positive("hop_length", hop_length, "Pass 1 for every sample.")
        self.hop_length = hop_length

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch freq frames"]:
        """Distribution ``(*batch, time, frames)``; `ValueError` for NaN or an empty signal."""
        require_finite("waveform", waveform)
        return wigner_ville(analytic_signal(waveform), hop_length=self.hop_length)


class PseudoWignerVille(Transform):
    """Wigner-Ville distribution with a window over the lag: `pseudo_wigner_ville`.

    Frequencies are 0 to half the sample rate in steps of ``sample_rate / (2 n_fft)``.

    Args:
        n_fft: number of frequencies.
        hop_length: samples from one frame to the next, from sample 0 on.
        win_length: samples of the lag window, odd, at most ``n_fft``; the largest such if not
            given. It spans as many samples of the signal as a frame of that length.
        window: its shape, a name or pair as `passband.frequency.window` takes it (symmetric).
        trainable: make the window a parameter.

    Raises:
        ValueError: for an even window or one longer than ``n_fft``, or counts below 1.

    Example:
        >>> PseudoWignerVille(n_fft=64, hop_length=16)(torch.randn(2, 640)).shape
        torch.Size([2, 64, 40])

    Agrees with a plain loop over time, frequency and lag to 1e-12 in float64.
    Reference: Claasen & Mecklenbraeuker 1980.
    """

    lag_window: Tensor

    def __init__(
        self,
        n_fft: int = 512,
        hop_length: int = 128,
        win_length: int | None = None,
        window: str | tuple[str, float] = "hann",
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        lags = _lag_window(n_fft, hop_length, win_length, window)
        self._constant("lag_window", lags, trainable=trainable)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch {self.n_fft} frames"]:
        """Distribution ``(*batch, n_fft, frames)``; `ValueError` for NaN or an empty signal."""
        require_finite("waveform", waveform)
        return pseudo_wigner_ville(
            analytic_signal(waveform),
            self.lag_window.to(waveform.dtype),
            n_fft=self.n_fft,
            hop_length=self.hop_length,
        )


class SmoothedPseudoWignerVille(Transform):
    """Wigner-Ville distribution smoothed along both axes: `smoothed_pseudo_wigner_ville`.

    Frequencies are 0 to half the sample rate in steps of ``sample_rate / (2 n_fft)``.

    Args:
        n_fft: number of frequencies.
        hop_length: samples from one frame to the next, from sample 0 on.
        win_length: samples of the lag window, as in `PseudoWignerVille`.
        window: shape of the lag window.
        time_length: samples that every value is averaged over, odd.
        time_window: shape of that average, whose weights sum to 1.
        trainable: make both windows parameters.

    Raises:
        ValueError: for windows of even length or longer than ``n_fft``, or counts below 1.

    Example:
        >>> SmoothedPseudoWignerVille(n_fft=64, hop_length=16)(torch.randn(2, 640)).shape
        torch.Size([2, 64, 40])

    Agrees with a plain loop over time, frequency, lag and shift to 1e-12 in float64.
    Reference: Flandrin, Some features of time-frequency representations of multicomponent signals,
    IEEE ICASSP, 1984.
    """

    lag_window: Tensor
    time_window: Tensor

    def __init__(
        self,
        n_fft: int = 512,
        hop_length: int = 128,
        win_length: int | None = None,
        window: str | tuple[str, float] = "hann",
        time_length: int = 63,
        time_window: str | tuple[str, float] = "hann",
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        lags = _lag_window(n_fft, hop_length, win_length, window)
        require_positive("time_length", time_length, "Pass an odd number of samples, e.g. 63.")
        require_odd("time_window", time_length)
        weights = named_window(time_window, time_length, periodic=False, dtype=torch.float64)
        self._constant("lag_window", lags, trainable=trainable)
        self._constant("time_window", weights / weights.sum(), trainable=trainable)

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch {self.n_fft} frames"]:
        """Distribution ``(*batch, n_fft, frames)``; `ValueError` for NaN or an empty signal."""
        require_finite("waveform", waveform)
        return smoothed_pseudo_wigner_ville(
            analytic_signal(waveform),
            self.time_window.to(waveform.dtype),
            self.lag_window.to(waveform.dtype),
            n_fft=self.n_fft,
            hop_length=self.hop_length,
        )


def _lag_window(
    n_fft: int, hop_length: int, win_length: int | None, window: str | tuple[str, float]
) -> Tensor:
    require_positive("n_fft", n_fft, "Pass the frequencies wanted, e.g. 512.")
    require_positive("hop_length", hop_length, "Pass 1 for every sample.")
    length = n_fft - 1 + n_fft % 2 if win_length is None else win_length
    require_positive("win_length", length, "Pass an odd number of samples, at most n_fft.")
    require_odd("win_length", length)
    require_frequencies(n_fft, length)
    return named_window(window, length, periodic=False, dtype=torch.float64)
