"""Constant-Q and variable-Q transforms."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency import (
    ConstantQKernels,
    constant_q,
    constant_q_kernels,
    cqt_frequencies,
)
from passband.frequency._decimation import FACTOR
from passband.signal._stream import FrameTransform, Support
from passband.signal._transform import full_precision, require_finite

C1_HZ = 32.70319566257483


class VQT(FrameTransform):
    """Variable-Q transform ``C[k, m] = sum_n x[m hop + n] conj(g_k[n])``, complex and phase true.

    Filter ``g_k(t) = w(t) exp(2 pi i f_k t / sample_rate)`` has ``Q sample_rate / (f_k + gamma /
    alpha)`` samples, librosa's definition: with gamma the low filters are shorter, and so sharper
    in time, than at constant Q. Beyond its ends the signal is zero; any clip length and hop do.

    Args:
        sample_rate: in Hz.
        hop_length: samples from one frame to the next.
        f_min: lowest centre frequency in Hz.
        n_bins: number of frequencies.
        bins_per_octave: bins from a frequency to its double.
        gamma: bandwidth added to every filter in Hz; that of the ear (ERB) if None.
        frequencies: centre frequencies in Hz, in any order, instead of the three above; widths then
            follow the distance of neighbours.
        tuning: offset of all frequencies in bins.
        filter_scale: factor on the lengths of the filters.
        norm: order of the norm the windows are divided by; None leaves them.
        window: name, or name and parameter, as `passband.frequency.window` takes it.
        scale: multiply by the root of the filter's length rather than by the length.
        trainable: make the filters parameters.

    Shape:
        ``(*batch, time)`` to complex ``(*batch, n_bins, 1 + time // hop_length)``.

    Raises:
        ValueError: for values out of range, filters that reach above the Nyquist frequency, and
            signals that are empty, not finite or not floating point.

    Example:
        >>> tone = torch.sin(2 * torch.pi * 440 * torch.arange(22050) / 22050)
        >>> spectrum = VQT(sample_rate=22050, hop_length=441)(tone)
        >>> spectrum.shape, int(spectrum[:, 25].abs().argmax())  # 45 semitones above C1 is A4
        (torch.Size([84, 51]), 45)

    Agrees with the direct float64 sum over ``librosa.filters.wavelet`` to 3e-4 of the norm at any
    hop (``librosa.vqt`` itself: 2e-2).
    Reference: Schörkhuber et al., A Matlab toolbox for efficient perfect reconstruction
    time-frequency transforms with log-frequency resolution, AES 2014.
    """

    blocks: Tensor
    order: Tensor | None

    def __init__(
        self,
        sample_rate: float = 22050,
        hop_length: int = 512,
        f_min: float = C1_HZ,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        *,
        gamma: float | None = None,
        frequencies: Sequence[float] | Tensor | None = None,
        tuning: float = 0.0,
        filter_scale: float = 1.0,
        norm: float | None = 1.0,
        window: str | tuple[str, float] = "hann",
        scale: bool = True,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        centres = bin_frequencies(f_min, n_bins, bins_per_octave, frequencies, tuning)
        kernels = constant_q_kernels(
            centres.tolist(),
            sample_rate=sample_rate,
            hop_length=hop_length,
            bins_per_octave=None if frequencies is not None else bins_per_octave,
            gamma=gamma,
            filter_scale=filter_scale,
            norm=norm,
            window=window,
            scale=scale,
        )
        self.sample_rate, self.hop_length, self.n_bins = sample_rate, hop_length, len(centres)
        self._kernels = kernels
        self._constant("frequencies", centres)
        self._constant("blocks", kernels.blocks)
        self.register_buffer("order", kernels.order, persistent=False)
        for index, group in enumerate(kernels.groups):
            self._constant(f"kernel_{index}", group.kernel, trainable=trainable)

    @property
    def kernels(self) -> ConstantQKernels:
        """The filters as they are now, on the module's device."""
        groups = tuple(
            replace(group, kernel=getattr(self, f"kernel_{index}"))
            for index, group in enumerate(self._kernels.groups)
        )
        return replace(self._kernels, groups=groups, blocks=self.blocks, order=self.order)

    def support(self) -> Support:
        """Half of the longest filter on each side of a frame's position."""
        left, right = self._kernels.reach
        return Support(left, right + 1, math.lcm(self.hop_length, FACTOR**self._kernels.levels))

    @full_precision
    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> Complex[Tensor, "*batch bins frames"]:
        """Complex coefficients of ``waveform``."""
        require_finite("waveform", waveform)
        return constant_q(waveform, self.kernels)


class CQT(VQT):
    """Constant-Q transform: `VQT` with gamma 0, every filter the same number of cycles long.

    Arguments, shape and errors are those of `VQT`, without gamma.

    Example:
        >>> tone = torch.sin(2 * torch.pi * 440 * torch.arange(22050) / 22050)
        >>> transform = CQT(sample_rate=22050, hop_length=512, f_min=32.7032, n_bins=84)
        >>> spectrum = transform(tone)
        >>> spectrum.shape, float(transform.frequencies[spectrum[:, 20].abs().argmax()].round())
        (torch.Size([84, 44]), 440.0)

    Agrees with the direct float64 sum over ``librosa.filters.wavelet`` to 3e-4 of the norm at any
    hop (``librosa.cqt`` itself: 2e-2).
    Reference: Brown, Calculation of a constant Q spectral transform, JASA 89(1), 1991; Schörkhuber
    & Klapuri, Constant-Q transform toolbox for music processing, SMC 2010.
    """

    def __init__(
        self,
        sample_rate: float = 22050,
        hop_length: int = 512,
        f_min: float = C1_HZ,
        n_bins: int = 84,
        bins_per_octave: int = 12,
        *,
        frequencies: Sequence[float] | Tensor | None = None,
        tuning: float = 0.0,
        filter_scale: float = 1.0,
        norm: float | None = 1.0,
        window: str | tuple[str, float] = "hann",
        scale: bool = True,
        trainable: bool = False,
    ) -> None:
        super().__init__(
            sample_rate,
            hop_length,
            f_min,
            n_bins,
            bins_per_octave,
            gamma=0.0,
            frequencies=frequencies,
            tuning=tuning,
            filter_scale=filter_scale,
            norm=norm,
            window=window,
            scale=scale,
            trainable=trainable,
        )


def bin_frequencies(
    f_min: float,
    n_bins: int,
    bins_per_octave: int,
    frequencies: Sequence[float] | Tensor | None,
    tuning: float,
) -> Tensor:
    """Centre frequencies in Hz, as given or evenly spaced in octaves."""
    if frequencies is None:
        return cqt_frequencies(n_bins, f_min, bins_per_octave, tuning=tuning)
    centres = torch.as_tensor(frequencies, dtype=torch.float64)
    if centres.ndim != 1 or centres.numel() == 0:
        raise ValueError(
            f"`frequencies` (shape {tuple(centres.shape)}) must be a list of at least one "
            "frequency in Hz. Pass e.g. [220.0, 440.0]."
        )
    return centres
