"""What the modules made of wavelets share: a wavelet and the frequencies of its scales."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from passband.frequency._cwt import covered_bands
from passband.frequency._sample_rate import require_sample_rate
from passband.frequency._validate import require_choice, require_positive
from passband.frequency._wavelets import Wavelet, named_wavelet
from passband.signal._transform import Transform


class WaveletTransform(Transform):
    """A wavelet at scales in samples, which stand for frequencies in Hz; `CWT` says the settings.

    Attributes:
        frequencies: of the rows, in Hz, ascending.
        scales: of the rows, in samples.
    """

    frequencies: Tensor
    scales: Tensor

    def __init__(
        self,
        sample_rate: float = 22050,
        wavelet: str | Wavelet = "gmw",
        f_min: float | None = None,
        f_max: float | None = None,
        voices: int = 32,
        *,
        n_scales: int | None = None,
        frequencies: Sequence[float] | Tensor | None = None,
        scales: Sequence[float] | Tensor | None = None,
        norm: str = "l1",
        pad_mode: str = "reflect",
    ) -> None:
        super().__init__()
        require_sample_rate(sample_rate)
        require_choice("norm", norm, ("l1", "l2"))
        require_choice("pad_mode", pad_mode, ("reflect", "constant", "circular"))
        self.wavelet = named_wavelet(wavelet)
        self.sample_rate, self.norm, self.pad_mode = sample_rate, norm, pad_mode
        unit = self.wavelet.centre * sample_rate / (2 * math.pi)  # Hz times samples
        if scales is not None:
            if frequencies is not None:
                raise ValueError(
                    "`scales` (given) must be None where `frequencies` are given. Pass one of them."
                )
            hertz = [unit / s for s in _floats(scales)]
        elif frequencies is not None:
            hertz = _floats(frequencies)
        else:
            hertz = self._grid(f_min, f_max, voices, n_scales)
        _require_ascending(hertz, sample_rate, "frequencies" if scales is None else "scales")
        self._scales = tuple(unit / f for f in hertz)
        self._cycles = tuple(f / sample_rate for f in hertz)
        self._constant("frequencies", torch.tensor(hertz, dtype=torch.float64))
        self._constant("scales", torch.tensor(self._scales, dtype=torch.float64))

    @property
    def covered(self) -> tuple[tuple[float, float], ...]:
        """Bands that the inverse gives back, in Hz; all else, and the mean, comes back as zero."""
        bands = covered_bands(self._scales, wavelet=self.wavelet)
        return tuple((low * self.sample_rate, high * self.sample_rate) for low, high in bands)

    def _grid(
        self, f_min: float | None, f_max: float | None, voices: int, n_scales: int | None
    ) -> list[float]:
        """Frequencies equally far apart in pitch."""
        require_positive("voices", voices, "Pass e.g. 32.")
        nyquist = self.sample_rate / 2
        low = self.sample_rate / 1000 if f_min is None else f_min
        whole = nyquist * self.wavelet.centre / self.wavelet.main_band[1]
        high = whole if f_max is None else f_max
        if not 0 < low <= high <= nyquist:
            raise ValueError(
                f"`f_min` (={low:g} Hz) and `f_max` (={high:g} Hz) must ascend between 0 and half "
                f"the sample rate, {nyquist:g} Hz. Change one of them."
            )
        if n_scales is None:
            count = math.floor(voices * math.log2(high / low) + 1e-9) + 1
            return [high * 2.0 ** ((i - count + 1) / voices) for i in range(count)]
        require_positive("n_scales", n_scales, "Pass e.g. 300.")
        step = math.log(high / low) / max(1, n_scales - 1)
        return [low * math.exp(i * step) for i in range(n_scales - 1)] + [high]


def _floats(values: Sequence[float] | Tensor) -> list[float]:
    given = values.tolist() if isinstance(values, Tensor) else values
    return [float(value) for value in given]


def _require_ascending(hertz: list[float], sample_rate: float, name: str) -> None:
    ascending = all(low < high for low, high in pairwise(hertz))
    if not (hertz and ascending and 0 < hertz[0] and hertz[-1] <= sample_rate / 2 * (1 + 1e-6)):
        shown = f"{hertz[0]:g} to {hertz[-1]:g} Hz" if hertz else "none"
        order = "ascend" if name == "frequencies" else "descend, their frequencies"
        raise ValueError(
            f"`{name}` (={shown}) must {order} above 0 and at most half the sample rate, "
            f"{sample_rate / 2:g} Hz. Sort them and leave the others out."
        )
