"""The reassigned spectrogram as a module."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import window as named_window
from passband.frequency._reassigned import (
    Reassigned,
    accumulate_on_grid,
    reassigned_spectrogram,
)
from passband.frequency._sample_rate import require_sample_rate
from passband.frequency._stft import PadMode, _frame_window
from passband.frequency._validate import require_between, require_choice, require_positive
from passband.signal._stream import FrameStream, FrameTransform, Support
from passband.signal._transform import Transform, full_precision, require_finite


class ReassignedSpectrogram(Transform):
    """Times and frequencies where the energy of every STFT cell lies: `reassigned_spectrogram`.

    Args:
        sample_rate: samples per second, above 0.
        n_fft: frame length, in samples.
        hop_length: samples from one frame to the next; ``win_length // 4`` if not given.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        window: a name or pair as `passband.frequency.window` takes it.
        center: frame k is centred on sample ``k hop``; else it begins there.
        pad_mode: what stands beyond the ends if ``center``.
        ref_power: cells with a power below this, at least 0, are not reassigned.
        fill_nan: give such cells their frame's time and their bin's frequency; False marks them
            with NaN.
        clip: keep times within the signal and frequencies within 0 to half the sample rate.
        trainable: make the window a parameter.

    Raises:
        ValueError: for lengths that do not fit together or settings out of range.

    Example:
        >>> transform = ReassignedSpectrogram(sample_rate=8000, n_fft=256)
        >>> times, frequencies, magnitudes = transform(torch.randn(2, 4000))
        >>> times.shape, transform.energy(torch.randn(2, 4000)).shape
        (torch.Size([2, 129, 63]), torch.Size([2, 129, 63]))

    Agrees with ``librosa.reassigned_spectrogram`` to 1e-9 s and 1e-6 Hz in float64.
    Reference: Auger & Flandrin, Improving the readability of time-frequency and time-scale
    representations by the reassignment method, IEEE Trans. Signal Processing 43(5), 1995.
    """

    window: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        n_fft: int = 2048,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: str | tuple[str, float] = "hann",
        *,
        center: bool = True,
        pad_mode: PadMode = "constant",
        ref_power: float = 1e-6,
        fill_nan: bool = True,
        clip: bool = True,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        require_sample_rate(sample_rate)
        require_positive("n_fft", n_fft, "Pass e.g. 2048.")
        require_between("ref_power", ref_power, 0, torch.inf, "Pass 0 to reassign every cell.")
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "replicate", "circular"))
        length = n_fft if win_length is None else win_length
        if hop_length is None:
            hop_length = max(1, length // 4)
        require_positive("hop_length", hop_length, "Pass e.g. win_length // 4.")
        require_positive("win_length", length, "Pass the window's samples, at most n_fft.")
        samples = named_window(window, length, dtype=torch.float64)
        _frame_window(samples, length, n_fft, samples.dtype, samples.device)
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.center, self.pad_mode, self.ref_power = center, pad_mode, ref_power
        self.fill_nan, self.clip = fill_nan, clip
        self._constant("window", samples, trainable=trainable)

    @full_precision
    def forward(self, waveform: Float[Tensor, "*batch time"]) -> Reassigned:
        """Times, frequencies and magnitudes, each ``(*batch, n_fft // 2 + 1, frames)``."""
        require_finite("waveform", waveform)
        return reassigned_spectrogram(
            waveform,
            sample_rate=self.sample_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=self.window,
            padding="center" if self.center else "valid",
            pad_mode=self.pad_mode,
            ref_power=self.ref_power,
            fill_nan=self.fill_nan,
            clip=self.clip,
        )

    @full_precision
    def energy(self, waveform: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch freq frames"]:
        """Squared magnitudes summed where they belong, on the grid of the plain spectrogram.

        Differentiable with respect to the waveform, through places and magnitudes alike. With
        ``clip`` the sum over the grid is that of the plain power spectrogram, but for what lies
        beyond the last frame.
        """
        found = self(waveform)
        first = 0.0 if self.center else self.n_fft // 2 / self.sample_rate
        return accumulate_on_grid(
            found.times - first,
            found.frequencies,
            found.magnitudes.square(),
            n_freqs=self.n_fft // 2 + 1,
            n_times=found.times.shape[-1],
            freq_step=self.sample_rate / self.n_fft,
            time_step=self.hop_length / self.sample_rate,
        )

    def support(self) -> Support:
        """The samples under a frame; `ValueError` with ``clip``, which asks for the duration."""
        if self.clip:
            raise ValueError(
                "`clip` (=True) must be False in a stream, which does not know the duration to "
                "clip at. Pass clip=False."
            )
        left = self.n_fft // 2 if self.center else 0
        return Support(left, self.n_fft - left, self.hop_length)

    def stream(self) -> "ReassignedStream":
        """A stream whose ``push`` and ``finish`` return `Reassigned` frames."""
        return ReassignedStream(self)


class ReassignedStream:
    """`FrameStream` of a `ReassignedSpectrogram`; times count from the first sample pushed."""

    def __init__(self, transform: ReassignedSpectrogram) -> None:
        self._transform = transform
        self._stream = FrameStream(_Relative(transform))
        self._frames = 0

    def reset(self) -> None:
        """Forget everything pushed; the stream starts anew."""
        self._stream.reset()
        self._frames = 0

    def push(self, block: Float[Tensor, "*batch time"]) -> Reassigned:
        """Frames completed by ``block``, any length, also none."""
        return self._absolute(self._stream.push(block))

    def finish(self) -> Reassigned:
        """The frames still to come; then starts anew. `ValueError` if nothing was pushed."""
        rest = self._absolute(self._stream.finish())
        self._frames = 0
        return rest

    def _absolute(self, stacked: Tensor) -> Reassigned:
        times, frequencies, magnitudes = stacked.unbind(-3)
        first, count = self._frames, times.shape[-1]
        self._frames += count
        frames = torch.arange(first, first + count, dtype=times.dtype, device=times.device)
        step = self._transform.hop_length / self._transform.sample_rate
        return Reassigned(times + frames * step, frequencies, magnitudes)


class _Relative(FrameTransform):
    """The three results as one tensor, times counted from each frame's own position."""

    def __init__(self, transform: ReassignedSpectrogram) -> None:
        super().__init__()
        self.transform = transform
        self.hop_length = transform.hop_length

    def forward(self, waveform: Tensor) -> Tensor:
        times, frequencies, magnitudes = cast(Reassigned, self.transform(waveform))
        frames = torch.arange(times.shape[-1], dtype=times.dtype, device=times.device)
        starts = frames * (self.hop_length / self.transform.sample_rate)
        return torch.stack((times - starts, frequencies, magnitudes), dim=-3)

    def support(self) -> Support:
        return self.transform.support()
