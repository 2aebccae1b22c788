"""Cosine spectra of images or sounds, with the weight where the error is."""

import torch
from torch import Tensor

from passband.frequency._adaptive_dct import adaptive_dct_distance
from passband.frequency._validate import require_between, require_positive
from passband.signal.losses._signal_loss import LossReduction, SignalLoss


class AdaptiveDCTLoss(SignalLoss):
    """Mean ``w |E|`` over the DCT E of the error, ``w = (|E| / max |E|) ** alpha`` held fixed.

    An item is one image ``(H, W)``, each channel by itself, or with ``n_dims=1`` one sound.

    Args:
        n_dims: axes to transform, from the last: 2 for images, 1 for sounds, 3 for volumes.
        alpha: how much weights differ, at least 0: 0 weights every frequency alike.
        reduction: ``mean`` over all items, or ``none``.

    Raises:
        ValueError: for ``n_dims`` below 1 or a negative ``alpha``.

    Example:
        >>> loss = AdaptiveDCTLoss(reduction="none")
        >>> loss(torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)).shape
        torch.Size([2, 3])

    Agrees with ``scipy.fft.dctn(norm="ortho")`` put into the formula to 1e-12 in float64.
    Reference: Wei et al., FreqINR: frequency consistency for implicit neural representation with
    adaptive DCT frequency loss, arXiv 2408.13716, 2024.
    """

    def __init__(
        self, n_dims: int = 2, alpha: float = 1.0, *, reduction: LossReduction = "mean"
    ) -> None:
        super().__init__(reduction)
        require_positive("n_dims", n_dims, "Pass 1 for sounds, 2 for images.")
        require_between("alpha", alpha, 0, torch.inf, "Pass 1.")
        self.n_dims, self.alpha = n_dims, alpha

    def per_item(self, prediction: Tensor, target: Tensor) -> Tensor:
        """One value per image or sound."""
        return adaptive_dct_distance(prediction, target, n_dims=self.n_dims, alpha=self.alpha)
