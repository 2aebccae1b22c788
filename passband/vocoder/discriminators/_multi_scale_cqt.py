"""Constant-Q transforms at several resolutions, octave by octave."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from passband.signal import CQT
from passband.vocoder.discriminators._ensemble import Ensemble
from passband.vocoder.discriminators._score import (
    SLOPE,
    Score,
    Verdict,
    as_channels,
    convolution,
    levelled,
)

_TOP = 0.9  # of the Nyquist frequency: what the widest filter leaves below it
_DILATIONS = (1, 2, 4)


class CQTDiscriminator(nn.Module):
    """Convolutions over the complex constant-Q transform of the levelled waveform.

    Filters of low octaves are long and those of high ones short, so every octave first passes a
    convolution of its own that brings them in step; the octaves are then joined along frequency
    and go through kernels of 3 frames by 9 bins, dilated 1, 2 and 4 along time with stride 2 along
    frequency, and one of 3 by 3. The octaves end at 0.9 of the Nyquist frequency; the authors
    double the sampling rate instead so that theirs can begin at C1, which is a step we leave out.

    Args:
        sample_rate: in Hz.
        bins_per_octave: resolution in frequency.
        hop_length: samples between frames.
        octaves: number of octaves.
        channels: of the layers.
        conditions: number of conditions told apart; 0 for none.

    Example:
        >>> judge = CQTDiscriminator(8000, 12, 64, octaves=3, channels=2)
        >>> judge(torch.randn(2, 1024)).logits.shape  # 17 frames of 36 bins, halved three times
        torch.Size([2, 85])

    Reference: Gu et al., Multi-scale sub-band constant-Q transform discriminator for high-fidelity
    vocoder, ICASSP, 2024, section 2; Lee et al., BigVGAN, ICLR, 2023 (version 2 of its code).
    """

    def __init__(
        self,
        sample_rate: int,
        bins_per_octave: int,
        hop_length: int,
        *,
        octaves: int = 8,
        channels: int = 32,
        conditions: int = 0,
    ) -> None:
        super().__init__()
        self.bins_per_octave = bins_per_octave
        self.cqt = CQT(
            sample_rate,
            hop_length,
            _TOP * sample_rate / 2 / 2**octaves,
            octaves * bins_per_octave,
            bins_per_octave,
        )
        self.octaves = nn.ModuleList(convolution(2, 2, (3, 9)) for _ in range(octaves))
        self.layers = nn.ModuleList(
            [
                convolution(2, channels, (3, 9)),
                *(
                    convolution(channels, channels, (3, 9), stride=(1, 2), dilation=(step, 1))
                    for step in _DILATIONS
                ),
                convolution(channels, channels, (3, 3)),
            ]
        )
        self.score = Score(channels, (3, 3), conditions)

    def forward(
        self, audio: Float[Tensor, "batch time"], condition: Int[Tensor, " batch"] | None = None
    ) -> Verdict:
        """Scores ``(batch, frames x bins left)``; every joined layer is a feature."""
        spectrum = as_channels(self.cqt(levelled(audio)))
        octaves = spectrum.split(self.bins_per_octave, dim=-1)
        joined = [layer(part) for layer, part in zip(self.octaves, octaves, strict=True)]
        x = torch.cat(joined, dim=-1)
        features = []
        for layer in self.layers:
            x = leaky_relu(layer(x), SLOPE)
            features.append(x)
        logits, places = self.score(x, condition)
        return Verdict(logits, (*features, places))


class MultiScaleCQTDiscriminator(Ensemble):
    """One `CQTDiscriminator` per resolution.

    Args:
        sample_rate: in Hz.
        bins_per_octave: resolution in frequency of each.
        hop_lengths: samples between frames of each.
        octaves: number of octaves.
        channels: of the layers.
        conditions: number of conditions told apart; 0 for none.

    Raises:
        ValueError: for lists of different lengths.

    Example:
        >>> judges = MultiScaleCQTDiscriminator(8000, (12, 24), (64, 64), octaves=3, channels=2)
        >>> len(judges(torch.randn(1, 1024)))
        2

    Reference: as for `CQTDiscriminator`.
    """

    def __init__(
        self,
        sample_rate: int,
        bins_per_octave: Sequence[int] = (24, 36, 48),
        hop_lengths: Sequence[int] = (512, 256, 256),
        *,
        octaves: int = 8,
        channels: int = 32,
        conditions: int = 0,
    ) -> None:
        super().__init__(
            CQTDiscriminator(
                sample_rate, bins, hop, octaves=octaves, channels=channels, conditions=conditions
            )
            for bins, hop in zip(bins_per_octave, hop_lengths, strict=True)
        )
