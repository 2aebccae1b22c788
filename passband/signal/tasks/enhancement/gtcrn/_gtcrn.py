"""Speech out of noise, by GTCRN."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.signal import InverseSpectrogram, Spectrogram
from passband.signal.tasks.enhancement._stream import MaskStream, enhance_whole
from passband.signal.tasks.enhancement.gtcrn._mask_network import (
    N_FFT,
    SAMPLE_RATE,
    MaskNetwork,
)


class GTCRN(nn.Module):
    """Speech of noisy speech: ``iSTFT(M X)``, the mask ``M`` by `MaskNetwork` from ``X = STFT(x)``.

    Frames of 32 ms under the root of a Hann window, 16 ms apart; nothing but the frame itself lies
    ahead. The level matters to the network, whose output follows it.

    Attributes:
        sample_rate: 16000 Hz.

    Example:
        >>> model = GTCRN().eval()
        >>> sound = torch.randn(2, 4000)
        >>> with torch.no_grad():
        ...     enhanced = model(sound)
        >>> stream = model.stream()
        >>> parts = [stream.push(block) for block in sound.split(999, dim=-1)] + [stream.finish()]
        >>> enhanced.shape, bool((torch.cat(parts, dim=-1) - enhanced).abs().max() < 1e-5)
        (torch.Size([2, 4000]), True)

    Agrees with the definition written out in float64 to 1e-4 with the published weights.
    Reference: Rong et al., GTCRN: a speech enhancement model requiring ultralow computational
    resources, ICASSP, 2024.
    """

    sample_rate: int = SAMPLE_RATE

    def __init__(self) -> None:
        super().__init__()
        self.network = MaskNetwork()
        settings: dict[str, Any] = {"n_fft": N_FFT, "window_fn": _root_hann}
        self.analysis = Spectrogram(**settings, power=None)
        self.synthesis = InverseSpectrogram(**settings)

    def forward(self, audio: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch time"]:
        """Enhanced ``audio`` at 16 kHz, of the same length; `ValueError` for NaN."""
        return enhance_whole(audio, self.analysis, self.synthesis, self._masked)

    def stream(self) -> MaskStream:
        """A `MaskStream` of this model, with nothing in it yet; at most 512 samples behind.

        Raises:
            ValueError: the model is in training mode, where frames of a batch depend on each other.
        """
        if self.training:
            raise ValueError("`model` (in training mode) must be in evaluation mode. Call .eval().")
        return MaskStream(self.analysis, self.synthesis, self._masked)

    def _masked(self, spectrum: Tensor, memory: Any) -> tuple[Tensor, Any]:
        mask, memory = self.network(spectrum, memory)
        return spectrum * mask, memory


def _root_hann(length: int) -> Tensor:
    return torch.hann_window(length, dtype=torch.float64).sqrt()
