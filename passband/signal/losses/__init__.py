"""Losses between a predicted and a true signal, item by item: no item's loss depends on the others.

Every loss takes ``(prediction, target)`` of one shape, ``(*batch, time)`` unless it says otherwise,
and gives the mean of its items' losses, or with ``reduction="none"`` one value per item, that is
per signal of ``time`` samples. Its gradient is finite at silence and at equality.
"""

from passband.signal.losses._adaptive_dct import AdaptiveDCTLoss as AdaptiveDCTLoss
from passband.signal.losses._anti_wrapping_phase import (
    AntiWrappingPhaseLoss as AntiWrappingPhaseLoss,
)
from passband.signal.losses._complex_stft import ComplexSTFTLoss as ComplexSTFTLoss
from passband.signal.losses._mel import LogMelLoss as LogMelLoss
from passband.signal.losses._mel import MultiScaleMelLoss as MultiScaleMelLoss
from passband.signal.losses._multi_resolution_stft import (
    MultiResolutionSTFTLoss as MultiResolutionSTFTLoss,
)
from passband.signal.losses._si_sdr import SISDRLoss as SISDRLoss
from passband.signal.losses._signal_loss import SignalLoss as SignalLoss

__all__ = [
    "AdaptiveDCTLoss",
    "AntiWrappingPhaseLoss",
    "ComplexSTFTLoss",
    "LogMelLoss",
    "MultiResolutionSTFTLoss",
    "MultiScaleMelLoss",
    "SISDRLoss",
    "SignalLoss",
]
