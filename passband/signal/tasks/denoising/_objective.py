"""What a denoiser minimises."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from passband.signal.tasks.denoising._mixing import Mixture
from passband.signal.tasks.denoising._recipe import LossSettings
from passband.signal.tasks.denoising._splitter import Splitter
from passband.training import StepOutput

_TINY = 1e-4  # beside magnitudes, as published
_FLOOR = 1e-3  # of the input's power, 30 dB below it: nearer than that nothing is gained


def mask_loss(
    logits: Float[Tensor, "*batch 2 freq frames"],
    signal: Float[Tensor, "*batch freq frames"],
    noise: Float[Tensor, "*batch freq frames"],
) -> Float[Tensor, ""]:
    """Cross-entropy of the masks with the shares ``S / (S + N + 1e-4)`` and 1 less it, a mean.

    Args:
        logits: of signal and noise.
        signal: magnitudes S of the signal's spectrum.
        noise: magnitudes N of the noise's.

    Example:
        >>> one = torch.ones(1, 3, 4)
        >>> sure = torch.stack((torch.full((1, 3, 4), 9.0), -torch.full((1, 3, 4), 9.0)), dim=1)
        >>> bool(mask_loss(sure, one, 0 * one) < 0.01), bool(mask_loss(sure, 0 * one, one) > 10)
        (True, True)

    Reference: Zhu, Mousavi, Beroza, Seismic signal denoising and decomposition using deep neural
    networks, IEEE Transactions on Geoscience and Remote Sensing 57(11), 2019, eq. 4, 5 and 7.
    """
    share = signal / (signal + noise + _TINY)
    logarithms = logits.log_softmax(dim=-3)
    entropy = share * logarithms[..., 0, :, :] + (1 - share) * logarithms[..., 1, :, :]
    return -entropy.mean()


def waveform_loss(
    estimate: Float[Tensor, "*batch time"],
    signal: Float[Tensor, "*batch time"],
    noise: Float[Tensor, "*batch time"],
) -> Float[Tensor, ""]:
    """``10 log10((|y - s|^2 + e) / (|s|^2 + e))`` in dB, a mean; e is 1e-3 of the input's power.

    Where there is no signal, it is the estimate's own power that falls.

    Example:
        >>> s = torch.randn(2, 1000)
        >>> round(waveform_loss(0.9 * s, s, 0 * s).item(), 1)
        -19.6

    Reference: the signal-to-noise ratio in dB with its sign turned; the floor is ours.
    """
    floor = _FLOOR * (signal + noise).square().mean(dim=-1)
    error = (estimate - signal).square().mean(dim=-1) + floor
    power = signal.square().mean(dim=-1) + floor
    return (10 * torch.log10(error / power)).mean()


def denoising_objective(
    splitter: Splitter, mixtures: Callable[[int], Mixture], losses: LossSettings
) -> Callable[[int], StepOutput]:
    """The weighted sum of `mask_loss` and `waveform_loss` on the mixtures of a step.

    Args:
        splitter: what learns, on its device.
        mixtures: signals and noises of a step.
        losses: weights.

    Example:
        >>> from passband.signal.tasks.denoising import SplitterSettings, UNetSettings
        >>> splitter = Splitter(SplitterSettings(network=UNetSettings(depth=2, root=2)))
        >>> some = Mixture(torch.randn(2, 300), torch.randn(2, 300))
        >>> sorted(denoising_objective(splitter, lambda step: some, LossSettings())(0).measures)
        ['mask', 'waveform']
    """

    def objective(step: int) -> StepOutput:
        device = next(splitter.parameters()).device
        signal, noise = (part.to(device) for part in mixtures(step))
        # The spectra of sums are sums: the targets are at the scale of the input's spectrum.
        magnitudes = (splitter.spectrum(part).abs() for part in (signal, noise))
        parts = splitter(signal + noise)
        mask = mask_loss(parts.logits, *magnitudes)
        waveform = waveform_loss(parts.signal, signal, noise)
        loss = losses.mask * mask + losses.waveform * waveform
        return StepOutput(loss, {"mask": mask.detach(), "waveform": waveform.detach()})

    return objective
