"""Vocoder and discriminators against each other: what each minimises in a step."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from passband.signal import AntiWrappingPhaseLoss
from passband.training import StepOutput, make_generator
from passband.vocoder._vocos import Vocos
from passband.vocoder.discriminators import Verdict
from passband.vocoder.learning._recipe import LossSettings
from passband.vocoder.losses import discriminator_hinge, feature_matching, generator_hinge

_BANDWIDTH = 104  # stream of the bandwidths' numbers


class Adversary:
    """The two objectives of a step: `judge` for the discriminators, then `generate`.

    The sound that `judge` generates without its gradient is the one that `generate` learns from:
    the vocoder does not change in between, so it runs once a step.

    Args:
        vocoder: what generates.
        discriminators: ensembles by name; may be empty.
        weights: of each ensemble, by name.
        losses: the other weights, and the mel spectrogram to compare.
        batches: sounds ``(batch, samples)`` of a step, on any device.
        conditions: number of bandwidths, one of which is drawn for each step; 0 for none.
        seed: of the bandwidths.

    Reference: Siuzdak, Vocos: closing the gap between time-domain and Fourier-based neural
    vocoders, ICLR, 2024, section 3.3.
    """

    def __init__(
        self,
        vocoder: Vocos,
        discriminators: nn.ModuleDict,
        weights: Mapping[str, float],
        losses: LossSettings,
        batches: Callable[[int], Tensor],
        *,
        conditions: int = 0,
        seed: int = 0,
    ) -> None:
        self.vocoder, self.discriminators = vocoder, discriminators
        self.weights, self.losses = weights, losses
        self.batches, self.conditions, self.seed = batches, conditions, seed
        self.device = next(vocoder.parameters()).device
        self.mel = losses.mel_loss(vocoder.sample_rate).to(self.device)
        self.phase = AntiWrappingPhaseLoss(losses.n_fft, losses.hop_length).to(self.device)
        self._step = -1

    def judge(self, step: int) -> StepOutput:
        """Hinge losses of the discriminators, weighted as the generator hears them."""
        self._begin(step)
        self.discriminators.requires_grad_(True)
        real, generated = self._verdicts(self._sound), self._verdicts(self._generated.detach())
        terms = {name: discriminator_hinge(real[name], generated[name]) for name in real}
        loss = self._weighted(terms)
        return StepOutput(loss, {"discriminator": loss.detach()})

    def generate(self, step: int) -> StepOutput:
        """Weighted sum of the hinge, feature-matching, mel and phase losses of the vocoder."""
        self._begin(step)
        # Their gradients would be computed, and not be used.
        self.discriminators.requires_grad_(False)
        mel = self.mel(self._generated, self._sound)
        loss = self.losses.mel * mel
        measures = {"mel": mel.detach()}
        if self.losses.phase:
            phase = self.phase(self._generated, self._sound)
            loss = loss + self.losses.phase * phase
            measures["phase"] = phase.detach()
        if len(self.discriminators):
            with torch.no_grad():
                real = self._verdicts(self._sound)
            generated = self._verdicts(self._generated)
            hinge = self._weighted({n: generator_hinge(generated[n]) for n in generated})
            matching = self._weighted({n: feature_matching(real[n], generated[n]) for n in real})
            loss = loss + hinge + matching
            measures |= {"adversarial": hinge.detach(), "matching": matching.detach()}
        return StepOutput(loss, measures)

    def _begin(self, step: int) -> None:
        if step == self._step:
            return
        self._sound = self.batches(step).to(self.device, non_blocking=True)
        self._bandwidth = self._drawn_bandwidth(step)
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            features = self.vocoder.feature_extractor(self._sound, self._bandwidth)
        self._generated = self.vocoder(
            features, self._bandwidth, length=self._sound.shape[-1]
        ).float()
        self._step = step

    def _drawn_bandwidth(self, step: int) -> int | None:
        if not self.conditions:
            return None
        generator = make_generator(self.seed, _BANDWIDTH, step)
        return int(torch.randint(self.conditions, (), generator=generator))

    def _verdicts(self, sound: Tensor) -> dict[str, list[Verdict]]:
        condition = None
        if self._bandwidth is not None:
            condition = torch.full((len(sound),), self._bandwidth, device=sound.device)
        return {name: judge(sound, condition) for name, judge in self.discriminators.items()}

    def _weighted(self, terms: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()
