"""The classical way: a Wiener filter under the noise of the first frames."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import istft, stft

_WINDOW_SECONDS = 0.032
_TINY = 1e-12


def wiener_filter(
    audio: Float[Tensor, "*batch time"],
    sample_rate: int,
    *,
    noise_seconds: float = 0.25,
    smoothing: float = 0.98,
    floor_db: float = -20.0,
) -> Float[Tensor, "*batch time"]:
    """Audio under gains ``x / (1 + x)``, x the decision-directed ratio of speech to noise.

    ``x_t = s |S_(t-1)|^2 / N + (1 - s) max(|Y_t|^2 / N - 1, 0)``, N the mean power of the frames
    in the first ``noise_seconds``, which must be without speech, S what came out so far.

    Args:
        audio: noisy speech.
        sample_rate: in Hz.
        noise_seconds: stretch of noise alone at the beginning.
        smoothing: s, from 0 to 1.
        floor_db: least gain, in dB.

    Example:
        >>> noise = torch.randn(16000)
        >>> wiener_filter(noise, 16000).std() < 0.3 * noise.std()
        tensor(True)

    Reference: Scalart & Filho, Speech enhancement based on a priori signal to noise estimation,
    ICASSP, 1996, eq. 9-11; the ratio of Ephraim & Malah, IEEE Trans. ASSP 32(6), 1984, eq. 51.
    """
    n_fft = 2 * round(_WINDOW_SECONDS * sample_rate / 2)
    hop = max(1, n_fft // 4)
    spectrum = stft(audio, n_fft=n_fft, hop_length=hop, pad_mode="constant")
    power = spectrum.real.square() + spectrum.imag.square()
    # The first frames, half of zeros, would make the noise too small.
    first = min(-(-n_fft // (2 * hop)), power.shape[-1] - 1)
    count = max(1, int((noise_seconds * sample_rate - n_fft) / hop) + 1)
    noise = power[..., first : first + count].mean(-1).clamp_min(_TINY)
    least = 10 ** (floor_db / 20)
    before, gains = torch.zeros_like(noise), []
    for now in power.unbind(-1):
        ratio = smoothing * before / noise + (1 - smoothing) * (now / noise - 1).clamp_min(0)
        gain = (ratio / (1 + ratio)).clamp_min(least)
        before = gain.square() * now
        gains.append(gain)
    return istft(
        spectrum * torch.stack(gains, -1), n_fft=n_fft, hop_length=hop, length=audio.shape[-1]
    )
