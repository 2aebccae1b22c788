"""Log-mel features of sound, as the published mel model was trained on."""

import math
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from passband.errors import InputError
from passband.frequency import filtered_spectrogram, melscale_fbanks, window
from passband.frequency._block_spectrum import filter_ranges

FeaturePadding = Literal["center", "same"]

CLIP = 1e-7
"""Smallest mel magnitude told apart from silence."""

# Beyond what sound in 32-bit integers would give; magnitudes themselves and decibels lie there.
_CEILING = 32.0

# Where logarithms of other kinds are clipped, and what is seen there.
_OTHER_FLOORS = {
    math.log10(1e-7): "the base-10 logarithm clipped at 1e-7",
    math.log10(1e-5): "the base-10 logarithm clipped at 1e-5",
    math.log10(1e-10): "the base-10 logarithm clipped at 1e-10",
    math.log(1e-5): "the natural logarithm clipped at 1e-5, as HiFi-GAN's features are",
}


class MelFeatures(nn.Module):
    """Features ``ln max(mel, 1e-7)`` of the magnitude through HTK mel filters of height 1.

    Args:
        sample_rate: in Hz.
        n_fft: length of frame, transform and Hann window, in samples.
        hop_length: samples from one frame to the next.
        n_mels: mel bands, from 0 Hz to half the sampling rate.
        padding: ``center``: ``time // hop_length + 1`` frames, frame k centred on sample ``k
            hop_length``; ``same``: ``time // hop_length`` frames, on samples ``k hop_length ...
            (k + 1) hop_length``. The signal is mirrored at its ends.

    Attributes:
        channels: of the features, ``n_mels``.

    Raises:
        ValueError: for a band without a bin.

    Example:
        >>> import torch
        >>> MelFeatures()(torch.zeros(24000)).shape
        torch.Size([100, 94])

    Agrees with the formula in float64 to 1e-5, and so with the ``vocos`` package, in float32.
    Reference: Siuzdak, Vocos, ICLR, 2024, section 4.1.
    """

    def __init__(
        self,
        sample_rate: int = 24000,
        n_fft: int = 1024,
        hop_length: int = 256,
        n_mels: int = 100,
        padding: FeaturePadding = "center",
    ) -> None:
        super().__init__()
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.channels = n_mels
        self.padding: FeaturePadding = padding
        filters = melscale_fbanks(n_fft // 2 + 1, 0.0, sample_rate / 2, n_mels, sample_rate)
        # Published weights hold both under these names.
        self.mel_spec = nn.Module()
        self.mel_spec.spectrogram = nn.Module()
        self.mel_spec.spectrogram.register_buffer("window", window("hann", n_fft))
        self.mel_spec.mel_scale = nn.Module()
        self.mel_spec.mel_scale.register_buffer("fb", filters.float())
        self._ranges = filter_ranges(filters)
        self.register_load_state_dict_post_hook(_remeasure)

    @property
    def filters(self) -> Float[Tensor, "bins {self.channels}"]:
        """The mel filters, in columns."""
        found: Any = self.mel_spec.mel_scale
        filters: Tensor = found.fb
        return filters

    @property
    def expected(self) -> str:
        """What features must be, in words."""
        return f"{self.channels} bands, natural log, clipped at {CLIP:.0e}".replace("e-0", "e-")

    def forward(
        self, audio: Float[Tensor, "*batch time"], bandwidth_id: int | Tensor | None = None
    ) -> Float[Tensor, "*batch {self.channels} frames"]:
        """Features of ``audio``, in [-1, 1]; ``bandwidth_id`` is for features of codes.

        Raises:
            InputError: for audio that is empty or too short to be mirrored.
        """
        margin = (self.n_fft - self.hop_length) // 2 if self.padding == "same" else self.n_fft // 2
        least = max(margin + 1, self.hop_length)
        if audio.shape[-1] < least:
            raise InputError(
                f"`audio` ({audio.shape[-1]} samples) must have at least {least} samples, so that "
                "it can be mirrored at its ends. Pass a longer sound."
            )
        spectrogram: Any = self.mel_spec.spectrogram
        signal = audio.reshape(1, -1, audio.shape[-1])
        signal = pad(signal, (margin, margin), mode="reflect").reshape(*audio.shape[:-1], -1)
        mel = filtered_spectrogram(
            signal,
            self.filters,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            window=spectrogram.window,
            power=1.0,
            center=False,
            ranges=self._ranges,
        )
        return mel.clamp(min=CLIP).log()

    def check(self, features: Tensor, least: float, largest: float) -> None:
        """Raise for features, from ``least`` to ``largest``, that are another logarithm or none."""
        if least < math.log(CLIP) - 0.01:
            raise InputError(
                f"`features` (smallest value {least:.4g}) must be at least ln {CLIP:g} = "
                f"{math.log(CLIP):.2f}: expected {self.expected}. Decibels become natural "
                "logarithms of magnitudes by the factor 0.1151."
            )
        if largest > _CEILING:
            raise InputError(
                f"`features` (largest value {largest:.4g}) must be at most {_CEILING:g}, as "
                f"logarithms of magnitudes are: expected {self.expected}. Take the logarithm."
            )
        for floor, kind in _OTHER_FLOORS.items():
            # One value may lie there by chance; a clipped silence lies there again and again.
            if abs(least - floor) < 1e-4 and int((features < floor + 1e-4).sum()) > 1:
                raise InputError(
                    f"`features` (smallest value {least:.4f}, more than once) look like {kind}: "
                    f"expected {self.expected}. Compute them with vocos.features(audio)."
                )


def _remeasure(features: nn.Module, _missing: object) -> None:
    """Find anew where the filters are nonzero: those just read may be others."""
    assert isinstance(features, MelFeatures)
    features._ranges = filter_ranges(features.filters)
