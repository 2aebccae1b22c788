"""Feed-forward sequential memory with complex weights, along frequency or along time."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from passband.signal.tasks.enhancement.frcrn._past import Past


class ComplexFSMN(nn.Module):
    """``(F_A + i F_B)(x + i y)`` with two memories F of the last ``order`` places of a sequence.

    Each is ``F(x)_n = x_n + p_n + sum_k m_k p_(n-k)``, k from 0 to ``order - 1``, with
    ``p = V relu(W x + b)`` and one weight m_k for each channel. Beside a recurrent network it has
    the reach of the order alone, and all places are computed at once.

    Args:
        channels: complex channels.
        order: places that are remembered, at least 1.
        axis: ``freq`` (from low to high) or ``time`` (this frame and those before).

    Example:
        >>> ComplexFSMN(4, 20, "freq")(torch.randn(2, 8, 33, 7), Past()).shape
        torch.Size([2, 8, 33, 7])

    Agrees with plain loops in float64 to 1e-12.
    Reference: Zhang et al., Deep-FSMN for large vocabulary continuous speech recognition, ICASSP,
    2018, eq. 7-9; Zhao et al., FRCRN, ICASSP, 2022, section 2.2 (complex, along frequency).
    """

    def __init__(self, channels: int, order: int, axis: Literal["freq", "time"]) -> None:
        super().__init__()
        self.axis, self.order = axis, order
        # F_A is the first half of what is computed, F_B the second.
        self.hidden = nn.Conv2d(channels, 2 * channels, 1)
        self.projection = nn.Conv2d(2 * channels, 2 * channels, 1, groups=2, bias=False)
        taps = (1, order) if axis == "time" else (order, 1)
        self.taps = nn.Parameter(torch.randn(2 * channels, 1, *taps) / (2 * order))

    def forward(
        self, x: Float[Tensor, "batch c2 freq time"], past: Past
    ) -> Float[Tensor, "batch c2 freq time"]:
        """The sequence and what is remembered at each of its places."""
        batch, double, freq, time = x.shape
        parts = x.reshape(2 * batch, double // 2, freq, time)
        p = self.projection(self.hidden(parts).relu())
        memory = p + (self._over_freq(p) if self.axis == "freq" else self._over_time(p, past))
        both = memory.reshape(batch, 2, 2, double // 2, freq, time) + x.reshape(
            batch, 2, 1, double // 2, freq, time
        )
        (a_x, b_x), (a_y, b_y) = (both[:, part].unbind(1) for part in (0, 1))
        return torch.cat((a_x - b_y, a_y + b_x), dim=1)

    def _over_freq(self, p: Tensor) -> Tensor:
        # Taps that reach beyond the lowest place at every place would meet zeros alone.
        taps = self.taps[:, :, -p.shape[2] :]
        return conv2d(pad(p, (0, 0, taps.shape[2] - 1, 0)), taps, groups=p.shape[1])

    def _over_time(self, p: Tensor, past: Past) -> Tensor:
        return conv2d(past.extend(self, p, self.order - 1), self.taps, groups=p.shape[1])
