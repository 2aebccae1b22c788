"""Speech that is enhanced as it arrives."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from passband.signal._inverse_spectrogram import InverseSpectrogram
from passband.signal._spectrogram import Spectrogram
from passband.signal.tasks.enhancement.frcrn._past import Past
from passband.signal.tasks.enhancement.frcrn._settings import FRCRNSettings


@runtime_checkable
class CausalMask(Protocol):
    """What a stream reads of a `CausalFRCRN`."""

    settings: FRCRNSettings
    training: bool

    def mask(self, spectrum: Tensor, past: Past) -> Tensor:
        """The mask of the next frames."""
        ...


class FRCRNStream:
    """A `CausalFRCRN` on a signal that arrives in blocks of any length.

    ``push`` returns the samples that no coming one reaches, ``finish`` the rest; joined on the last
    axis they equal the model's output for the whole signal to rounding.

    Args:
        model: in evaluation mode; its device and type are those the blocks must have.

    Attributes:
        latency: samples from the last one returned to the last one pushed, at most.

    Raises:
        ValueError: the model is in training mode, where frames of a batch depend on each other.

    Example:
        >>> from passband.signal.tasks.enhancement.frcrn import CausalFRCRN
        >>> model = CausalFRCRN(FRCRNSettings(channels=(2,) * 7, stages=1, causal=True)).eval()
        >>> stream = model.stream()
        >>> stream.push(torch.randn(1600)).shape, stream.finish().shape
        (torch.Size([1280]), torch.Size([320]))
    """

    def __init__(self, model: CausalMask) -> None:
        if model.training:
            raise ValueError("`model` (in training mode) must be in evaluation mode. Call .eval().")
        self._model, settings = model, model.settings
        n_fft, self._hop = settings.n_fft, settings.hop_length
        self.latency = n_fft // 2 + max(n_fft - self._hop, n_fft // 2) - 1
        self._analysis = Spectrogram(
            n_fft, hop_length=self._hop, power=None, pad_mode="constant"
        ).stream()
        self._synthesis = InverseSpectrogram(n_fft, hop_length=self._hop).stream()
        self._start()

    def _start(self) -> None:
        self._past = Past()
        self._pushed = self._returned = 0

    def push(self, block: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch more"]:
        """Samples completed by ``block``, which may be empty."""
        self._pushed += block.shape[-1]
        self._like = block[..., :0]
        return self._given(self._enhanced(self._analysis.push(block)))

    def finish(self) -> Float[Tensor, "*batch rest"]:
        """The samples still to come; then starts anew.

        Raises:
            ValueError: nothing was pushed.
        """
        if self._pushed == 0:
            raise ValueError("`finish` (0 samples pushed) must follow a push. Push a block first.")
        zeros = self._like.new_zeros(*self._like.shape[:-1], -self._pushed % self._hop)
        frames = [self._analysis.push(zeros), self._analysis.finish()]
        last = self._enhanced(torch.cat(frames, dim=-1))
        whole = torch.cat((last, self._synthesis.finish()), dim=-1)
        rest = whole[..., : self._pushed - self._returned]
        self._start()
        return rest

    def _enhanced(self, spectrum: Tensor) -> Tensor:
        if spectrum.shape[-1] == 0:
            return spectrum.real[..., 0, :]
        with torch.no_grad():
            return self._synthesis.push(self._model.mask(spectrum, self._past) * spectrum)

    def _given(self, sound: Tensor) -> Tensor:
        self._returned += sound.shape[-1]
        return sound
