"""What every discriminator ends in: a score per place, for a condition where there is one."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from passband.errors import InputError

SLOPE = 0.1
"""Of LeakyReLU below 0, in every discriminator."""


class Verdict(NamedTuple):
    """What one discriminator says of a batch.

    Args:
        logits: scores ``(batch, places)``; above 0 means real.
        features: activations of its layers, the scores before conditioning last.
    """

    logits: Tensor
    features: tuple[Tensor, ...]


class Score(nn.Module):
    """Scores ``conv(x) + <e(condition), x>`` with ``x`` the last activations, place by place.

    The embeddings begin at zero, so that a condition counts only once it is learned.

    Args:
        channels: of the activations.
        kernel: size of the convolution, odd along both axes.
        conditions: number of conditions told apart, such as bandwidths; 0 for none.

    Example:
        >>> logits, places = Score(4, (3, 3))(torch.zeros(2, 4, 5, 6), None)
        >>> logits.shape, places.shape
        (torch.Size([2, 30]), torch.Size([2, 1, 5, 6]))

    Reference: Miyato & Koyama, cGANs with projection discriminator, ICLR, 2018, eq. 3.
    """

    def __init__(self, channels: int, kernel: tuple[int, int], conditions: int = 0) -> None:
        super().__init__()
        self.conv = convolution(channels, 1, kernel)
        self.embedding = nn.Embedding(conditions, channels) if conditions else None
        if self.embedding is not None:
            nn.init.zeros_(self.embedding.weight)

    def forward(
        self,
        x: Float[Tensor, "batch channels height width"],
        condition: Int[Tensor, " batch"] | None,
    ) -> tuple[Float[Tensor, "batch places"], Float[Tensor, "batch 1 height width"]]:
        """Scores, and the same before the condition is looked at."""
        if (condition is None) != (self.embedding is None):
            raise InputError(
                "`condition` must be given to a discriminator made with conditions, and to no "
                "other. Pass the bandwidth of every item, or make it with conditions=0."
            )
        places = self.conv(x)
        logits = places
        if self.embedding is not None:
            wanted = self.embedding(condition)[:, :, None, None]
            logits = places + (wanted * x).sum(dim=1, keepdim=True)
        return logits.flatten(1), places


def convolution(
    before: int,
    after: int,
    kernel: tuple[int, int],
    *,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
) -> nn.Conv2d:
    """Weight-normalised 2-D convolution that keeps the size where it does not stride.

    Example:
        >>> convolution(1, 2, (3, 9), stride=(1, 2))(torch.zeros(1, 1, 5, 8)).shape
        torch.Size([1, 2, 5, 4])
    """
    padding = tuple((size - 1) * step // 2 for size, step in zip(kernel, dilation, strict=True))
    conv = nn.Conv2d(before, after, kernel, stride, (padding[0], padding[1]), dilation)
    normed: nn.Conv2d = weight_norm(conv)
    return normed


def levelled(audio: Float[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """Audio without its mean, its peak at 0.8: what is judged is the sound, not the level.

    Example:
        >>> levelled(torch.tensor([[1.0, 3.0, 2.0]]))
        tensor([[-0.8000,  0.8000,  0.0000]])
    """
    centred = audio - audio.mean(dim=-1, keepdim=True)
    return 0.8 * centred / (centred.abs().amax(dim=-1, keepdim=True) + 1e-9)


def as_channels(spectrum: Tensor) -> Tensor:
    """Complex ``(batch, freq, frames)`` as real ``(batch, 2, frames, freq)``.

    Example:
        >>> as_channels(torch.zeros(1, 5, 3, dtype=torch.complex64)).shape
        torch.Size([1, 2, 3, 5])
    """
    return torch.view_as_real(spectrum).permute(0, 3, 2, 1)
