"""What an enhancer minimises in a step."""

from collections.abc import Callable

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency import si_sdr
from passband.signal.tasks.enhancement.frcrn import FRCRN
from passband.signal.tasks.enhancement.learning._mixing import Pair
from passband.training import StepOutput

_EPS = 1e-8


def ratio_mask(
    clean: Complex[Tensor, "*batch freq frames"],
    noisy: Complex[Tensor, "*batch freq frames"],
    reach: float,
) -> Complex[Tensor, "*batch freq frames"]:
    """The complex mask ``S conj(Y) / (|Y|^2 + 1e-8)``, both parts cut to ``[-reach, reach]``.

    The authors' release sets parts above 2 to 1 and those below -2 to -1, where the mask itself
    reaches 2; the cut here is at what the mask can reach, and has no jump.

    Args:
        clean: spectrum S of the speech.
        noisy: spectrum Y of the mixture.
        reach: largest part that the mask has.

    Example:
        >>> complex(ratio_mask(torch.tensor([[6 + 1j]]), torch.tensor([[2 + 0j]]), 2.0))
        (2+0.5j)

    Reference: Williamson, Wang & Wang, Complex ratio masking for monaural speech separation,
    IEEE/ACM Trans. ASLP 24(3), 2016, eq. 9.
    """
    quotient = clean * noisy.conj() / (noisy.real.square() + noisy.imag.square() + _EPS)
    return torch.complex(quotient.real.clamp(-reach, reach), quotient.imag.clamp(-reach, reach))


class EnhancementLoss:
    """``-SI-SNR + weight E(|M - M*|^2)`` of the enhanced audio and its mask M, of a batch a step.

    Args:
        model: what learns, on its device.
        batches: noisy and clean sounds ``(batch, time)`` of a step.
        mask_weight: of the mask's error.

    Reference: Zhao et al., FRCRN: boosting feature representation using frequency recurrence for
    monaural speech enhancement, ICASSP, 2022, section 2.4.
    """

    def __init__(self, model: FRCRN, batches: Callable[[int], Pair], mask_weight: float) -> None:
        self.model, self.batches, self.mask_weight = model, batches, mask_weight
        self.device = next(model.parameters()).device

    def __call__(self, step: int) -> StepOutput:
        """The loss of step ``step``."""
        pair = self.batches(step)
        noisy, clean = pair.noisy.to(self.device), pair.clean.to(self.device)
        made = self.model.masked(noisy)
        ratio = si_sdr(made.audio.float(), clean).mean()
        wanted = ratio_mask(self.model.spectrum(clean), made.spectrum, self.model.reach)
        error = _mean_square(made.mask - wanted)
        measures = {"si_snr": ratio.detach(), "mask_error": error.detach()}
        return StepOutput(self.mask_weight * error - ratio, measures)


def _mean_square(
    x: Complex[Tensor, "*batch freq frames"],
) -> Float[Tensor, ""]:
    return (x.real.square() + x.imag.square()).mean()
