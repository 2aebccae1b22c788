"""Backbone of dilated residual blocks, as the generators of HiFi-GAN have them."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import conv1d, leaky_relu

from passband.vocoder._adaptive_norm import AdaLayerNorm

_KERNEL = 3
_DILATIONS = (1, 3, 5)
_SLOPE = 0.1


class WeightNormConv1d(nn.Module):
    """Convolution with weights ``g v / |v|``, a length and a direction for each output channel.

    Args:
        in_channels: channels in.
        out_channels: channels out.
        kernel_size: an odd number of frames; as many come out as go in.
        dilation: frames from one tap to the next.

    Example:
        >>> WeightNormConv1d(4, 8, 3, dilation=5)(torch.randn(1, 4, 20)).shape
        torch.Size([1, 8, 20])

    Reference: Salimans & Kingma, Weight normalization, NeurIPS, 2016, eq. 2.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, dilation: int = 1
    ) -> None:
        super().__init__()
        plain = nn.Conv1d(in_channels, out_channels, kernel_size)
        assert plain.bias is not None
        self.dilation = dilation
        self.weight_v = nn.Parameter(plain.weight.detach())
        self.weight_g = nn.Parameter(_length(plain.weight.detach()))
        self.bias = nn.Parameter(plain.bias.detach())

    def forward(self, x: Float[Tensor, "batch _ frames"]) -> Float[Tensor, "batch _ frames"]:
        """``x`` seen through the kernel, zeros beyond its ends."""
        weight = self.weight_v * (self.weight_g / _length(self.weight_v))
        margin = self.dilation * (weight.shape[-1] // 2)
        return conv1d(x, weight, self.bias, padding=margin, dilation=self.dilation)


class ResidualBlock(nn.Module):
    """Three steps ``x + gamma conv(lrelu(dilated(lrelu(x))))`` of dilations 1, 3 and 5.

    Args:
        dim: channels.
        layer_scale: first value of ``gamma``.

    Example:
        >>> ResidualBlock(8, 0.1)(torch.randn(1, 8, 30)).shape
        torch.Size([1, 8, 30])

    Reference: Kong, Kim & Bae, HiFi-GAN, NeurIPS, 2020, section 2.2; Siuzdak, Vocos, ICLR, 2024,
    section 4.1 (the ablation with residual blocks).
    """

    def __init__(self, dim: int, layer_scale: float) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(WeightNormConv1d(dim, dim, _KERNEL, d) for d in _DILATIONS)
        self.convs2 = nn.ModuleList(WeightNormConv1d(dim, dim, _KERNEL) for _ in _DILATIONS)
        self.gamma = nn.ParameterList(torch.full((dim, 1), layer_scale) for _ in _DILATIONS)

    def forward(
        self,
        x: Float[Tensor, "batch dim frames"],
        mask: Bool[Tensor, "batch 1 frames"] | None = None,
    ) -> Float[Tensor, "batch dim frames"]:
        """``x`` plus what the steps add; frames outside ``mask`` are zero to the convolutions."""
        for first, second, gamma in zip(self.convs1, self.convs2, self.gamma, strict=True):
            y = first(_kept(leaky_relu(x, _SLOPE), mask))
            y = second(_kept(leaky_relu(y, _SLOPE), mask))
            x = torch.addcmul(x, gamma, y)
        return x


class ResNetBackbone(nn.Module):
    """Features to hidden frames: a convolution and residual blocks.

    Args:
        input_channels: channels of the features.
        dim: hidden channels.
        num_blocks: residual blocks.
        layer_scale: first value of each step's ``gamma``; ``1 / (3 num_blocks)`` if not given.
        conditions: how many bandwidths to adapt to, by a norm after the first convolution (its
            place is ours: the published model has no norm); None for no norm.

    Attributes:
        context: frames on either side that a hidden frame depends on.

    Example:
        >>> backbone = ResNetBackbone(100, 16, 2)
        >>> backbone(torch.randn(1, 100, 10)).shape, backbone.context
        (torch.Size([1, 10, 16]), 25)

    Agrees with the ``vocos`` package to 1e-5 of the largest value in float32.
    Reference: Siuzdak, Vocos, ICLR, 2024, section 4.1 (the ablation with residual blocks).
    """

    def __init__(
        self,
        input_channels: int,
        dim: int = 512,
        num_blocks: int = 3,
        layer_scale: float | None = None,
        conditions: int | None = None,
    ) -> None:
        super().__init__()
        self.input_channels, self.dim, self.conditions = input_channels, dim, conditions
        reach = sum(_DILATIONS) + len(_DILATIONS)
        self.context = (_KERNEL // 2) * (1 + num_blocks * reach)
        self.embed = WeightNormConv1d(input_channels, dim, _KERNEL)
        if conditions is not None:
            self.norm = AdaLayerNorm(conditions, dim)
        scale = 1 / (len(_DILATIONS) * num_blocks) if layer_scale is None else layer_scale
        self.resnet = nn.ModuleList(ResidualBlock(dim, scale) for _ in range(num_blocks))

    def forward(
        self,
        x: Float[Tensor, "batch {self.input_channels} frames"],
        bandwidth_id: int | Tensor | None = None,
        mask: Bool[Tensor, "batch frames 1"] | None = None,
    ) -> Float[Tensor, "batch frames {self.dim}"]:
        """Hidden frames; those outside ``mask`` mean nothing and reach no other."""
        across = None if mask is None else mask.mT
        y = self.embed(_kept(x, across))
        if bandwidth_id is not None:
            y = self.norm(y.mT, bandwidth_id).mT
        for block in self.resnet:
            y = block(y, across)
        hidden: Tensor = y.mT
        return hidden


def _length(weight: Tensor) -> Tensor:
    """Euclidean length of each output channel's weights, ``(out, 1, 1)``."""
    length: Tensor = torch.linalg.vector_norm(weight, dim=(1, 2), keepdim=True)
    return length


def _kept(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask
