"""The layers of a vocoder over features that arrive a few frames at a time."""

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import conv1d, gelu, layer_norm, leaky_relu

from passband.vocoder._adaptive_norm import NORM_EPS
from passband.vocoder._convnext import ConvNeXtBackbone, _normed
from passband.vocoder._frame_head import FrameHead
from passband.vocoder._packed import PackedVocoder, _affine
from passband.vocoder._resnet import _SLOPE, ResNetBackbone, WeightNormConv1d


@runtime_checkable
class StreamedLayers(Protocol):
    """Backbone and head with a memory of what they have seen."""

    def frames(self, rows: Tensor, last: bool) -> Tensor | None:
        """Frames of sound ``(batch, n, samples)`` that more features would not change."""
        ...


class DelayLine:
    """The last frames that a convolution has seen, zeros before the first and after the last.

    Args:
        reach: frames on either side that the convolution sees.
    """

    def __init__(self, reach: int) -> None:
        self.reach = reach
        self._kept: Tensor | None = None

    def push(self, x: Tensor, last: bool) -> Tensor | None:
        """What is seen, ``2 reach`` frames more than come out; None where none come out."""
        edge = x.new_zeros(x.shape[0], self.reach, x.shape[2])
        parts = [edge if self._kept is None else self._kept, x]
        seen = torch.cat([*parts, edge] if last else parts, dim=1)
        self._kept = seen[:, max(0, seen.shape[1] - 2 * self.reach) :]
        return seen if seen.shape[1] > 2 * self.reach else None

    def centre(self, seen: Tensor) -> Tensor:
        """The frames of ``seen`` that the convolution's outputs belong to."""
        return seen[:, self.reach : seen.shape[1] - self.reach]


