"""Mel features turned back towards a spectrum before the network sees them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

_FLOOR = 1e-5


class PseudoInverseMel(nn.Module):
    """Log spectrum ``ln max(|H^+ exp(features)|, 1e-5)``, ``H^+`` the mel filters' pseudo-inverse.

    The network then starts from a spectrum of the right shape and need not learn the filters.

    Args:
        filters: ``H``, ``(bins, bands)``, such as `passband.frequency.melscale_fbanks` gives.

    Attributes:
        channels: of what comes out, the bins.

    Example:
        >>> from passband.frequency import melscale_fbanks
        >>> before = PseudoInverseMel(melscale_fbanks(513, 0, 12000, 100, 24000))
        >>> before(torch.zeros(2, 100, 7)).shape
        torch.Size([2, 513, 7])

    Reference: Lv, Li, Yan, Liu, Xie & Wang, FreeV: free lunch for vocoders through pseudo inversed
    mel filter, Interspeech, 2024, section 3.1.
    """

    inverse: Tensor

    def __init__(self, filters: Float[Tensor, "bins bands"]) -> None:
        super().__init__()
        self.channels, self.bands = filters.shape
        inverse = torch.linalg.pinv(filters.to(torch.float64)).mT
        self.register_buffer("inverse", inverse.float().contiguous(), persistent=False)

    def forward(
        self, features: Float[Tensor, "*batch {self.bands} frames"]
    ) -> Float[Tensor, "*batch {self.channels} frames"]:
        """Log spectrum out of natural logarithms of mel magnitudes."""
        spectrum = self.inverse.to(features.dtype) @ features.exp()
        return spectrum.abs().clamp(min=_FLOOR).log()
