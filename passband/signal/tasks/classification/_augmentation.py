"""Batches to learn from: windows of clips, varied by chance."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from passband.signal import SpecAugment
from passband.signal.tasks.classification._recipe import AugmentationSettings


class Batches:
    """A window of each of some clips, turned in time and at another level; a draw of chance.

    Frames that a shift moves over the end come in at the beginning.

    Args:
        features: of each clip, ``(windows, bins, frames)``.
        settings: how far.
        levels: whether the features are levels in decibels, which a gain adds to.

    Example:
        >>> batches = Batches([torch.randn(2, 8, 20)] * 3, AugmentationSettings(), levels=True)
        >>> batches(torch.tensor([0, 2])).shape
        torch.Size([2, 8, 20])
    """

    def __init__(
        self,
        features: Sequence[Float[Tensor, "_ bins frames"]],
        settings: AugmentationSettings,
        *,
        levels: bool,
    ) -> None:
        self.features, self.shift = features, settings.shift
        self.gain_db = settings.gain_db if levels else 0.0

    def __call__(self, indices: Int[Tensor, " batch"]) -> Float[Tensor, "batch bins frames"]:
        """Draws of torch's own generator, which the caller seeds."""
        which, turn, level = torch.rand(3, len(indices)).unbind()
        windows = []
        for item, index in enumerate(indices.tolist()):
            clip = self.features[index]
            window = clip[int(which[item] * len(clip))]
            frames = window.shape[-1]
            far = round(float(turn[item] - 0.5) * self.shift * frames)
            windows.append(window.roll(far, -1))
        gains: Tensor = (2 * level - 1) * self.gain_db
        return torch.stack(windows) + gains[:, None, None]


def mix_up(
    x: Float[Tensor, "batch bins frames"], targets: Float[Tensor, "batch classes"], alpha: float
) -> tuple[Float[Tensor, "batch bins frames"], Float[Tensor, "batch classes"]]:
    """``l x + (1 - l) x'`` and the same of the targets, ``l ~ Beta(alpha, alpha)`` for each item.

    Args:
        x: features.
        targets: part of each class.
        alpha: above 0; the partners x' are the batch in another order.

    Example:
        >>> x, t = mix_up(torch.randn(4, 8, 20), torch.eye(4), 0.2)
        >>> torch.allclose(t.sum(dim=1), torch.ones(4))
        True

    Reference: Zhang, Cisse, Dauphin, Lopez-Paz, mixup: beyond empirical risk minimization, ICLR,
    2018, eq. 2 (of spectrograms here; a share for each item is ours).
    """
    # Of the same kind as x, so that a resumed run on any device draws the same.
    share = torch.distributions.Beta(torch.tensor(alpha), torch.tensor(alpha)).sample((len(x),))
    share = share.to(x)
    partner = torch.randperm(len(x)).to(x.device)
    own = share[:, None, None]
    mixed = own * x + (1 - own) * x[partner]
    return mixed, share[:, None] * targets + (1 - share[:, None]) * targets[partner]


def masks(settings: AugmentationSettings, bins: int, frames: int) -> nn.Module:
    """SpecAugment with masks up to the parts of ``settings``; standardised features get 0 there.

    Example:
        >>> masks(AugmentationSettings(), 64, 200)(torch.ones(2, 64, 200)).shape
        torch.Size([2, 64, 200])
    """
    return SpecAugment(
        settings.time_masks,
        round(settings.time_part * frames),
        settings.frequency_masks,
        round(settings.frequency_part * bins),
        zero_masking=True,
    )
