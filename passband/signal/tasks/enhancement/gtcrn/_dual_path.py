"""Recurrence across bands, then along time."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.signal.tasks.enhancement.gtcrn._blocks import Memory
from passband.signal.tasks.enhancement.gtcrn._recurrence import SmallGRU

_EPS = 1e-8


class GroupedGRU(nn.Module):
    """Two GRUs side by side, each on half of the features.

    Args:
        features: of the input, and of the output.
        bidirectional: both directions, each a quarter of the output.

    Example:
        >>> y, states = GroupedGRU(16, bidirectional=True)(torch.randn(2, 5, 16), None)
        >>> y.shape
        torch.Size([2, 5, 16])

    Reference: Gao et al., Towards grouped recurrent networks, Proc. ACL 2018 (the grouping).
    """

    def __init__(self, features: int, *, bidirectional: bool) -> None:
        super().__init__()
        half = features // 2
        hidden = half // 2 if bidirectional else half
        self.groups = nn.ModuleList(
            SmallGRU(half, hidden, bidirectional=bidirectional) for _ in range(2)
        )

    def forward(
        self, x: Float[Tensor, "sequences steps features"], states: Memory | None
    ) -> tuple[Float[Tensor, "sequences steps features"], Memory]:
        """Output, and both states after the last step; None before the first."""
        first, second = self.groups
        before = (None, None) if states is None else states
        one, other = x.chunk(2, dim=-1)
        y, after = first(one, before[0])
        z, later = second(other, before[1])
        return torch.cat((y, z), dim=-1), (after, later)


class DualPath(nn.Module):
    """``x + norm(W GRU(x) + b)``, first across the bands of a frame, then along time in each band.

    Args:
        channels: features of a band.
        bands: of a frame; both are normalised together.

    Example:
        >>> y, memory = DualPath(16, 33)(torch.randn(1, 16, 5, 33), None)
        >>> y.shape, memory[0].shape
        (torch.Size([1, 16, 5, 33]), torch.Size([1, 33, 8]))

    Reference: Rong et al., GTCRN, ICASSP, 2024 (grouped dual-path RNN).
    """

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.across_bands = GroupedGRU(channels, bidirectional=True)
        self.bands_out = nn.Linear(channels, channels)
        self.bands_norm = nn.LayerNorm((bands, channels), eps=_EPS)
        self.along_time = GroupedGRU(channels, bidirectional=False)
        self.time_out = nn.Linear(channels, channels)
        self.time_norm = nn.LayerNorm((bands, channels), eps=_EPS)

    def forward(
        self, x: Float[Tensor, "batch channels frames bands"], memory: Memory | None
    ) -> tuple[Float[Tensor, "batch channels frames bands"], Memory]:
        """Output, and the states along time after the last frame; None before the first."""
        rows = x.permute(0, 2, 3, 1)
        batch, frames, bands, channels = rows.shape
        sequences = rows.reshape(batch * frames, bands, channels)
        y = self.bands_out(self.across_bands(sequences, None)[0])
        rows = rows + self.bands_norm(y.reshape(rows.shape))
        tracks = rows.transpose(1, 2).reshape(batch * bands, frames, channels)
        z, memory = self.along_time(tracks, memory)
        z = self.time_out(z).reshape(batch, bands, frames, channels).transpose(1, 2)
        return (rows + self.time_norm(z)).permute(0, 3, 1, 2), memory
