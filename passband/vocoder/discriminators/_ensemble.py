"""Several discriminators of one kind, asked one after the other."""

from collections.abc import Iterable

from jaxtyping import Float, Int
from torch import Tensor, nn

from passband.vocoder.discriminators._score import Verdict


class Ensemble(nn.Module):
    """Discriminators of one kind; their losses are averaged over them.

    Args:
        members: modules that take audio ``(batch, time)`` and a condition and give a `Verdict`.

    Example:
        >>> import torch
        >>> from passband.vocoder.discriminators import PeriodDiscriminator
        >>> pair = Ensemble([PeriodDiscriminator(2, (4,)), PeriodDiscriminator(3, (4,))])
        >>> [verdict.logits.shape for verdict in pair(torch.zeros(1, 60))]
        [torch.Size([1, 60]), torch.Size([1, 60])]
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(
        self, audio: Float[Tensor, "batch time"], condition: Int[Tensor, " batch"] | None = None
    ) -> list[Verdict]:
        """One verdict per member."""
        return [member(audio, condition) for member in self.members]
