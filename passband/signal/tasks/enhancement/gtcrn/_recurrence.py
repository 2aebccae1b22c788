"""Gated recurrence of small width: torch's own where it learns, compiled where it only runs."""

from importlib.util import find_spec

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear


class SmallGRU(nn.GRU):
    """``h' = (1 - z) n + z h`` with gates ``r, z`` and ``n = tanh(a + r (U h + b))``, one layer.

    Weights, names and results are those of `torch.nn.GRU` with ``batch_first``. There a step of
    ten operations on a few numbers costs as much as one on a thousand; without gradients, in
    float32 on the processor and where numba is installed, all steps run in one compiled loop.

    Args:
        inputs: features of a step.
        hidden: features of the state.
        bidirectional: also from the last step to the first, beside the other direction.

    Example:
        >>> y, state = SmallGRU(8, 4, bidirectional=True)(torch.randn(2, 33, 8))
        >>> y.shape, state.shape
        (torch.Size([2, 33, 8]), torch.Size([2, 2, 4]))

    Agrees with ``torch.nn.GRU`` to 1e-6.
    Reference: Cho et al., Learning phrase representations using RNN encoder-decoder for statistical
    machine translation, EMNLP, 2014.
    """

    def __init__(self, inputs: int, hidden: int, *, bidirectional: bool = False) -> None:
        super().__init__(inputs, hidden, batch_first=True, bidirectional=bidirectional)

    def forward(  # type: ignore[override]
        self,
        x: Float[Tensor, "sequences steps inputs"],
        state: Float[Tensor, "directions sequences hidden"] | None = None,
    ) -> tuple[Float[Tensor, "sequences steps outputs"], Tensor]:
        """Output, and the state after the last step; None before the first is zeros."""
        if not _runs_compiled(x):
            return super().forward(x, state)
        directions = 2 if self.bidirectional else 1
        # A copy, since the loop works on it in place.
        after = (
            x.new_zeros(directions, len(x), self.hidden_size) if state is None else state.clone()
        )
        out = x.new_empty(*x.shape[:2], directions * self.hidden_size)
        for direction in range(directions):
            self._scan(x, after, out, direction)
        return out, after

    def _scan(self, x: Tensor, state: Tensor, out: Tensor, direction: int) -> None:
        from passband.signal.tasks.enhancement.gtcrn._gru_loop import (  # noqa: PLC0415  numba: 0.5 s
            scan,
        )

        ending = "_l0_reverse" if direction else "_l0"
        inward, bias_in, recurrent, bias = (
            getattr(self, name + ending).detach()
            for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        )
        first = direction * self.hidden_size
        scan(
            linear(x, inward, bias_in).numpy(),
            recurrent.numpy(),
            bias.numpy(),
            bool(direction),
            state[direction].numpy(),
            out[..., first : first + self.hidden_size].numpy(),
        )


def _runs_compiled(x: Tensor) -> bool:
    plain = x.device.type == "cpu" and x.dtype == torch.float32
    return plain and not torch.is_grad_enabled() and find_spec("numba") is not None