class StreamedConvNeXt:
    """A ConvNeXt backbone and a head, module by module."""

    def __init__(
        self, backbone: ConvNeXtBackbone, head: FrameHead, bandwidth_id: int | Tensor | None
    ) -> None:
        self._backbone, self._head, self._condition = backbone, head, bandwidth_id
        blocks: Any = backbone.convnext
        self._blocks = list(blocks)
        self._first = DelayLine(int(backbone.embed.kernel_size[0]) // 2)
        self._lines = [DelayLine(block.dwconv.kernel_size[0] // 2) for block in self._blocks]

    def frames(self, rows: Tensor, last: bool) -> Tensor | None:
        """Frames of sound of ``rows`` ``(batch, frames, bands)``."""
        embed = self._backbone.embed
        seen = self._first.push(rows, last)
        if seen is None:
            return None
        x = conv1d(seen.mT, embed.weight, embed.bias).mT
        x = _normed(self._backbone.norm, x, self._condition)
        for block, line in zip(self._blocks, self._lines, strict=True):
            seen = line.push(x, last)
            if seen is None:
                return None
            conv = block.dwconv
            y = conv1d(seen.mT, conv.weight, conv.bias, groups=conv.groups).mT
            y = block.pwconv2(gelu(block.pwconv1(_normed(block.norm, y, self._condition))))
            x = torch.addcmul(line.centre(seen), block.gamma, y)
        return self._head.frames(self._backbone.final_layer_norm(x))


class StreamedPacked:
    """A ConvNeXt backbone and a head with packed weights."""

    def __init__(
        self, packed: PackedVocoder, bandwidth_id: int | Tensor | None, batch: int
    ) -> None:
        norms = [packed._backbone.norm, *(block.norm for block in packed._blocks)]
        self._packed = packed
        self._scale, *self._scales = [_affine(norm, bandwidth_id, batch) for norm in norms]
        self._first = DelayLine(packed._reach)
        self._lines = [DelayLine(len(block.taps) // 2) for block in packed._blocks]

    def frames(self, rows: Tensor, last: bool) -> Tensor | None:
        """Frames of sound of ``rows`` ``(batch, frames, bands)``."""
        from passband.vocoder._fused_rows import (  # noqa: PLC0415  numba: half a second
            add_convolve_normalise,
        )

        packed = self._packed
        seen = self._first.push(rows, last)
        if seen is None:
            return None
        x = self._normed(packed._embed(_side_by_side(seen, packed._taps, packed._dtype)).float())
        parts = zip(packed._blocks, self._lines, self._scales, strict=True)
        for block, line, affine in parts:
            seen = line.push(x, last)
            if seen is None:
                return None
            nothing = torch.zeros_like(seen, dtype=packed._dtype)
            assert block.bias is not None
            y = add_convolve_normalise(seen, nothing, block.taps, block.bias, *affine, NORM_EPS)
            x = line.centre(seen) + block.second(block.first(line.centre(y).contiguous()))
        hidden: Tensor = packed._backbone.final_layer_norm(x)
        done: Tensor = packed._head.framed(packed._project(hidden.to(packed._dtype)))
        return done

    def _normed(self, x: Tensor) -> Tensor:
        scale, shift = self._scale
        normal = layer_norm(x, x.shape[-1:], eps=NORM_EPS)
        return torch.addcmul(shift[:, None], normal, scale[:, None])


class _StreamedConvolution:
    """A convolution of normalised weights, worked out once."""

    def __init__(self, module: WeightNormConv1d) -> None:
        length = torch.linalg.vector_norm(module.weight_v, dim=(1, 2), keepdim=True)
        self._weight = module.weight_v * (module.weight_g / length)
        self._bias, self._dilation = module.bias, module.dilation
        self.line = DelayLine(module.dilation * (self._weight.shape[-1] // 2))

    def __call__(self, x: Tensor, last: bool) -> Tensor | None:
        seen = self.line.push(x, last)
        if seen is None:
            return None
        return conv1d(seen.mT, self._weight, self._bias, dilation=self._dilation).mT


class _StreamedStep:
    """``x + gamma conv(lrelu(dilated(lrelu(x))))``, with ``x`` as late as what is added to it."""

    def __init__(self, first: Any, second: Any, gamma: Tensor) -> None:
        self._first, self._second = _StreamedConvolution(first), _StreamedConvolution(second)
        self._gamma = gamma.mT
        self._waiting: Tensor | None = None

    def __call__(self, x: Tensor, last: bool) -> Tensor | None:
        waiting = x if self._waiting is None else torch.cat((self._waiting, x), dim=1)
        self._waiting = waiting
        y = self._first(leaky_relu(x, _SLOPE), last)
        y = None if y is None else self._second(leaky_relu(y, _SLOPE), last)
        if y is None:
            return None
        count = y.shape[1]
        self._waiting = waiting[:, count:]
        return torch.addcmul(waiting[:, :count], self._gamma, y)


class StreamedResNet:
    """A backbone of dilated residual blocks and a head."""

    def __init__(
        self, backbone: ResNetBackbone, head: FrameHead, bandwidth_id: int | Tensor | None
    ) -> None:
        self._backbone, self._head, self._condition = backbone, head, bandwidth_id
        self._embed = _StreamedConvolution(backbone.embed)
        blocks: Any = backbone.resnet
        self._steps = [
            _StreamedStep(*parts)
            for block in blocks
            for parts in zip(block.convs1, block.convs2, block.gamma, strict=True)
        ]

    def frames(self, rows: Tensor, last: bool) -> Tensor | None:
        """Frames of sound of ``rows`` ``(batch, frames, bands)``."""
        x = self._embed(rows, last)
        if x is not None and self._condition is not None:
            x = self._backbone.norm(x, self._condition)
        for step in self._steps:
            x = None if x is None else step(x, last)
        return None if x is None else self._head.frames(x)


def _side_by_side(seen: Tensor, taps: int, dtype: torch.dtype) -> Tensor:
    """The frames under each position of a kernel, one after the other."""
    wide = seen.to(dtype).contiguous()
    batch, count, bands = wide.shape
    size, stride = (batch, count - taps + 1, taps * bands), (wide.stride(0), bands, 1)
    return wide.as_strided(size, stride).contiguous()
