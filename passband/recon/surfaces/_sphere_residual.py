"""Any network as a surface that starts as a sphere."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr._protocols import Penalized, Staged
from passband.inr.encodings._arguments import check_positive


class SphereResidual(nn.Module):
    """``f = |x| - r + g network(x)_0``, the other outputs as they are; the gain g starts at 0.

    What a signed distance needs of its start, for networks that were not made for it: the first
    surface is the sphere of radius r exactly, and training lets the network in.

    Args:
        network: (n, 3) to (n, outputs).
        radius: r, in scene units.

    Raises:
        InputError: a radius that is not above 0.

    Example:
        >>> surface = SphereResidual(nn.Linear(3, 5), radius=0.5)
        >>> surface(torch.tensor([[0.0, 0.6, 0.8]]))[0, 0].round(decimals=4)
        tensor(0.5000, grad_fn=...)

    Reference: the gain: Bachlechner et al., *ReZero is All You Need*, UAI 2021. Its use for a
    surface is ours.
    """

    def __init__(self, network: nn.Module, *, radius: float = 0.5) -> None:
        super().__init__()
        check_positive("radius", radius)
        self.network = network
        self.radius = radius
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, "n outputs"]:
        """Distance and features of points ``x``."""
        outputs = self.network(x)
        # Not the norm itself, whose derivative is not a number in the centre.
        sphere = (x.square().sum(dim=1, keepdim=True) + 1e-12).sqrt() - self.radius
        return torch.cat((sphere + self.gain * outputs[:, :1], outputs[:, 1:]), dim=1)

    def set_progress(self, done: float) -> None:
        """Pass the progress of a run on to the network."""
        if isinstance(self.network, Staged):
            self.network.set_progress(done)

    def penalty(self) -> Float[Tensor, ""]:
        """What the network asks to add to the loss; 0 where it asks nothing."""
        asked = self.network.penalty() if isinstance(self.network, Penalized) else None
        return self.gain.new_zeros(()) if asked is None else asked
