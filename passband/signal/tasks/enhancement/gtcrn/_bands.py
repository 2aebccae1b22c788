"""Fewer bands to work on: low bins as they are, the others merged as the ear merges them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.frequency import erb_to_hz, hz_to_erb


class ErbBands(nn.Module):
    """Triangles between centres that are even on the scale of auditory filters, above a bin.

    With ``c_0 < ... < c_{n-1}`` the bins nearest to centres evenly spaced in ERB from bin ``kept``
    to half the sampling rate, band j has the weight of linear interpolation: 1 at ``c_j``, 0 from
    its neighbours on. The weights of a bin sum to 1.

    Args:
        kept: bins from 0 Hz on that stay bands of their own.
        merged: n, bands that all the others become, at least 2.
        n_fft: length of the transform, in samples.
        sample_rate: in Hz.

    Example:
        >>> bands = ErbBands(65, 64, 512, 16000)
        >>> levels = bands.merge(torch.ones(257))
        >>> levels.shape, bands.spread(levels).shape
        (torch.Size([129]), torch.Size([257]))

    Agrees with the table in the published weights of GTCRN to 1e-7.
    Reference: Rong et al., GTCRN: a speech enhancement model requiring ultralow computational
    resources, ICASSP, 2024.
    """

    weights: Tensor

    def __init__(self, kept: int, merged: int, n_fft: int, sample_rate: int) -> None:
        super().__init__()
        self.kept = kept
        lowest, highest = hz_to_erb(kept * sample_rate / n_fft), hz_to_erb(sample_rate / 2)
        scale = torch.linspace(lowest, highest, merged, dtype=torch.float64)
        centres = (erb_to_hz(scale) * n_fft / sample_rate).round()
        bins = torch.arange(kept, n_fft // 2 + 1, dtype=torch.float64)
        self.register_buffer("weights", _triangles(centres, bins).float(), persistent=False)

    def merge(self, x: Float[Tensor, "*batch freq"]) -> Float[Tensor, "*batch bands"]:
        """Bands of bins: weighted sums."""
        low, high = x[..., : self.kept], x[..., self.kept :]
        return torch.cat((low, high @ self.weights.mT), dim=-1)

    def spread(self, x: Float[Tensor, "*batch bands"]) -> Float[Tensor, "*batch freq"]:
        """Bins of bands: between two centres interpolated."""
        low, high = x[..., : self.kept], x[..., self.kept :]
        return torch.cat((low, high @ self.weights), dim=-1)


def _triangles(centres: Tensor, bins: Tensor) -> Tensor:
    """Weights ``(centres, bins)`` of linear interpolation between rising ``centres``."""
    upper = torch.searchsorted(centres, bins, right=True).clamp(1, len(centres) - 1)
    below, above = centres[upper - 1], centres[upper]
    part = (bins - below) / (above - below)
    weights = bins.new_zeros(len(centres), len(bins))
    column = torch.arange(len(bins))
    weights[upper - 1, column], weights[upper, column] = 1 - part, part
    return weights
