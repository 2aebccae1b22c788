"""Convolutions over harmonics, then a recurrent layer that all pitches share."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.signal.tasks.transcription._pitch_axis import BINS_PER_SEMITONE
from passband.signal.tasks.transcription._rolls import PITCHES

HEADS = ("onset", "frame", "velocity")
_HARMONICS = (0.5, 1, 2, 3, 4, 5, 6, 7, 8)
_OCTAVE = 12 * BINS_PER_SEMITONE
_BINS = PITCHES * BINS_PER_SEMITONE


class Harmonics(nn.Module):
    """Copies of a log-frequency axis, each moved so that a multiple of a pitch stands at the pitch.

    Channel h at bin j is ``x[j + round(d log2 r_h)]``, d steps an octave; 0 where that is outside.

    Args:
        ratios: r_h, above 0.
        octave: d, steps an octave.
        steps: of the axis that is returned.

    Example:
        >>> Harmonics((1, 2), octave=2, steps=4)(torch.arange(6.0)[None, :, None])[0, :, :, 0]
        tensor([[0., 1., 2., 3.],
                [2., 3., 4., 5.]])

    Reference: Bittner, McFee, Salamon, Li & Bello, Deep salience representations for f0 estimation
    in polyphonic music, ISMIR 2017, section 3.1.
    """

    def __init__(self, ratios: Sequence[float], octave: int, steps: int) -> None:
        super().__init__()
        self.shifts = [round(octave * math.log2(ratio)) for ratio in ratios]
        self.steps = steps

    def forward(
        self, levels: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch ratios {self.steps} frames"]:
        """``levels``, once for each ratio."""
        below = max(0, -min(self.shifts))
        above = max(0, max(self.shifts) + self.steps - levels.shape[-2])
        padded = nn.functional.pad(levels, (0, 0, below, above))
        parts = [padded[:, below + s : below + s + self.steps] for s in self.shifts]
        return torch.stack(parts, dim=1)


class HarmonicCRNN(nn.Module):
    """Onset, frame and velocity logits of 88 pitches from levels on a pitch axis.

    Every layer treats all pitches alike, so that seven pieces teach what would take hundreds: a
    convolution over harmonics, two over neighbours, between them one over octaves, and a
    bidirectional GRU along the frames of each pitch.

    Args:
        channels: of the convolutions.
        hidden: of the GRU, in each direction.

    Example:
        >>> network = HarmonicCRNN(channels=4, hidden=4)
        >>> network(torch.randn(2, 300, 10)).shape
        torch.Size([2, 3, 88, 10])

    Reference: Hawthorne et al., Onsets and frames: dual-objective piano transcription, ISMIR 2018
    (onset and frame heads over convolutions and a recurrent layer); Wei et al., HPPNet, ISMIR 2022
    (dilated convolutions and a recurrent layer that pitches share). The sizes are ours.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int = 24, hidden: int = 32) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))
        self.harmonics = Harmonics(_HARMONICS, _OCTAVE, _BINS)
        self.first = _convolution(
            len(_HARMONICS), channels, (BINS_PER_SEMITONE + 2, 3), stride=BINS_PER_SEMITONE
        )
        self.second = _convolution(channels, channels, (3, 3))
        self.octaves = _convolution(channels, channels, (5, 1), dilation=12)
        self.third = _convolution(channels, channels, (3, 3))
        self.recurrent = nn.GRU(channels, hidden, bidirectional=True)
        self.heads = nn.Linear(2 * hidden, len(HEADS))

    def measure(self, levels: Sequence[Tensor]) -> None:
        """Take mean and deviation of ``levels`` for those that inputs are made to have."""
        values = torch.cat([part.flatten() for part in levels]).double()
        self.mean.copy_(values.mean())
        self.scale.copy_(values.std().clamp_min(1e-3))

    def forward(
        self, levels: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch 3 88 frames"]:
        """Logits in the order of `HEADS`."""
        x = self.first(self.harmonics((levels - self.mean) / self.scale))
        x = self.third(self.octaves(self.second(x)))
        batch, channels, pitches, frames = x.shape
        sequences = x.permute(3, 0, 2, 1).reshape(frames, batch * pitches, channels)
        logits: Tensor = self.heads(self.recurrent(sequences)[0])
        return logits.reshape(frames, batch, pitches, len(HEADS)).permute(1, 3, 2, 0)


def _convolution(
    inner: int, outer: int, kernel: tuple[int, int], *, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """A convolution over pitch and frames whose output p is centred on the steps of pitch p."""
    padding = ((kernel[0] - stride) // 2 * dilation, kernel[1] // 2)
    return nn.Sequential(
        nn.Conv2d(inner, outer, kernel, (stride, 1), padding, dilation=(dilation, 1), bias=False),
        nn.BatchNorm2d(outer),
        nn.ReLU(),
    )
