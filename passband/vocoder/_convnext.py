"""Backbone of ConvNeXt blocks: the same number of frames all the way through."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import gelu

from passband.vocoder._adaptive_norm import NORM_EPS, AdaLayerNorm

_KERNEL = 7


class ConvNeXtBlock(nn.Module):
    """``x + gamma W2 gelu(W1 norm(depthwise(x)))``, a ConvNeXt block over frames.

    Args:
        dim: channels.
        intermediate_dim: channels between ``W1`` and ``W2``.
        layer_scale: first value of ``gamma``, one for each channel.
        conditions: how many conditions the norm adapts to; None for a plain one.

    Example:
        >>> ConvNeXtBlock(8, 24, 0.5)(torch.randn(2, 10, 8)).shape
        torch.Size([2, 10, 8])

    Reference: Liu, Mao, Wu, Feichtenhofer, Darrell & Xie, A ConvNet for the 2020s, CVPR, 2022,
    section 2; Siuzdak, Vocos, ICLR, 2024, section 3.2.
    """

    def __init__(
        self, dim: int, intermediate_dim: int, layer_scale: float, conditions: int | None = None
    ) -> None:
        super().__init__()
        self.dim = dim
        self.dwconv = nn.Conv1d(dim, dim, _KERNEL, padding=_KERNEL // 2, groups=dim)
        self.norm = _norm(dim, conditions)
        self.pwconv1 = nn.Linear(dim, intermediate_dim)
        self.pwconv2 = nn.Linear(intermediate_dim, dim)
        self.gamma = nn.Parameter(torch.full((dim,), layer_scale))

    def forward(
        self,
        x: Float[Tensor, "batch frames {self.dim}"],
        condition: int | Tensor | None = None,
        mask: Bool[Tensor, "batch frames 1"] | None = None,
    ) -> Float[Tensor, "batch frames {self.dim}"]:
        """``x`` plus what the block adds; frames outside ``mask`` are zero to the convolution."""
        seen = x if mask is None else x * mask
        y = self.dwconv(seen.mT).mT
        y = gelu(self.pwconv1(_normed(self.norm, y, condition)))
        added: Tensor = torch.addcmul(x, self.gamma, self.pwconv2(y))
        return added


class ConvNeXtBackbone(nn.Module):
    """Features to hidden frames: a convolution, a norm, ConvNeXt blocks, a norm.

    Args:
        input_channels: channels of the features.
        dim: hidden channels.
        intermediate_dim: channels inside a block.
        num_layers: blocks.
        layer_scale: first value of each block's ``gamma``; ``1 / num_layers`` if not given.
        conditions: how many bandwidths the norms adapt to; None for a vocoder without them.

    Attributes:
        context: frames on either side that a hidden frame depends on.

    Example:
        >>> backbone = ConvNeXtBackbone(100, 16, 48, 2)
        >>> backbone(torch.randn(1, 100, 10)).shape, backbone.context
        (torch.Size([1, 10, 16]), 9)

    Agrees with the ``vocos`` package to 1e-5 of the largest value in float32.
    Reference: Siuzdak, Vocos, ICLR, 2024, section 3.2.
    """

    def __init__(
        self,
        input_channels: int,
        dim: int = 512,
        intermediate_dim: int = 1536,
        num_layers: int = 8,
        layer_scale: float | None = None,
        conditions: int | None = None,
    ) -> None:
        super().__init__()
        self.input_channels, self.dim, self.conditions = input_channels, dim, conditions
        self.context = _KERNEL // 2 * (num_layers + 1)
        self.embed = nn.Conv1d(input_channels, dim, _KERNEL, padding=_KERNEL // 2)
        self.norm = _norm(dim, conditions)
        scale = 1 / num_layers if layer_scale is None else layer_scale
        self.convnext = nn.ModuleList(
            ConvNeXtBlock(dim, intermediate_dim, scale, conditions) for _ in range(num_layers)
        )
        self.final_layer_norm = nn.LayerNorm(dim, eps=NORM_EPS)
        self.apply(_initialise)

    def forward(
        self,
        x: Float[Tensor, "batch {self.input_channels} frames"],
        bandwidth_id: int | Tensor | None = None,
        mask: Bool[Tensor, "batch frames 1"] | None = None,
    ) -> Float[Tensor, "batch frames {self.dim}"]:
        """Hidden frames; those outside ``mask`` mean nothing and reach no other."""
        x = x if mask is None else x * mask.mT
        y = _normed(self.norm, self.embed(x).mT, bandwidth_id)
        for block in self.convnext:
            y = block(y, bandwidth_id, mask)
        hidden: Tensor = self.final_layer_norm(y)
        return hidden


def _norm(dim: int, conditions: int | None) -> AdaLayerNorm | nn.LayerNorm:
    return nn.LayerNorm(dim, eps=NORM_EPS) if conditions is None else AdaLayerNorm(conditions, dim)


def _normed(norm: nn.Module, x: Tensor, condition: int | Tensor | None) -> Tensor:
    normal: Tensor = norm(x, condition) if isinstance(norm, AdaLayerNorm) else norm(x)
    return normal


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
