"""Layers with complex weights on feature maps whose real parts stand before the imaginary ones."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad

from passband.signal.tasks.enhancement.frcrn._past import Past

_FRAMES = 2  # the kernels' length in time


def stacked(x: Complex[Tensor, "batch channels freq time"]) -> Float[Tensor, "batch c2 freq time"]:
    """Real parts as the first half of the channels, imaginary parts as the second.

    Example:
        >>> stacked(torch.tensor([[[[1 + 2j]]]])).flatten()
        tensor([1., 2.])
    """
    return torch.cat((x.real, x.imag), dim=1)


def unstacked(x: Float[Tensor, "batch c2 freq time"]) -> Complex[Tensor, "batch c freq time"]:
    """The inverse of `stacked`.

    Example:
        >>> unstacked(torch.tensor([1.0, 2.0])[None, :, None, None]).flatten()
        tensor([1.+2.j])
    """
    return torch.complex(*x.chunk(2, dim=1))


class ComplexConv2d(nn.Module):
    """``(A + iB) * (x + iy)``: every second place in frequency, this frame and the one before.

    Args:
        inputs: complex channels in.
        outputs: complex channels out.
        kernel: taps along frequency, with no padding.

    Example:
        >>> layer = ComplexConv2d(3, 4, 5)
        >>> layer(torch.randn(2, 6, 33, 7), Past()).shape
        torch.Size([2, 8, 15, 7])

    Agrees with ``torch.nn.functional.conv2d`` of complex tensors to 1e-12 in float64.
    Reference: Zhao et al., FRCRN: boosting feature representation using frequency recurrence for
    monaural speech enhancement, ICASSP, 2022, section 2.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.real, self.imag = (_weight(outputs, inputs, kernel, fan=inputs) for _ in range(2))
        self.bias = nn.Parameter(torch.zeros(2 * outputs))

    def forward(
        self, x: Float[Tensor, "batch c_in freq time"], past: Past
    ) -> Float[Tensor, "batch c_out less time"]:
        """As many frames as ``x`` has."""
        # One real convolution of twice the channels instead of four.
        weight = torch.cat(
            (
                torch.cat((self.real, -self.imag), dim=1),
                torch.cat((self.imag, self.real), dim=1),
            )
        )
        return conv2d(past.extend(self, x, _FRAMES - 1), weight, self.bias, stride=(2, 1))


class ComplexConvTranspose2d(nn.Module):
    """The mirror of `ComplexConv2d`: twice as many places in frequency.

    Args:
        inputs: complex channels in.
        outputs: complex channels out.
        kernel: taps along frequency.
        ahead: 0 to look at this frame and the one before, 1 at the one to come and this one, which
            is what the published padding amounts to.

    Example:
        >>> layer = ComplexConvTranspose2d(3, 4, 5)
        >>> layer(torch.randn(2, 6, 15, 7), Past()).shape
        torch.Size([2, 8, 33, 7])

    Agrees with ``torch.nn.functional.conv_transpose2d`` of complex tensors to 1e-12 in float64.
    Reference: Zhao et al., FRCRN: boosting feature representation using frequency recurrence for
    monaural speech enhancement, ICASSP, 2022, section 2.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, ahead: int = 0) -> None:
        super().__init__()
        # With a stride of 2 every place is made of half the taps.
        self.real, self.imag = (_weight(inputs, outputs, kernel, fan=inputs / 2) for _ in range(2))
        self.bias = nn.Parameter(torch.zeros(2 * outputs))
        self.ahead = ahead

    def forward(
        self, x: Float[Tensor, "batch c_in freq time"], past: Past
    ) -> Float[Tensor, "batch c_out more time"]:
        """As many frames as ``x`` has."""
        weight = torch.cat(
            (
                torch.cat((self.real, self.imag), dim=1),
                torch.cat((-self.imag, self.real), dim=1),
            )
        )
        x = pad(x, (0, 1)) if self.ahead else past.extend(self, x, _FRAMES - 1)
        # Padding of 1 drops the first and the last frame, to which a neighbour is missing.
        return conv_transpose2d(x, weight, self.bias, stride=(2, 1), padding=(0, 1))


def _weight(first: int, second: int, kernel: int, *, fan: float) -> nn.Parameter:
    """Normal weights that keep the variance, half of it from each part."""
    scale = 1 / math.sqrt(2 * fan * kernel * _FRAMES)
    return nn.Parameter(scale * torch.randn(first, second, kernel, _FRAMES))
