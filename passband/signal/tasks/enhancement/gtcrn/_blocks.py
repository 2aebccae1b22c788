"""Convolutions of GTCRN: across bands, and back in time."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from passband.signal.tasks.enhancement.gtcrn._recurrence import SmallGRU

Memory = tuple[Tensor, Tensor]
"""What a block keeps of the frames before: its last inputs, and the state of its recurrence."""

_KERNEL = 3  # frames, and bands, under a depthwise kernel


def with_neighbours(
    x: Float[Tensor, "batch channels frames bands"],
) -> Float[Tensor, "batch 3*channels frames bands"]:
    """Each band beside the ones below and above it, zeros beyond the ends; all of a channel first.

    Example:
        >>> with_neighbours(torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 1, 3))[0, :, 0, 0]
        tensor([0., 1., 2.])

    Reference: Rong et al., GTCRN, ICASSP, 2024 (subband feature extraction).
    """
    wide = pad(x, (1, 1))
    return torch.stack((wide[..., :-2], x, wide[..., 2:]), dim=2).flatten(1, 2)


def halving(inputs: int, outputs: int, groups: int = 1) -> nn.Sequential:
    """Convolution over 5 bands that keeps every second one, normalised, then PReLU.

    Example:
        >>> halving(3, 4)(torch.zeros(1, 3, 2, 129)).shape
        torch.Size([1, 4, 2, 65])
    """
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, (1, 5), stride=(1, 2), padding=(0, 2), groups=groups),
        nn.BatchNorm2d(outputs),
        nn.PReLU(),
    )


def doubling(inputs: int, outputs: int, activation: nn.Module, groups: int = 1) -> nn.Sequential:
    """The transpose of what `halving` convolves with, normalised, then ``activation``.

    Example:
        >>> doubling(4, 2, nn.Tanh())(torch.zeros(1, 4, 2, 65)).shape
        torch.Size([1, 2, 2, 129])
    """
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, (1, 5), stride=(1, 2), padding=(0, 2), groups=groups),
        nn.BatchNorm2d(outputs),
        activation,
    )


class TemporalAttention(nn.Module):
    """Channels weighed in every frame: ``x sigmoid(W GRU(mean over bands of x^2) + b)``.

    Args:
        channels: of the input; the recurrence is twice as wide.

    Example:
        >>> y, state = TemporalAttention(8)(torch.randn(2, 8, 5, 33), None)
        >>> y.shape, state.shape
        (torch.Size([2, 8, 5, 33]), torch.Size([1, 2, 16]))

    Reference: Rong et al., GTCRN, ICASSP, 2024 (temporal recurrent attention).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.recurrence = SmallGRU(channels, 2 * channels)
        self.gate = nn.Linear(2 * channels, channels)

    def forward(
        self, x: Float[Tensor, "batch channels frames bands"], state: Tensor | None
    ) -> tuple[Float[Tensor, "batch channels frames bands"], Tensor]:
        """Weighed ``x``, and the state after its last frame; None before the first."""
        energy = x.square().mean(dim=-1).mT
        trace, state = self.recurrence(energy, state)
        return x * self.gate(trace).sigmoid().mT[..., None], state


class TemporalBlock(nn.Module):
    """Half of the channels through causal convolutions and attention, then mixed with the others.

    Pointwise to 16 channels (of each band and its neighbours), depthwise over 3 bands and 3 frames
    ``dilation`` apart, pointwise back; the channels of both halves then alternate.

    Args:
        channels: of input and output, even; also the width inside.
        dilation: frames between the taps, at least 1.

    Example:
        >>> y, memory = TemporalBlock(16, 2)(torch.randn(1, 16, 5, 33), None)
        >>> y.shape, memory[0].shape
        (torch.Size([1, 16, 5, 33]), torch.Size([1, 16, 4, 33]))

    Reference: Rong et al., GTCRN, ICASSP, 2024 (grouped temporal convolution).
    """

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        half = channels // 2
        self.past = (_KERNEL - 1) * dilation
        self.expand = nn.Sequential(
            nn.Conv2d(3 * half, channels, 1), nn.BatchNorm2d(channels), nn.PReLU()
        )
        self.look_back = nn.Sequential(
            nn.Conv2d(
                channels,
                channels,
                _KERNEL,
                padding=(0, _KERNEL // 2),
                dilation=(dilation, 1),
                groups=channels,
            ),
            nn.BatchNorm2d(channels),
            nn.PReLU(),
        )
        self.reduce = nn.Sequential(nn.Conv2d(channels, half, 1), nn.BatchNorm2d(half))
        self.attention = TemporalAttention(half)

    def forward(
        self, x: Float[Tensor, "batch channels frames bands"], memory: Memory | None
    ) -> tuple[Float[Tensor, "batch channels frames bands"], Memory]:
        """Output, and what the coming frames need; None before the first."""
        treated, untouched = x.chunk(2, dim=1)
        wide = self.expand(with_neighbours(treated))
        # Nothing stands before the first frame: zeros, not what `expand` makes of zeros.
        before = (
            wide.new_zeros(len(x), wide.shape[1], self.past, x.shape[-1])
            if memory is None
            else memory[0]
        )
        seen = torch.cat((before, wide), dim=2)
        narrow = self.reduce(self.look_back(seen))
        attended, state = self.attention(narrow, None if memory is None else memory[1])
        mixed = torch.stack((attended, untouched), dim=2).flatten(1, 2)
        return mixed, (seen[:, :, -self.past :], state)
