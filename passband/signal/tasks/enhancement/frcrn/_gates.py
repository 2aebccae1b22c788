"""Squeeze and excitation with complex weights: which channels matter."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FrameGate(nn.Module):
    """Real and imaginary parts of every channel times gates drawn from means over frequency.

    ``(G_A + i G_B)(u + i v)`` of the means u and v of the two parts, G a hidden layer and a
    sigmoid; its real part scales the real parts, its imaginary part the imaginary ones. Each frame
    has gates of its own, so that no frame waits for another.

    Args:
        channels: complex channels.
        reduction: channels for each unit of the hidden layer, at least 1.

    Example:
        >>> FrameGate(8, 4)(torch.randn(2, 16, 5, 7)).shape
        torch.Size([2, 16, 5, 7])

    Reference: Hu et al., Squeeze-and-excitation networks, CVPR, 2018, eq. 2-4; complex, and gates
    for each frame, is ours.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = nn.Conv2d(channels, 2 * hidden, 1)
        self.excite = nn.Conv2d(2 * hidden, 2 * channels, 1, groups=2)

    def forward(
        self, x: Float[Tensor, "batch c2 freq time"]
    ) -> Float[Tensor, "batch c2 freq time"]:
        """``x`` under its gates."""
        means = self.means(x)
        batch, double, _, time = means.shape
        parts = means.reshape(2 * batch, double // 2, 1, time)
        gates = self.excite(self.squeeze(parts).relu()).sigmoid()
        gates = gates.reshape(batch, 2, 2, double // 2, 1, time)
        (a_u, b_u), (a_v, b_v) = (gates[:, part].unbind(1) for part in (0, 1))
        return x * torch.cat((a_u - b_v, a_v + b_u), dim=1)

    def means(self, x: Tensor) -> Tensor:
        """What the gates are drawn from, ``(batch, c2, 1, time)``."""
        return x.mean(dim=2, keepdim=True)


class ClipGate(FrameGate):
    """`FrameGate` with one gate for all frames, of the means over frequency and the whole clip.

    Args:
        channels: complex channels.
        reduction: channels for each unit of the hidden layer, at least 1.

    Example:
        >>> ClipGate(8, 4)(torch.randn(2, 16, 5, 7)).shape
        torch.Size([2, 16, 5, 7])

    Reference: Hu et al., Squeeze-and-excitation networks, CVPR, 2018, eq. 2-4; complex weights as
    in Zhao et al., FRCRN, ICASSP, 2022.
    """

    def means(self, x: Tensor) -> Tensor:
        """What the gates are drawn from, ``(batch, c2, 1, 1)``."""
        return x.mean(dim=(2, 3), keepdim=True)
