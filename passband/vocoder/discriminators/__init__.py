"""Judges of sound: each looks at a waveform in its own way and says where it seems real.

Every one takes audio ``(batch, time)`` and gives one `Verdict` per sub-discriminator.
"""

from passband.vocoder.discriminators._ensemble import Ensemble as Ensemble
from passband.vocoder.discriminators._multi_period import (
    MultiPeriodDiscriminator as MultiPeriodDiscriminator,
)
from passband.vocoder.discriminators._multi_period import PeriodDiscriminator as PeriodDiscriminator
from passband.vocoder.discriminators._multi_resolution import (
    MultiResolutionDiscriminator as MultiResolutionDiscriminator,
)
from passband.vocoder.discriminators._multi_resolution import (
    ResolutionDiscriminator as ResolutionDiscriminator,
)
from passband.vocoder.discriminators._multi_scale_cqt import CQTDiscriminator as CQTDiscriminator
from passband.vocoder.discriminators._multi_scale_cqt import (
    MultiScaleCQTDiscriminator as MultiScaleCQTDiscriminator,
)
from passband.vocoder.discriminators._score import Verdict as Verdict

__all__ = [
    "CQTDiscriminator",
    "Ensemble",
    "MultiPeriodDiscriminator",
    "MultiResolutionDiscriminator",
    "MultiScaleCQTDiscriminator",
    "PeriodDiscriminator",
    "ResolutionDiscriminator",
    "Verdict",
]
