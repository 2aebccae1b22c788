"""Head without a transform: two linear layers make the samples of a hop."""

from jaxtyping import Float
from torch import Tensor, nn

from passband.vocoder._frame_head import FrameHead, full


class LinearHead(FrameHead):
    """Samples of a hop ``W2 (W1 h + b)`` for each frame, clipped to [-1, 1].

    Args:
        dim: hidden channels.
        n_fft: ``W1`` has ``n_fft + 2`` outputs, as many as the head with the inverse STFT.
        hop_length: samples of a frame; frames do not overlap.

    Example:
        >>> import torch
        >>> LinearHead(16, n_fft=64, hop_length=16)(torch.randn(2, 10, 16)).shape
        torch.Size([2, 160])

    Reference: Okamoto, Yamashita, Ohtani, Toda & Kawai, WaveNeXt: ConvNeXt-based fast neural
    vocoder without iSTFT layer, ASRU, 2023, section 3.
    """

    def __init__(self, dim: int, n_fft: int = 1024, hop_length: int = 256) -> None:
        super().__init__(dim, hop_length, hop_length, "same")
        self.linear_1 = nn.Linear(dim, n_fft + 2)
        self.linear_2 = nn.Linear(n_fft + 2, hop_length, bias=False)
        for layer in (self.linear_1, self.linear_2):
            nn.init.trunc_normal_(layer.weight, std=0.02)

    @property
    def projection(self) -> nn.Linear:
        """``W1 h + b``."""
        return self.linear_1

    def coefficients(
        self, values: Float[Tensor, "batch frames _"]
    ) -> Float[Tensor, "batch frames coefficients"]:
        """What the second layer takes."""
        return full(values)

    def transformed(
        self, coefficients: Float[Tensor, "batch frames _"]
    ) -> Float[Tensor, "batch frames {self.frame_length}"]:
        """The samples of every hop."""
        frames: Tensor = self.linear_2(coefficients)
        return frames

    def basis(self) -> Float[Tensor, "coefficients {self.frame_length}"]:
        """The weights of the second layer."""
        return self.linear_2.weight.detach().mT.double()

    def finished(self, audio: Tensor) -> Tensor:
        """The audio, clipped to [-1, 1]."""
        return audio.clamp(-1.0, 1.0)
