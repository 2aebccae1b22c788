"""What the losses share: the checks, the precision and the mean over items."""

from abc import abstractmethod
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._si_sdr import require_same_shape
from passband.frequency._validate import require_choice, require_real
from passband.signal._transform import Transform, full_precision, require_finite

LossReduction = Literal["mean", "none"]


class SignalLoss(Transform):
    """A distance of every predicted signal from its target, and their mean.

    Args:
        reduction: ``mean`` over all items, or ``none`` for one value per item.

    Raises:
        ValueError: for another reduction.
    """

    def __init__(self, reduction: LossReduction = "mean") -> None:
        super().__init__()
        require_choice("reduction", reduction, ("mean", "none"))
        self.reduction = reduction

    @abstractmethod
    def per_item(self, prediction: Tensor, target: Tensor) -> Tensor:
        """One value per item, without checks."""

    @full_precision
    def forward(
        self, prediction: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"]
    ) -> Float[Tensor, "*batch"]:
        """The loss; `ValueError` for shapes that differ, empty signals or a target with NaN.

        NaN in the prediction makes the loss NaN, which a training loop stops at.
        """
        if target.dtype in (torch.float16, torch.bfloat16):
            target = target.to(prediction.dtype)
        require_real("prediction", prediction)
        require_real("target", target)
        require_same_shape(prediction, target)
        if 0 in target.shape:
            raise ValueError(
                f"`target` (shape {tuple(target.shape)}) must hold at least one item. Leave empty "
                "batches out."
            )
        require_finite("target", target)
        losses = self.per_item(prediction, target.to(prediction.dtype))
        return losses.mean() if self.reduction == "mean" else losses
