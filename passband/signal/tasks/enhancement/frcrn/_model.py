"""FRCRN: speech out of noise by a complex mask on the short-time spectrum."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn
from torch.nn.functional import pad

from passband.frequency import istft, stft
from passband.signal.tasks._model_folder import load_model
from passband.signal.tasks.enhancement.frcrn._complex import stacked, unstacked
from passband.signal.tasks.enhancement.frcrn._past import Past
from passband.signal.tasks.enhancement.frcrn._settings import FRCRNSettings
from passband.signal.tasks.enhancement.frcrn._stream import FRCRNStream
from passband.signal.tasks.enhancement.frcrn._unet import ComplexUNet
from passband.training.recipes import parse_settings

_FLOOR = 1e-8  # of magnitudes that are compressed


@dataclass(frozen=True)
class Masked:
    """What a mask makes of noisy speech.

    Attributes:
        audio: enhanced, ``(*batch, time)``.
        mask: complex, ``(*batch, freq, frames)``.
        spectrum: of the noisy speech, of the same shape.
    """

    audio: Tensor
    mask: Tensor
    spectrum: Tensor


class FRCRN(nn.Module):
    """Speech ``istft(M Y)`` of noisy speech Y, ``M = sum_k tanh(U_k)`` of U-Nets in cascade.

    The tanh is of real and imaginary part apart; each U-Net is given the logits of the one before,
    the first the spectrum. The signal is zero beyond its ends. This one needs whole clips: its
    decoders look a frame ahead and its gates at the mean of the clip.

    Args:
        settings: sizes; those of the published model by default.

    Attributes:
        sample_rate: of what it is given, in Hz.
        reach: largest real or imaginary part of the mask.

    Example:
        >>> small = FRCRNSettings(channels=(2,) * 7, recurrences=(2,), memory=4, stages=1)
        >>> FRCRN(small).eval()(torch.randn(3, 1000)).shape
        torch.Size([3, 1000])

    Reference: Zhao et al., FRCRN: boosting feature representation using frequency recurrence for
    monaural speech enhancement, ICASSP, 2022; squeeze and excitation, and the second U-Net, are
    those of its authors' later release. Compression of the input is ours.
    """

    def __init__(self, settings: FRCRNSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or FRCRNSettings()
        self.sample_rate = settings.sample_rate
        self.stages = nn.ModuleList(ComplexUNet(settings) for _ in range(settings.stages))
        self.reach = float(settings.stages)

    def forward(self, audio: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch time"]:
        """Enhanced ``audio``, of the same length."""
        return self.masked(audio).audio

    def masked(self, audio: Float[Tensor, "*batch time"]) -> Masked:
        """Enhanced ``audio`` and the mask that made it."""
        spectrum = self.spectrum(audio)
        mask = self.mask(spectrum, Past())
        return Masked(self.sound(mask * spectrum, audio.shape[-1]), mask, spectrum)

    def spectrum(
        self, audio: Float[Tensor, "*batch time"]
    ) -> Complex[Tensor, "*batch freq frames"]:
        """The short-time spectrum that is masked: every sample lies under two windows."""
        n_fft, hop = self.settings.n_fft, self.settings.hop_length
        audio = pad(audio, (0, -audio.shape[-1] % hop))
        return stft(audio, n_fft=n_fft, hop_length=hop, pad_mode="constant")

    def sound(
        self, spectrum: Complex[Tensor, "*batch freq frames"], length: int
    ) -> Float[Tensor, "*batch time"]:
        """The inverse of `spectrum`."""
        n_fft, hop = self.settings.n_fft, self.settings.hop_length
        return istft(spectrum, n_fft=n_fft, hop_length=hop, length=length)

    def mask(
        self, spectrum: Complex[Tensor, "*batch freq frames"], past: Past
    ) -> Complex[Tensor, "*batch freq frames"]:
        """The mask of ``spectrum``, which follows on what ``past`` has seen."""
        logits = stacked(spectrum.reshape(-1, 1, *spectrum.shape[-2:]))
        if self.settings.compression < 1:
            power = logits.square().sum(dim=1, keepdim=True) + _FLOOR**2
            logits = logits * power ** ((self.settings.compression - 1) / 2)
        total = torch.zeros_like(logits)
        for stage in self.stages:
            logits = stage(logits, past)
            total = total + logits.tanh()
        return unstacked(total).reshape(spectrum.shape)


class CausalFRCRN(FRCRN):
    """An `FRCRN` whose every frame is made of itself and frames before it, for streams.

    Its delay is that of the short-time spectrum: ``n_fft`` samples from what comes in to what it is
    made into, at most.

    Args:
        settings: sizes, with ``causal`` set.

    Example:
        >>> small = FRCRNSettings(channels=(2,) * 7, recurrences=(2,), stages=1, causal=True)
        >>> model, sound = CausalFRCRN(small).eval(), torch.randn(2000)
        >>> stream = model.stream()
        >>> pieces = [stream.push(block) for block in sound.split(700)] + [stream.finish()]
        >>> torch.allclose(torch.cat(pieces), model(sound), atol=1e-5)
        True

    Reference: as `FRCRN`; causal gates and decoders are ours.
    """

    def stream(self) -> FRCRNStream:
        """A stream through this model, with nothing in it yet."""
        return FRCRNStream(self)


def build_frcrn(settings: FRCRNSettings) -> FRCRN:
    """The untrained model of ``settings``, one with `CausalFRCRN.stream` if it is causal.

    Example:
        >>> type(build_frcrn(FRCRNSettings(channels=(2,) * 7, causal=True))).__name__
        'CausalFRCRN'
    """
    return (CausalFRCRN if settings.causal else FRCRN)(settings)


def load_frcrn(folder: Path, device: torch.device) -> FRCRN:
    """The model that a training left in ``folder``, ready for use.

    Args:
        folder: of a run of ``passband train`` with an enhancer's recipe.
        device: where it is to be.

    Raises:
        InputError: there is no model, it is damaged, or one of another task.
    """
    saved = load_model(folder, "enhancer")
    model = build_frcrn(parse_settings(FRCRNSettings, saved.recipe["model"], str(saved.path)))
    saved.restore(model)
    return model.to(device).eval()
