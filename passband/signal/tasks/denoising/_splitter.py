"""From a window of a seismogram to its signal and its noise."""

from typing import Annotated, NamedTuple

import torch
from jaxtyping import Complex, Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from passband.frequency import istft, stft
from passband.signal.tasks.denoising._unet import MaskUNet, UNetSettings
from passband.training.recipes import Settings

_TINY = 1e-12


class SplitterSettings(Settings):
    """Short-time spectra and network of a `Splitter`; the defaults are those of DeepDenoiser.

    ``compression`` is the exponent that magnitudes are raised to before the network sees them; 1
    is the published input.

    Example:
        >>> SplitterSettings(win_length=100, n_fft=128, hop_length=25).bins
        65
    """

    sample_rate: Annotated[int, Field(ge=1, le=10_000)] = 100
    n_fft: Annotated[int, Field(ge=4, le=65536)] = 60
    win_length: Annotated[int, Field(ge=4)] = 30
    hop_length: Annotated[int, Field(ge=1)] = 15
    compression: Annotated[float, Field(gt=0, le=1)] = 1.0
    network: UNetSettings = UNetSettings()

    @property
    def bins(self) -> int:
        """Frequencies of a frame, from 0 to half the rate."""
        return self.n_fft // 2 + 1

    @model_validator(mode="after")
    def _fits(self) -> "SplitterSettings":
        if self.win_length > self.n_fft:
            raise ValueError(f"win_length (={self.win_length}) must be at most n_fft, {self.n_fft}")
        if 2 * self.hop_length > self.win_length:
            raise ValueError(
                f"hop_length (={self.hop_length}) must be at most half of win_length, "
                f"{self.win_length // 2}, for frames to overlap"
            )
        return self


class Parts(NamedTuple):
    """What a window is made of; signal and noise sum to it, the masks to 1.

    Attributes:
        signal: ``(*batch, time)``.
        noise: ``(*batch, time)``.
        logits: ``(*batch, 2, freq, frames)``; their softmax over the pair is the two masks.
    """

    signal: Tensor
    noise: Tensor
    logits: Tensor

    @property
    def masks(self) -> Tensor:
        """Shares of signal and noise ``(*batch, 2, freq, frames)`` in every bin, in [0, 1]."""
        return self.logits.softmax(dim=-3)


class Splitter(nn.Module):
    """Signal ``iSTFT(M X)`` and noise ``x - signal`` of windows, with M drawn by a U-Net from X.

    X is the short-time spectrum under a periodic Hann window with zeros beyond the ends, of the
    window without its mean (which is noise) at a standard deviation of 1; its real and imaginary
    parts are the network's input.

    Args:
        settings: of spectra and network.

    Example:
        >>> splitter = Splitter(SplitterSettings(network=UNetSettings(depth=2, root=2))).eval()
        >>> x = torch.randn(4, 3000)
        >>> parts = splitter(x)
        >>> parts.masks.shape, torch.allclose(parts.signal + parts.noise, x, atol=1e-5)
        (torch.Size([4, 2, 31, 201]), True)

    Reference: Zhu, Mousavi, Beroza, Seismic signal denoising and decomposition using deep neural
    networks, IEEE Transactions on Geoscience and Remote Sensing 57(11), 2019, eq. 2 to 6; the
    compression of magnitudes and one scale for a whole window are ours.
    """

    def __init__(self, settings: SplitterSettings) -> None:
        super().__init__()
        self.settings = settings
        self.network = MaskUNet(settings.network)

    def spectrum(self, x: Float[Tensor, "*batch time"]) -> Complex[Tensor, "*batch freq frames"]:
        """Short-time spectrum, with zeros beyond the ends and up to a whole number of hops."""
        hop = self.settings.hop_length
        # A last frame centred beyond the last sample: where only the foot of a window covers a
        # sample, dividing by that window would blow up what the mask did there.
        whole = nn.functional.pad(x, (0, -x.shape[-1] % hop))
        return stft(
            whole,
            n_fft=self.settings.n_fft,
            hop_length=hop,
            win_length=self.settings.win_length,
            pad_mode="constant",
        )

    def waveform(
        self, spectrum: Complex[Tensor, "*batch freq frames"], length: int
    ) -> Float[Tensor, "*batch {length}"]:
        """The least-squares inverse of `spectrum`."""
        whole = length + -length % self.settings.hop_length
        return istft(
            spectrum,
            n_fft=self.settings.n_fft,
            hop_length=self.settings.hop_length,
            win_length=self.settings.win_length,
            length=whole,
        )[..., :length]

    def forward(self, x: Float[Tensor, "*batch time"]) -> Parts:
        """Signal and noise of ``x``, each of its length."""
        centred = x - x.mean(dim=-1, keepdim=True)
        scale = centred.std(dim=-1, keepdim=True, correction=0)
        scale = torch.where(scale > _TINY, scale, torch.ones_like(scale))
        spectrum = self.spectrum(centred / scale)
        flat = spectrum.reshape(-1, *spectrum.shape[-2:])
        logits = self.network(_input(flat, self.settings.compression)).to(x.dtype)
        logits = logits.reshape(*spectrum.shape[:-2], *logits.shape[-3:])
        mask = (logits[..., 0, :, :] - logits[..., 1, :, :]).sigmoid()
        signal = self.waveform(spectrum * mask, x.shape[-1]) * scale
        return Parts(signal, x - signal, logits)


def _input(spectrum: Tensor, compression: float) -> Tensor:
    """Real and imaginary part ``(batch, 2, freq, frames)`` at unit standard deviation."""
    parts = torch.stack((spectrum.real, spectrum.imag), dim=1)
    if compression < 1:
        power = parts.square().sum(dim=1, keepdim=True)
        parts = parts * (power + _TINY).pow((compression - 1) / 2)
    deviation = parts.std(dim=(1, 2, 3), keepdim=True, correction=0)
    return parts / deviation.clamp_min(_TINY)
