"""Where the values of a transform stand: frequencies of its bins, time of its first frame."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from passband.frequency import hz_to_mel, mel_to_hz


def bin_frequencies(
    modules: list[nn.Module], settings: Mapping[str, Any], count: int, rate: int
) -> Tensor | None:
    """Frequencies in Hz of the ``count`` bins that ``modules`` end in; None if they have none."""
    for module in reversed(modules):
        own = getattr(module, "frequencies", None)
        if isinstance(own, Tensor) and own.shape == (count,):
            return own.detach().double()
    if settings.get("n_mels") == count:
        return _mel_centres(settings, count, rate)
    n_fft = int(settings.get("n_fft", 0))
    if n_fft // 2 + 1 == count:
        return torch.arange(count, dtype=torch.float64) * (rate / n_fft)
    return None


def first_centre(settings: Mapping[str, Any]) -> float:
    """Sample in the middle of the first frame."""
    before = float(settings.get("pad", 0))
    return -before if settings.get("center", True) else settings["n_fft"] // 2 - before


def _mel_centres(settings: Mapping[str, Any], count: int, rate: int) -> Tensor:
    """Peaks of triangles evenly spaced in mel from ``f_min`` to ``f_max``, those two left out."""
    scale = settings["mel_scale"]
    high = rate / 2 if settings["f_max"] is None else settings["f_max"]
    low, high = (float(hz_to_mel(float(end), mel_scale=scale)) for end in (settings["f_min"], high))
    mels = torch.linspace(low, high, count + 2, dtype=torch.float64)[1:-1]
    return mel_to_hz(mels, mel_scale=scale)
