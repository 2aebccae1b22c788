"""The network that draws two masks over a spectrogram."""

from itertools import pairwise
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from passband.training.recipes import Settings

_EPS = 1e-3  # of the normalisation over batches, as published


class UNetSettings(Settings):
    """Depth and width of a `MaskUNet`; the defaults are those of DeepDenoiser.

    Example:
        >>> UNetSettings(depth=3, root=4).channels
        [4, 8, 16]
    """

    depth: Annotated[int, Field(ge=1, le=8)] = 6
    root: Annotated[int, Field(ge=1, le=256)] = 8

    @property
    def channels(self) -> list[int]:
        """Channels of each level, from the whole resolution down."""
        return [self.root * 2**level for level in range(self.depth)]


class MaskUNet(nn.Module):
    """Logits of signal and noise in every bin of a spectrogram, by a U-Net of 3 x 3 convolutions.

    ``depth`` levels of ``root``, 2 ``root``, ... channels, halved in both directions by
    convolutions with stride 2, doubled by transposed ones, with what each level saw on the way
    down set beside what comes up. Sizes that are odd are rounded up on the way down and cut on the
    way up, so that any number of bins and frames goes through.

    Args:
        settings: depth and width.

    Example:
        >>> MaskUNet(UNetSettings(depth=3, root=4))(torch.randn(5, 2, 31, 201)).shape
        torch.Size([5, 2, 31, 201])

    Reference: Zhu, Mousavi, Beroza, Seismic signal denoising and decomposition using deep neural
    networks, IEEE Transactions on Geoscience and Remote Sensing 57(11), 2019, figure 2; the
    padding on both sides, which makes the layers symmetric in time, is ours.
    """

    def __init__(self, settings: UNetSettings) -> None:
        super().__init__()
        channels = settings.channels
        self.first = _convolution(2, settings.root)
        self.down = nn.ModuleList()
        self.narrow = nn.ModuleList()
        self.widen = nn.ModuleList()
        self.up = nn.ModuleList()
        width = settings.root
        for number in channels:
            self.down.append(_convolution(width, number))
            width = number
        for number, deeper in pairwise(channels):
            self.narrow.append(_convolution(number, number, stride=2))
            self.widen.append(_Widening(deeper, number))
            self.up.append(_convolution(2 * number, number))
        self.last = nn.Conv2d(settings.root, 2, 1)

    def forward(
        self, spectrogram: Float[Tensor, "batch 2 freq frames"]
    ) -> Float[Tensor, "batch 2 freq frames"]:
        """Logits of the signal's and of the noise's share."""
        x = self.down[0](self.first(spectrogram))
        seen = []
        for narrow, down in zip(self.narrow, self.down[1:], strict=True):
            seen.append(x)
            x = down(narrow(x))
        for widen, up in zip(reversed(self.widen), reversed(self.up), strict=True):
            beside = seen.pop()
            x = up(torch.cat((beside, widen(x, beside)), dim=1))
        logits: Tensor = self.last(x)
        return logits


def _convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs, eps=_EPS),
        nn.ReLU(inplace=True),
    )


class _Widening(nn.Module):
    """Transposed convolution with stride 2, to the size of another tensor."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.normalisation = nn.BatchNorm2d(outputs, eps=_EPS)

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        wider = self.convolution(x, output_size=list(like.shape[-2:]))
        wide: Tensor = torch.relu(self.normalisation(wider))
        return wide
