"""Change of sampling rate as a module."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._resample import polyphase, polyphase_blocks
from passband.frequency._sinc_resample import (
    ResamplingMethod,
    reduced_rates,
    sinc_resample_filter,
)
from passband.frequency._validate import require_real
from passband.signal._transform import Transform, full_precision, require_finite


class Resample(Transform):
    """Signal at ``new_freq``, in torchaudio's definition: a short windowed sinc.

    `passband.frequency.resample` has a longer filter, for when nothing may alias.

    Args:
        orig_freq: sampling rate of the signal, in Hz; a whole number.
        new_freq: the rate wanted, in Hz; a whole number.
        resampling_method: window of the sinc: ``sinc_interp_hann`` or ``sinc_interp_kaiser``.
        lowpass_filter_width: zero crossings of the sinc on each side, at least 1.
        rolloff: the filter's edge as a part of the lower Nyquist frequency, in (0, 1].
        beta: shape of the Kaiser window, at least 0; 14.77 if not given.
        dtype: not used; the filter is kept in float64 and used in the signal's type.

    Raises:
        ValueError: for rates that are not positive whole numbers, or values out of range.

    Example:
        >>> Resample(44100, 16000)(torch.randn(2, 44100)).shape
        torch.Size([2, 16000])

    Agrees with ``torchaudio.transforms.Resample`` to 1e-5 in float32.
    Reference: Smith, Digital audio resampling, CCRMA, Stanford University, 2002.
    """

    def __init__(
        self,
        orig_freq: float = 16000,
        new_freq: float = 16000,
        resampling_method: ResamplingMethod = "sinc_interp_hann",
        lowpass_filter_width: int = 6,
        rolloff: float = 0.99,
        beta: float | None = None,
        *,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.orig_freq, self.new_freq = orig_freq, new_freq
        self._up, self._down = reduced_rates(orig_freq, new_freq)
        kernel = sinc_resample_filter(
            self._up,
            self._down,
            lowpass_filter_width=lowpass_filter_width,
            rolloff=rolloff,
            resampling_method=resampling_method,
            beta=beta,
        )
        self._taps = kernel.shape[-1]
        self._starts: list[int] = []
        for start, block in polyphase_blocks(kernel, self._up, self._down):
            self._constant(f"kernel_{len(self._starts)}", block)
            self._starts.append(start)

    @full_precision
    def forward(self, waveform: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch new_time"]:
        """``ceil(time * new_freq / orig_freq)`` samples; ``waveform`` itself if the rates agree."""
        require_real("waveform", waveform)
        require_finite("waveform", waveform)
        if self._up == self._down:
            return waveform
        blocks = [(start, self.get_buffer(f"kernel_{i}")) for i, start in enumerate(self._starts)]
        return polyphase(waveform, blocks, self._taps, self._up, self._down)
