"""Small convolutional networks from spectrograms to scores of classes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor, nn

from passband.training.recipes import Settings


def _odd(length: int) -> int:
    if length % 2 == 0:
        raise ValueError("it should be an odd number")
    return length


Channels = Annotated[int, Field(ge=1, le=4096)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
FilterLength = Annotated[int, Field(ge=1, le=63), AfterValidator(_odd)]


@runtime_checkable
class Network(Protocol):
    """From standardised features to one score for each class."""

    def __call__(
        self, features: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch classes"]:
        """Scores, before the softmax."""
        ...


class SquareSettings(Settings):
    """2-D network: blocks of a square filter, each halving bins and frames.

    The first filters are ``first_length`` wide and high and move by ``first_stride``; the others
    are 3 and move by 1.
    """

    kind: Literal["square"] = "square"
    channels: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=8)] = (24, 48, 96, 128)
    first_length: FilterLength = 5
    first_stride: Annotated[int, Field(ge=1, le=16)] = 2
    dropout: Dropout = 0.3

    def build(self, bins: int, classes: int) -> "SquareCNN":
        """The module."""
        return SquareCNN(
            bins,
            classes,
            self.channels,
            first_length=self.first_length,
            first_stride=self.first_stride,
            dropout=self.dropout,
        )


class TimeSettings(Settings):
    """1-D network: filters over all bins along time, each block halving the frames."""

    kind: Literal["time"] = "time"
    channels: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=8)] = (96, 128, 192)
    filter_length: FilterLength = 5
    dropout: Dropout = 0.3

    def build(self, bins: int, classes: int) -> "TimeCNN":
        """The module."""
        return TimeCNN(
            bins, classes, self.channels, filter_length=self.filter_length, dropout=self.dropout
        )


class SquareCNN(nn.Module):
    """Blocks of convolution, batch normalisation, ReLU and 2x2 maximum; then a linear layer.

    Mean and largest value over frames are added; the bins that are left stay apart, for in a sound,
    other than in a photograph, how high something stands says what it is.

    Args:
        bins: of the features.
        classes: number of scores.
        channels: filters of each block; an axis that has become 1 is not halved any more.
        first_length: bins and frames that the first filters see, odd; the others see 3.
        first_stride: bins and frames that the first filters move by.
        dropout: part of the values before the linear layer that is left out in training.

    Example:
        >>> SquareCNN(40, 10, (8, 16))(torch.randn(2, 40, 100)).shape
        torch.Size([2, 10])

    Reference: Huzaifah, Comparison of time-frequency representations for environmental sound
    classification, arXiv 1706.07156, 2017 (square filters); Kong et al., PANNs, IEEE/ACM TASLP 28,
    2020, section III-A (pooling over frames). Sizes and the bins kept apart are ours.
    """

    def __init__(
        self,
        bins: int,
        classes: int,
        channels: Sequence[int],
        *,
        first_length: int = 3,
        first_stride: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        first = nn.Conv2d(1, channels[0], first_length, stride=first_stride, bias=False)
        others = (nn.Conv2d(inner, outer, 3, bias=False) for inner, outer in pairwise(channels))
        self.filters = nn.ModuleList([first, *others])
        self.norms = nn.ModuleList(nn.BatchNorm2d(outer) for outer in channels)
        self.dropout = nn.Dropout(dropout)
        left = max(1, -(-bins // first_stride) >> len(channels))
        self.scores = nn.Linear(channels[-1] * left, classes)

    def forward(
        self, features: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch classes"]:
        """Scores, before the softmax."""
        x = features[:, None]
        for filters, norm in zip(self.filters, self.norms, strict=True):
            assert isinstance(filters, nn.Conv2d)
            # Channels last takes two thirds of the time on a CPU; kept so, the weights would not
            # come back from a checkpoint in that layout.
            weight = filters.weight.contiguous(memory_format=torch.channels_last)
            x = nn.functional.conv2d(
                x, weight, stride=filters.stride, padding=filters.kernel_size[0] // 2
            )
            x = torch.relu(norm(x))
            x = nn.functional.max_pool2d(x, (min(2, x.shape[2]), min(2, x.shape[3])))
        x = (x.mean(dim=3) + x.amax(dim=3)).flatten(1)
        scores: Tensor = self.scores(self.dropout(x))
        return scores


class TimeCNN(nn.Module):
    """Blocks of convolution along time over all bins, batch normalisation, ReLU and a maximum of 2.

    Args:
        bins: of the features.
        classes: number of scores.
        channels: filters of each block.
        filter_length: frames a filter sees; odd keeps the frames where they are.
        dropout: part of the values before the linear layer that is left out in training.

    Example:
        >>> TimeCNN(40, 10, (16, 16))(torch.randn(2, 40, 100)).shape
        torch.Size([2, 10])

    Reference: Huzaifah 2017, as for `SquareCNN` (filters over all bins). Sizes are ours.
    """

    def __init__(
        self,
        bins: int,
        classes: int,
        channels: Sequence[int],
        *,
        filter_length: int = 5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        before = (bins, *channels[:-1])
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(inner, outer, filter_length, padding="same", bias=False),
                nn.BatchNorm1d(outer),
                nn.ReLU(),
            )
            for inner, outer in zip(before, channels, strict=True)
        )
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(channels[-1], classes)

    def forward(
        self, features: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch classes"]:
        """Scores, before the softmax."""
        x = features
        for block in self.blocks:
            x = block(x)
            x = nn.functional.max_pool1d(x, min(2, x.shape[2]))
        scores: Tensor = self.scores(self.dropout(x.mean(dim=2) + x.amax(dim=2)))
        return scores
