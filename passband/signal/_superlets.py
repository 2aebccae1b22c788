"""Superlets as a module."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._sample_rate import require_sample_rate
from passband.frequency._superlets import require_superlets, superlets
from passband.frequency._validate import require_positive
from passband.signal._transform import Transform, full_precision, require_finite


class Superlets(Transform):
    """Superlet magnitude: the geometric mean of Morlet transforms of ``c1, 2 c1, ...`` cycles.

    Args:
        sample_rate: samples per second, above 0.
        frequencies: in Hz, above 0 and at most half of ``sample_rate``; if not given, ``n_bins``
            equally far apart in pitch, from ``f_min`` to ``f_max``.
        c1: cycles of the shortest wavelet, above 0.
        order_min: order at the lowest frequency, at least 1; may be a fraction.
        order_max: order at the highest frequency, at least ``order_min``.
        f_min: lowest frequency, in Hz; ``sample_rate / 200`` if not given.
        f_max: highest frequency, in Hz; ``sample_rate / 4`` if not given.
        n_bins: frequencies.
        pad_mode: what stands beyond the ends: ``reflect`` or ``constant`` (zeros).

    Attributes:
        frequencies: of the rows, in Hz.

    Raises:
        ValueError: for a frequency above half of ``sample_rate``, cycles or orders out of range.

    Example:
        >>> transform = Superlets(sample_rate=1000, frequencies=[50, 100, 150], order_max=5)
        >>> transform(torch.randn(2, 800)).shape
        torch.Size([2, 3, 800])

    Agrees with the convolutions of its definition to 1e-9 in float64.
    Reference: Moca, Bârzan, Nagy-Dăbâcan & Mureșan, Time-frequency super-resolution with
    superlets, Nature Communications 12, 2021, eq. 1 to 8.
    """

    frequencies: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        frequencies: Sequence[float] | Tensor | None = None,
        c1: float = 3.0,
        order_min: float = 1.0,
        order_max: float = 30.0,
        *,
        f_min: float | None = None,
        f_max: float | None = None,
        n_bins: int = 64,
        pad_mode: str = "reflect",
    ) -> None:
        super().__init__()
        require_sample_rate(sample_rate)
        if frequencies is None:
            require_positive("n_bins", n_bins, "Pass e.g. 64.")
            low = sample_rate / 200 if f_min is None else f_min
            high = sample_rate / 4 if f_max is None else f_max
            if not 0 < low <= high <= sample_rate / 2:
                raise ValueError(
                    f"`f_min` (={low:g} Hz) and `f_max` (={high:g} Hz) must ascend between 0 and "
                    f"half the sample rate, {sample_rate / 2:g} Hz. Change one of them."
                )
            step = math.log(high / low) / max(1, n_bins - 1)
            hertz = [low * math.exp(i * step) for i in range(n_bins - 1)] + [high]
        else:
            given = frequencies.tolist() if isinstance(frequencies, Tensor) else frequencies
            hertz = [float(value) for value in given]
        if hertz and not max(hertz) <= sample_rate / 2:
            raise ValueError(
                f"`frequencies` (up to {max(hertz):g} Hz) must be at most half the sample rate, "
                f"{sample_rate / 2:g} Hz. Leave the others out."
            )
        self._normalised = tuple(value / sample_rate for value in hertz)
        require_superlets(self._normalised, c1, order_min, order_max, pad_mode)
        self.sample_rate, self.c1, self.pad_mode = sample_rate, c1, pad_mode
        self.order_min, self.order_max = order_min, order_max
        self._constant("frequencies", torch.tensor(hertz, dtype=torch.float64))

    @full_precision
    def forward(self, waveform: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch bins time"]:
        """Magnitudes ``(*batch, bins, time)``; `ValueError` for NaN."""
        require_finite("waveform", waveform)
        return superlets(
            waveform,
            self._normalised,
            c1=self.c1,
            order_min=self.order_min,
            order_max=self.order_max,
            pad_mode=self.pad_mode,
        )
