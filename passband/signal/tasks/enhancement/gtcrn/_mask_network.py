"""A complex mask for every bin, of the frames so far."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Complex
from torch import Tensor, nn

from passband.signal.tasks.enhancement.gtcrn._bands import ErbBands
from passband.signal.tasks.enhancement.gtcrn._blocks import (
    Memory,
    TemporalBlock,
    doubling,
    halving,
    with_neighbours,
)
from passband.signal.tasks.enhancement.gtcrn._dual_path import DualPath

N_FFT, SAMPLE_RATE = 512, 16000
_KEPT, _MERGED = 65, 64  # bins that stay bands, and bands for those above 2 kHz
_CHANNELS, _DILATIONS = 16, (1, 2, 5)
_LEAST_POWER = 1e-12  # under the root, where its gradient would be infinite


class MaskNetwork(nn.Module):
    """Mask of a spectrum, from its magnitude, real and imaginary part in 129 bands.

    Bands are quartered by strided convolutions, 33 of them pass three blocks that look back in
    time, two recurrences and the blocks in the reverse order, to which the encoder's outputs are
    added; 48 thousand parameters with the bands, 23.7 thousand that learn.

    Example:
        >>> network = MaskNetwork().eval()
        >>> spectrum = torch.randn(1, 257, 10, dtype=torch.complex64)
        >>> mask, memory = network(spectrum)
        >>> first, between = network(spectrum[..., :4])
        >>> second, _ = network(spectrum[..., 4:], between)
        >>> torch.allclose(torch.cat((first, second), dim=-1), mask, atol=1e-5)
        True

    Reference: Rong et al., GTCRN: a speech enhancement model requiring ultralow computational
    resources, ICASSP, 2024.
    """

    def __init__(self) -> None:
        super().__init__()
        wide = (_KEPT + _MERGED + 1) // 2
        self.bands = ErbBands(_KEPT, _MERGED, N_FFT, SAMPLE_RATE)
        self.narrowing = nn.ModuleList(
            [halving(9, _CHANNELS), halving(_CHANNELS, _CHANNELS, groups=2)]
        )
        self.encoder = nn.ModuleList(TemporalBlock(_CHANNELS, d) for d in _DILATIONS)
        self.recurrences = nn.ModuleList(DualPath(_CHANNELS, (wide + 1) // 2) for _ in range(2))
        self.decoder = nn.ModuleList(TemporalBlock(_CHANNELS, d) for d in reversed(_DILATIONS))
        self.widening = nn.ModuleList(
            [
                doubling(_CHANNELS, _CHANNELS, nn.PReLU(), groups=2),
                doubling(_CHANNELS, 2, nn.Tanh()),
            ]
        )

    def forward(
        self, spectrum: Complex[Tensor, "batch 257 frames"], memory: Sequence[Memory] | None = None
    ) -> tuple[Complex[Tensor, "batch 257 frames"], list[Memory]]:
        """Mask, and what the frames after these need; ``memory`` is that of the frames before."""
        before: Iterator[Memory | None] = iter([None] * 8 if memory is None else memory)
        after: list[Memory] = []

        def remembering(block: nn.Module, x: Tensor) -> Tensor:
            y, kept = block(x, next(before))
            after.append(kept)
            return y  # type: ignore[no-any-return]

        x = with_neighbours(self.bands.merge(_features(spectrum)))
        skips = []
        for layer in self.narrowing:
            x = layer(x)
            skips.append(x)
        for block in self.encoder:
            x = remembering(block, x)
            skips.append(x)
        for recurrence in self.recurrences:
            x = remembering(recurrence, x)
        for block in self.decoder:
            x = remembering(block, x + skips.pop())
        for layer in self.widening:
            x = layer(x + skips.pop())
        real, imaginary = self.bands.spread(x).mT.unbind(1)
        return torch.complex(real.contiguous(), imaginary.contiguous()), after


def _features(spectrum: Tensor) -> Tensor:
    """Magnitude, real and imaginary part: ``(batch, 3, frames, freq)``."""
    real, imaginary = spectrum.real.mT, spectrum.imag.mT
    magnitude = (real.square() + imaginary.square() + _LEAST_POWER).sqrt()
    return torch.stack((magnitude, real, imaginary), dim=1)
