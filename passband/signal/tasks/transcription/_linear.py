"""The single layer by which representations are compared."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.signal.tasks.transcription._rolls import PITCHES

_DECIBELS = 8.685889638065037  # a neper: 20 / ln 10
_SILENCE = -100.0  # dB, the floor of `Representation`: a magnitude of 1e-5


class SingleLayer(nn.Module):
    """Logits ``sum_ft W[p, f, t] ln |X[f, t0 + t]|`` of 88 pitches p over a window of frames t.

    No bias, and weights that begin at 0: what it comes to know, the representation offers to a
    linear map.

    Args:
        bins: of the representation, F.
        window: frames T about the one in question, odd.

    Example:
        >>> SingleLayer(bins=20, window=5)(torch.randn(2, 20, 8)).shape
        torch.Size([2, 1, 88, 8])

    Reference: Cheuk, Agres & Herremans, The impact of audio input representations on neural network
    based music transcription, IJCNN 2020, section III-B. Theirs has 128 outputs, and zeros stand
    beyond the ends of each window before the transform; here the whole piece is transformed.
    """

    def __init__(self, bins: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.weight = nn.Parameter(torch.zeros(PITCHES, bins, window))

    def forward(
        self, levels: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch 1 88 frames"]:
        """Frame logits of every frame of ``levels`` in dB; silence lies beyond its ends."""
        half = self.window // 2
        padded = nn.functional.pad(levels, (half, half), value=_SILENCE) / _DECIBELS
        return nn.functional.conv1d(padded, self.weight)[:, None]

    def centre(
        self, levels: Float[Tensor, "batch bins {self.window}"]
    ) -> Float[Tensor, "batch 88"]:
        """Frame logits of the middle of ``levels`` in dB, which are one window long."""
        return (levels / _DECIBELS).flatten(1) @ self.weight.flatten(1).T
