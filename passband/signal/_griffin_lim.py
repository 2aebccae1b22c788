"""A signal from the magnitudes of its spectrogram, as a module."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import griffinlim
from passband.frequency._griffin_lim import require_steps
from passband.frequency._spectrogram import require_frames, require_real_power
from passband.frequency._validate import require_positive, values_can_be_read
from passband.signal._analysis_window import WindowFn, analysis_window
from passband.signal._transform import Transform, full_precision, require_finite


class GriffinLim(Transform):
    """Signal whose spectrogram is near the one given, by the fast Griffin-Lim iteration.

    Args:
        n_fft: as given to `Spectrogram`.
        n_iter: steps, at least 0.
        win_length: as given to `Spectrogram`.
        hop_length: as given to `Spectrogram`.
        window_fn: as given to `Spectrogram`.
        power: as given to `Spectrogram`.
        wkwargs: as given to `Spectrogram`.
        momentum: in [0, 1); 0 is the method of Griffin and Lim.
        length: samples to return, honoured exactly; ``(frames - 1) hop_length`` if not given.
        rand_init: begin with random phases (of torch's generator), else with zero.
        trainable: make the window a parameter.

    Raises:
        ValueError: for lengths that do not fit together or settings out of range.

    Example:
        >>> from passband.signal import Spectrogram
        >>> magnitudes = Spectrogram(n_fft=64, hop_length=16, power=1.0)(torch.randn(1, 800))
        >>> GriffinLim(n_fft=64, hop_length=16, power=1.0, length=800)(magnitudes).shape
        torch.Size([1, 800])

    Agrees with ``torchaudio.transforms.GriffinLim(rand_init=False)`` to 1e-5 in float64.
    Reference: Perraudin, Balazs & Sondergaard, A fast Griffin-Lim algorithm, WASPAA 2013,
    algorithm 2.
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 400,
        n_iter: int = 32,
        win_length: int | None = None,
        hop_length: int | None = None,
        window_fn: WindowFn = torch.hann_window,
        power: float = 2.0,
        wkwargs: Mapping[str, Any] | None = None,
        momentum: float = 0.99,
        length: int | None = None,
        rand_init: bool = True,
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.win_length, self.hop_length = require_frames(n_fft, win_length, hop_length)
        require_real_power(power)
        require_steps(n_iter, momentum)
        if length is not None:
            require_positive("length", length, "Pass the samples to return, or None for all.")
        self.n_iter, self.power, self.momentum = n_iter, power, momentum
        self.length, self.rand_init = length, rand_init
        window = analysis_window(window_fn, self.win_length, wkwargs)
        self._constant("window", window, trainable=trainable)

    @full_precision
    def forward(
        self, specgram: Float[Tensor, "*batch freq frames"]
    ) -> Float[Tensor, "*batch time"]:
        """Signal of a spectrogram of values of at least 0."""
        require_finite("specgram", specgram)
        _require_no_negative(specgram)
        return griffinlim(
            specgram,
            n_fft=self.n_fft,
            n_iter=self.n_iter,
            hop_length=self.hop_length,
            window=self.window,
            power=self.power,
            momentum=self.momentum,
            length=self.length,
            rand_init=self.rand_init,
        )


def _require_no_negative(specgram: Tensor) -> None:
    """Raise for values that no magnitude can have, where they can be read back."""
    if not values_can_be_read(specgram) or specgram.is_complex() or specgram.numel() == 0:
        return
    try:
        least = float(specgram.detach().min())
    except RuntimeError:  # vmap has no single value to read
        return
    if least < 0:
        raise ValueError(
            f"`specgram` (smallest {least:g}) must hold no negative values. Pass magnitudes, not "
            "decibels or logarithms: passband.frequency.db_to_amplitude converts."
        )
