"""Complex spectrograms at several resolutions, in frequency bands."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from passband.signal import Spectrogram
from passband.vocoder.discriminators._ensemble import Ensemble
from passband.vocoder.discriminators._score import (
    SLOPE,
    Score,
    Verdict,
    as_channels,
    convolution,
    levelled,
)

BAND_EDGES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the bands, as parts of the Nyquist frequency."""


class ResolutionDiscriminator(nn.Module):
    """Convolutions over the complex STFT of the levelled waveform, every band with its own.

    Real and imaginary part are two channels. A band goes through kernels of 3 frames by 9 bins
    (one without a stride, three with stride 2 along frequency) and one of 3 by 3; the bands are
    then joined along frequency and scored together.

    Args:
        n_fft: frame length, in samples; the hop is a quarter of it.
        channels: of the layers.
        bands: edges of the bands, as rising parts of the Nyquist frequency from 0 to 1.
        conditions: number of conditions told apart; 0 for none.

    Example:
        >>> verdict = ResolutionDiscriminator(256, channels=2)(torch.randn(2, 2048))
        >>> verdict.logits.shape, len(verdict.features)
        (torch.Size([2, 594]), 21)

    Reference: Kumar et al., High-fidelity audio compression with improved RVQGAN, NeurIPS, 2023,
    section 3.3; Jang et al., UnivNet, Interspeech, 2021.
    """

    def __init__(
        self,
        n_fft: int,
        channels: int = 32,
        bands: Sequence[float] = BAND_EDGES,
        *,
        conditions: int = 0,
    ) -> None:
        super().__init__()
        bins = n_fft // 2 + 1
        self.edges = [int(edge * bins) for edge in bands]
        self.spectrogram = Spectrogram(n_fft, hop_length=n_fft // 4, power=None)
        self.bands = nn.ModuleList(_Band(channels) for _ in self.edges[1:])
        self.score = Score(channels, (3, 3), conditions)

    def forward(
        self, audio: Float[Tensor, "batch time"], condition: Int[Tensor, " batch"] | None = None
    ) -> Verdict:
        """Scores ``(batch, frames x bins left)``; the first layer of a band is no feature."""
        spectrum = as_channels(self.spectrogram(levelled(audio)))
        features, ends = [], []
        for (low, high), band in zip(pairwise(self.edges), self.bands, strict=True):
            activations = band(spectrum[..., low:high])
            features += activations[1:]
            ends.append(activations[-1])
        logits, places = self.score(torch.cat(ends, dim=-1), condition)
        return Verdict(logits, (*features, places))


class _Band(nn.ModuleList):
    """The layers of one band."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            [
                convolution(2, channels, (3, 9)),
                *(convolution(channels, channels, (3, 9), stride=(1, 2)) for _ in range(3)),
                convolution(channels, channels, (3, 3)),
            ]
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Activations of every layer."""
        activations = []
        for layer in self:
            x = leaky_relu(layer(x), SLOPE)
            activations.append(x)
        return activations


class MultiResolutionDiscriminator(Ensemble):
    """One `ResolutionDiscriminator` per frame length.

    Args:
        lengths: of the frames, in samples.
        channels: of the layers.
        bands: edges of the bands, as parts of the Nyquist frequency.
        conditions: number of conditions told apart; 0 for none.

    Example:
        >>> len(MultiResolutionDiscriminator((128, 64), channels=2)(torch.randn(1, 512)))
        2

    Reference: as for `ResolutionDiscriminator`; Siuzdak, Vocos, ICLR, 2024, section 3.3.
    """

    def __init__(
        self,
        lengths: Sequence[int] = (2048, 1024, 512),
        channels: int = 32,
        bands: Sequence[float] = BAND_EDGES,
        *,
        conditions: int = 0,
    ) -> None:
        super().__init__(
            ResolutionDiscriminator(n_fft, channels, bands, conditions=conditions)
            for n_fft in lengths
        )
