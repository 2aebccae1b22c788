"""The U-Net of an FRCRN: from a complex spectrum to the logits of a complex mask."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.signal.tasks.enhancement.frcrn._complex import (
    ComplexConv2d,
    ComplexConvTranspose2d,
)
from passband.signal.tasks.enhancement.frcrn._gates import ClipGate, FrameGate
from passband.signal.tasks.enhancement.frcrn._memory import ComplexFSMN
from passband.signal.tasks.enhancement.frcrn._past import Past
from passband.signal.tasks.enhancement.frcrn._settings import FRCRNSettings


class ComplexUNet(nn.Module):
    """Encoders, memories along time, and decoders that see the encoders' outputs through gates.

    Every convolution but the last is followed by batch normalisation of real and imaginary parts
    apart and a leaky ReLU of them. The last gives the one channel of the mask as it is; the
    published 1x1 convolution after it would be a factor more.

    Args:
        settings: sizes.

    Example:
        >>> small = FRCRNSettings(channels=(2,) * 7, recurrences=(2,), memory=4)
        >>> ComplexUNet(small)(torch.randn(2, 2, 321, 5), Past()).shape
        torch.Size([2, 2, 321, 5])

    Reference: Zhao et al., FRCRN: boosting feature representation using frequency recurrence for
    monaural speech enhancement, ICASSP, 2022, fig. 1.
    """

    def __init__(self, settings: FRCRNSettings) -> None:
        super().__init__()
        widths = settings.channels
        depth = len(widths)
        self.encoders = nn.ModuleList(
            _Encoder(settings, level, 1 if level == 0 else widths[level - 1])
            for level in range(depth)
        )
        self.bottleneck = nn.ModuleList(
            ComplexFSMN(widths[-1], settings.memory, "time") for _ in range(settings.bottleneck)
        )
        self.skips = nn.ModuleList(_gate(settings, width) for width in widths)
        self.decoders = nn.ModuleList(
            _Decoder(settings, level, 1 if level == 0 else widths[level - 1])
            for level in reversed(range(depth))
        )

    def forward(
        self, x: Float[Tensor, "batch 2 freq time"], past: Past
    ) -> Float[Tensor, "batch 2 freq time"]:
        """Logits of the mask, real parts before imaginary ones."""
        outputs = []
        for encoder in self.encoders:
            x = encoder(x, past)
            outputs.append(x)
        for memory in self.bottleneck:
            x = memory(x, past)
        for decoder, gate, output in zip(
            self.decoders, reversed(self.skips), reversed(outputs), strict=True
        ):
            x = decoder(x, gate(output), past)
        return x


class _Encoder(nn.Module):
    """From the level above to ``level``, after a memory along frequency where there is one."""

    def __init__(self, settings: FRCRNSettings, level: int, inputs: int) -> None:
        super().__init__()
        self.memory = _memory(settings, level - 1, inputs)
        self.conv = ComplexConv2d(inputs, settings.channels[level], settings.kernels[level])
        self.norm = _norm(settings.channels[level])

    def forward(self, x: Tensor, past: Past) -> Tensor:
        if self.memory is not None:
            x = self.memory(x, past)
        out: Tensor = self.norm(self.conv(x, past))
        return out


class _Decoder(nn.Module):
    """From ``level`` to the one above it, which has ``outputs`` channels."""

    def __init__(self, settings: FRCRNSettings, level: int, outputs: int) -> None:
        super().__init__()
        sizes, width = settings.sizes, settings.channels[level]
        kernel = sizes[level] - 2 * (sizes[level + 1] - 1)
        ahead = 0 if settings.causal else 1
        self.conv = ComplexConvTranspose2d(2 * width, outputs, kernel, ahead=ahead)
        self.norm = _norm(outputs) if level > 0 else nn.Identity()
        self.memory = _memory(settings, level - 1, outputs)
        # The two last decoders are published without.
        self.gate = _gate(settings, outputs) if level > 1 else nn.Identity()

    def forward(self, x: Tensor, skip: Tensor, past: Past) -> Tensor:
        (x_re, x_im), (skip_re, skip_im) = x.chunk(2, dim=1), skip.chunk(2, dim=1)
        x = self.norm(self.conv(torch.cat((x_re, skip_re, x_im, skip_im), dim=1), past))
        if self.memory is not None:
            x = self.memory(x, past)
        gated: Tensor = self.gate(x)
        return gated


def _norm(width: int) -> nn.Module:
    return nn.Sequential(nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.01))


def _memory(settings: FRCRNSettings, level: int, width: int) -> ComplexFSMN | None:
    if level not in settings.recurrences:
        return None
    return ComplexFSMN(width, settings.memory, "freq")


def _gate(settings: FRCRNSettings, width: int) -> nn.Module:
    if settings.reduction is None:
        return nn.Identity()
    return (FrameGate if settings.causal else ClipGate)(width, settings.reduction)
