"""The heads without a complex number, for runtimes that have none."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv_transpose1d

from passband.vocoder._frame_head import UNCOVERED, FrameHead


class RealHead(nn.Module):
    """``head`` as one transposed convolution of the coefficients of its frames.

    Between those and the windowed frames every head is linear; the matrix of that is kept.

    Args:
        head: a head of a vocoder; its parameters are shared, its window and transform copied.

    Example:
        >>> from passband.vocoder import ISTFTHead
        >>> head, hidden = ISTFTHead(16, n_fft=64, hop_length=16), torch.randn(2, 10, 16)
        >>> torch.allclose(RealHead(head)(hidden), head(hidden), atol=1e-4)
        True

    Agrees with ``head`` to 1e-5 of the largest value in float32.
    """

    basis: Tensor
    power: Tensor | None

    def __init__(self, head: FrameHead) -> None:
        super().__init__()
        self.head = head
        power = head.power()
        self.register_buffer("basis", head.basis()[:, None].float())
        self.register_buffer("power", None if power is None else power[None, None])

    def forward(self, hidden: Float[Tensor, "batch frames _"]) -> Float[Tensor, "batch time"]:
        """The sound of all frames, of its natural length."""
        head, count = self.head, hidden.shape[1]
        parts = head.coefficients(head.projection(hidden))
        added = conv_transpose1d(parts.mT, self.basis, stride=head.hop_length)
        if self.power is not None:
            ones = parts.new_ones(1, 1, count)
            divisor = conv_transpose1d(ones, self.power, stride=head.hop_length)
            added = added / divisor.masked_fill(divisor <= UNCOVERED, torch.inf)
        samples: Any = head.samples(count)
        audio = added[:, 0].narrow(-1, head.margin, samples)
        return head.finished(audio)
