"""Before and after, side by side."""

from pathlib import Path

import torch
from torch import Tensor

from passband.media._audio_blocks import open_audio
from passband.signal import AmplitudeToDB, Spectrogram, spectrogram_figure
from passband.training import figure_png, new_figure

_SECONDS = 10.0  # more would leave no room for a word
_FRAME_SECONDS = 0.032
_TOP_DB = 80.0


def before_and_after(noisy: Path, enhanced: Path) -> bytes:
    """A picture (PNG) of the first 10 seconds' spectrograms in both files, in the same colours.

    Args:
        noisy: sound file; of several channels, the mean is shown.
        enhanced: what was made of it, of the same rate.

    Raises:
        InputError: one of them cannot be read.

    Example:
        >>> import tempfile
        >>> from passband.media import write_audio
        >>> path = Path(tempfile.mkdtemp()) / "a.wav"
        >>> write_audio(path, torch.randn(1, 8000) / 9, 16000)
        >>> before_and_after(path, path)[1:4]
        b'PNG'
    """
    figure, axes = new_figure(1, 2, (11.0, 3.8))
    peak = -torch.inf
    for axis, path, title in zip(axes, (noisy, enhanced), ("noisy", "enhanced"), strict=True):
        sound, rate = _beginning(path)
        n_fft = max(16, round(_FRAME_SECONDS * rate / 4) * 4)
        power = Spectrogram(n_fft, hop_length=n_fft // 4, pad_mode="constant")(sound)
        levels = AmplitudeToDB("power")(power)
        peak = max(peak, float(levels.max()))
        spectrogram_figure(
            levels,
            times=torch.arange(levels.shape[1]) * (n_fft // 4 / rate),
            frequencies=torch.linspace(0, rate / 2, levels.shape[0]),
            top_db=_TOP_DB,
            title=title,
            axes=axis,
        )
    for axis in axes:
        axis.images[0].set_clim(peak - _TOP_DB, peak)
    return figure_png(figure)


def _beginning(path: Path) -> tuple[Tensor, int]:
    """The mean of the channels, and the rate."""
    with open_audio(path) as sound:
        wanted, rate = round(_SECONDS * sound.sample_rate), sound.sample_rate
        parts: list[Tensor] = []
        for block in sound.blocks:
            parts.append(block.mean(dim=0))
            if sum(len(part) for part in parts) >= wanted:
                break
    return torch.cat(parts)[:wanted], rate
