"""Waveforms folded at several periods."""

from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

from passband.vocoder.discriminators._ensemble import Ensemble
from passband.vocoder.discriminators._score import SLOPE, Score, Verdict, convolution


class PeriodDiscriminator(nn.Module):
    """Convolutions along the columns of the waveform written in rows of ``period`` samples.

    Kernel 5 and stride 3 in all layers but the last, which has stride 1. A waveform that does not
    fill its last row is reflected at its end.

    Args:
        period: samples to a row.
        channels: of the layers, in turn.
        conditions: number of conditions told apart; 0 for none.

    Example:
        >>> import torch
        >>> verdict = PeriodDiscriminator(3, channels=(4, 8, 8))(torch.zeros(2, 100))
        >>> verdict.logits.shape, [tuple(x.shape) for x in verdict.features]
        (torch.Size([2, 12]), [(2, 8, 4, 3), (2, 8, 4, 3), (2, 1, 4, 3)])

    Reference: Kong, Kim & Bae, HiFi-GAN: generative adversarial networks for efficient and high
    fidelity speech synthesis, NeurIPS, 2020, section 2.3.
    """

    def __init__(
        self,
        period: int,
        channels: Sequence[int] = (32, 128, 512, 1024, 1024),
        *,
        conditions: int = 0,
    ) -> None:
        super().__init__()
        self.period = period
        last = len(channels) - 1
        self.layers = nn.ModuleList(
            convolution(before, after, (5, 1), stride=(1 if index == last else 3, 1))
            for index, (before, after) in enumerate(zip((1, *channels), channels, strict=False))
        )
        self.score = Score(channels[-1], (3, 1), conditions)

    def forward(
        self, audio: Float[Tensor, "batch time"], condition: Int[Tensor, " batch"] | None = None
    ) -> Verdict:
        """Scores ``(batch, rows left x period)``; the first layer is no feature."""
        missing = -audio.shape[-1] % self.period
        x = pad(audio[:, None], (0, missing), mode="reflect") if missing else audio[:, None]
        x = x.unflatten(-1, (-1, self.period))
        features = []
        for layer in self.layers:
            x = leaky_relu(layer(x), SLOPE)
            features.append(x)
        logits, places = self.score(x, condition)
        return Verdict(logits, (*features[1:], places))


class MultiPeriodDiscriminator(Ensemble):
    """One `PeriodDiscriminator` per period; primes see different samples together.

    Args:
        periods: in samples.
        channels: of the layers, in turn.
        conditions: number of conditions told apart; 0 for none.

    Example:
        >>> import torch
        >>> len(MultiPeriodDiscriminator((2, 3), channels=(4, 4))(torch.zeros(1, 60)))
        2

    Reference: Kong, Kim & Bae 2020, as for `PeriodDiscriminator`; Siuzdak, Vocos, ICLR, 2024,
    section 3.3.
    """

    def __init__(
        self,
        periods: Sequence[int] = (2, 3, 5, 7, 11),
        channels: Sequence[int] = (32, 128, 512, 1024, 1024),
        *,
        conditions: int = 0,
    ) -> None:
        super().__init__(
            PeriodDiscriminator(period, channels, conditions=conditions) for period in periods
        )
