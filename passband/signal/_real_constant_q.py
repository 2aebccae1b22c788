"""The constant-Q transform in real numbers, for runtimes without complex."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv1d, pad

from passband.frequency import ConstantQKernels
from passband.frequency._constant_q_transform import _Spans
from passband.frequency._decimation import FACTOR, REACH, low_pass_filter
from passband.frequency._validate import require_real
from passband.signal._real_stft import RealTransform, require_dtype


class RealConstantQ(RealTransform):
    """`passband.frequency.constant_q` as a pair (real, imaginary), from strided convolutions alone.

    The same filters at the same rates, with lengths that follow from the convolutions, so that
    ``torch.export`` and ONNX take any batch and any number of samples.

    Args:
        kernels: filters as `passband.frequency.constant_q_kernels` gives them.
        dtype: of the filters, and so of the signals to come.

    Shape:
        ``(*batch, time)`` to two of ``(*batch, bins, 1 + time // hop_length)``.

    Example:
        >>> from passband.frequency import constant_q_kernels
        >>> kernels = constant_q_kernels([220.0, 440.0], sample_rate=8000, hop_length=100)
        >>> real, imag = RealConstantQ(kernels)(torch.ones(2, 8000))
        >>> real.shape
        torch.Size([2, 2, 81])

    Agrees with `passband.frequency.constant_q` to 1e-5 of the largest value in float32.
    """

    low_pass: Tensor
    order: Tensor | None

    def __init__(self, kernels: ConstantQKernels, *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self._spans = _Spans(kernels, 1)
        self.hop_length, self.levels = kernels.hop_length, kernels.levels
        counts = self._spans.count(self.levels)
        slack = counts * self.hop_length + FACTOR ** (self.levels + 1)
        self._margins = (-self._spans.start[0], kernels.reach[1] + slack)
        low_pass = torch.from_numpy(low_pass_filter())
        self.register_buffer("low_pass", low_pass[None, None].to(dtype))
        self._groups = [(group.level, group.reach) for group in kernels.groups]
        for index, group in enumerate(kernels.groups):
            parts = torch.cat((group.kernel[:, 0::2], group.kernel[:, 1::2]), dim=1).detach()
            self.register_buffer(f"filters_{index}", parts.mT[:, None].to(dtype).contiguous())
        self.register_buffer("order", kernels.order)

    def forward(
        self, waveform: Float[Tensor, "*batch time"]
    ) -> tuple[Float[Tensor, "*batch bins frames"], Float[Tensor, "*batch bins frames"]]:
        """Real and imaginary part of the coefficients of ``waveform``."""
        require_real("waveform", waveform)
        require_dtype("waveform", waveform, self.low_pass)
        frames = 1 + waveform.shape[-1] // self.hop_length
        branches = pad(waveform.reshape(-1, 1, waveform.shape[-1]), self._margins)
        parts: list[tuple[Tensor, Tensor]] = []
        level = 0
        for index in reversed(range(len(self._groups))):  # from the highest rate down
            while level < self._groups[index][0]:
                branches = self._down(branches, level)
                level += 1
            real, imag = self._products(branches, index).narrow(-1, 0, frames).chunk(2, dim=1)
            parts.append((real, imag))
        real, imag = (torch.cat(part[::-1], dim=1) for part in zip(*parts, strict=True))
        if self.order is not None:
            real, imag = real.index_select(1, self.order), imag.index_select(1, self.order)
        batch = waveform.shape[:-1]
        return real.reshape(*batch, *real.shape[1:]), imag.reshape(*batch, *imag.shape[1:])

    def example(self) -> tuple[Any, ...]:
        """Two silent signals."""
        return (self.low_pass.new_zeros(2, 9 * self.hop_length + 3),)

    def _down(self, branches: Tensor, level: int) -> Tensor:
        """Branches ``(batch, branches, time)`` of the next level, all of one length."""
        spans = self._spans
        first = FACTOR * spans.start[level + 1] - REACH - spans.start[level]
        times = spans.count(level + 1) // spans.count(level)
        offsets = [first + j * spans.stride(level) for j in range(times)]
        length = branches.shape[-1] - offsets[-1]
        shifted = [branches.narrow(-1, offset, length) for offset in offsets]
        together = torch.cat(shifted, dim=1)
        lower = conv1d(together.reshape(-1, 1, length), self.low_pass, stride=FACTOR)
        return lower.reshape(-1, together.shape[1], lower.shape[-1])

    def _products(self, branches: Tensor, index: int) -> Tensor:
        """Coefficients of a group ``(batch, 2 bins, frames)`` and a few frames more."""
        level, reach = self._groups[index]
        first, count = -reach - self._spans.start[level], branches.shape[1]
        seen = branches.narrow(-1, first, branches.shape[-1] - first)
        filters: Tensor = getattr(self, f"filters_{index}")
        stride = self._spans.stride(level)
        product = conv1d(seen.reshape(-1, 1, seen.shape[-1]), filters, stride=stride)
        # Frame k of the signal is frame k // count of branch k % count.
        ordered = product.unflatten(0, (-1, count)).permute(0, 2, 3, 1)
        flat: Tensor = ordered.flatten(-2)
        return flat
