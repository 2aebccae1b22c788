"""A vocoder's weights laid out for synthesis on a processor, and the pass over them.

Linear layers run in oneDNN with the weights in its own order and the activation inside, the layer
scale is multiplied into the weights once, and what lies between two matrix products is one pass.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from passband.frequency._block_spectrum import in_blocks
from passband.vocoder._adaptive_norm import NORM_EPS, AdaLayerNorm
from passband.vocoder._convnext import ConvNeXtBackbone, ConvNeXtBlock
from passband.vocoder._frame_head import FrameHead

Precision = Literal["float32", "bfloat16"]

_FRAMED = 128


class Packing:
    """The packed weights of one module, made when first used and again when weights change.

    Copies and pickles of the module begin without.
    """

    def __init__(self) -> None:
        self._stamp: tuple[object, ...] = ()
        self._packed: dict[Precision, PackedVocoder] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Packing, ()

    def find(
        self, backbone: nn.Module, head: FrameHead, rows: Tensor, precision: Precision
    ) -> "PackedVocoder | None":
        """Packed weights for ``rows``, or None where these cannot run packed."""
        if not _can_pack(backbone, rows, precision):
            return None
        weights = [*backbone.parameters(), *head.parameters()]
        if any(w.is_inference() or w.dtype != torch.float32 for w in weights):
            return None
        stamp = tuple(part for w in weights for part in (w.data_ptr(), w._version))
        if stamp != self._stamp:
            self._packed.clear()
            self._stamp = stamp
        if precision not in self._packed:
            assert isinstance(backbone, ConvNeXtBackbone)
            self._packed[precision] = PackedVocoder(backbone, head, getattr(torch, precision))
        return self._packed[precision]


def _can_pack(backbone: nn.Module, rows: Tensor, precision: Precision) -> bool:
    plain = isinstance(backbone, ConvNeXtBackbone) and rows.dtype == torch.float32
    if not plain or torch.is_grad_enabled() or not in_blocks(rows):
        return False
    # Elsewhere oneDNN stands on other libraries, or has no products of bfloat16.
    wide = torch.backends.cpu.get_cpu_capability().startswith("AVX")
    if not wide or not torch.backends.mkldnn.is_available():
        return False
    return precision == "float32" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class _Linear:
    """``act(x W^T + b)`` by oneDNN, in the type of the weights."""

    def __init__(self, weight: Tensor, bias: Tensor | None, dtype: torch.dtype, act: str) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype).contiguous())
        self._bias = None if bias is None else bias.to(dtype)
        self._act = act

    def __call__(self, x: Tensor) -> Tensor:
        done: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self._weight, self._bias, self._act, [], "none"
        )
        return done


class _Block:
    def __init__(self, block: ConvNeXtBlock, dtype: torch.dtype) -> None:
        self.taps = block.dwconv.weight[:, 0].mT.contiguous()
        self.bias = block.dwconv.bias
        self.norm = block.norm
        first, second, gamma = block.pwconv1, block.pwconv2, block.gamma
        self.first = _Linear(first.weight, first.bias, dtype, "gelu")
        self.second = _Linear(second.weight * gamma[:, None], second.bias * gamma, dtype, "none")


class PackedVocoder:
    """Backbone and head of a vocoder, packed for one type of numbers."""

    @torch.no_grad()
    def __init__(self, backbone: ConvNeXtBackbone, head: FrameHead, dtype: torch.dtype) -> None:
        self._dtype, self._backbone, self._head = dtype, backbone, head
        embed = backbone.embed
        self._reach, self._taps = int(embed.padding[0]), embed.kernel_size[0]
        by_tap = embed.weight.permute(0, 2, 1).flatten(1)
        self._embed = _Linear(by_tap, embed.bias, dtype, "none")
        blocks: Any = backbone.convnext
        self._blocks = [_Block(block, dtype) for block in blocks]
        self._project = _Linear(head.projection.weight, head.projection.bias, dtype, "none")

    def frames(self, rows: Tensor, bandwidth_id: int | Tensor | None) -> Tensor:
        """Frames of sound of features ``(batch, bands, frames)``, as the modules give them."""
        from passband.vocoder._fused_rows import (  # noqa: PLC0415  numba: half a second
            add_convolve_normalise,
        )

        x = self._embedded(rows)
        x = layer_norm(x, x.shape[-1:], eps=NORM_EPS)
        scale, shift = _affine(self._backbone.norm, bandwidth_id, len(x))
        x = torch.addcmul(shift[:, None], x, scale[:, None])
        added = torch.zeros_like(x, dtype=self._dtype)
        for block in self._blocks:
            affine = _affine(block.norm, bandwidth_id, len(x))
            assert block.bias is not None
            y = add_convolve_normalise(x, added, block.taps, block.bias, *affine, NORM_EPS)
            added = block.second(block.first(y))
        hidden: Tensor = self._backbone.final_layer_norm(x.add_(added))
        # A few at a time: the steps from magnitude and phase to samples then stay in the cache.
        parts = hidden.to(self._dtype).flatten(0, 1).split(_FRAMED)
        done = torch.cat([self._head.framed(self._project(part[None]))[0] for part in parts])
        return done.reshape(*x.shape[:2], done.shape[-1])

    def _embedded(self, rows: Tensor) -> Tensor:
        """The first convolution, as a product with the features of seven frames side by side."""
        batch, bands, count = rows.shape
        wide = rows.new_zeros(batch, count + 2 * self._reach, bands, dtype=self._dtype)
        wide[:, self._reach : self._reach + count] = rows.mT
        size, stride = (batch, count, self._taps * bands), (wide.stride(0), bands, 1)
        return self._embed(wide.as_strided(size, stride).contiguous()).float()


def _affine(
    norm: AdaLayerNorm | nn.LayerNorm, condition: int | Tensor | None, batch: int
) -> tuple[Tensor, Tensor]:
    """Scale and shift of a norm, ``(batch, dim)``."""
    if isinstance(norm, AdaLayerNorm):
        assert condition is not None
        index = torch.as_tensor(condition).reshape(-1)
        pair = norm.scale.weight[index], norm.shift.weight[index]
    else:
        pair = norm.weight[None], norm.bias[None]
    scale, shift = (table.expand(batch, -1).contiguous() for table in pair)
    return scale, shift
