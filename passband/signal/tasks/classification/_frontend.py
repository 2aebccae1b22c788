"""From a sound to the pictures that a classifier sees."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.frequency import resample
from passband.media import read_audio
from passband.signal.tasks import RepresentationSettings, unit_peak
from passband.signal.tasks.classification._recipe import DataSettings

_REST = 0.05  # of a window, at the end of a sound, that is not worth one


class Frontend(nn.Module):
    """Windows of a sound as levels, neighbouring bins and frames averaged where they are too many.

    Args:
        representation: which transform.
        data: rate and seconds of a window, most bins, frames a second, and range of levels.

    Raises:
        InputError: no such transform, settings it does not take, or a window too short for it.

    Example:
        >>> frontend = Frontend(RepresentationSettings(), DataSettings(sample_rate=8000, seconds=1))
        >>> frontend(torch.randn(2, 8000)).shape
        torch.Size([2, 128, 63])
    """

    def __init__(self, representation: RepresentationSettings, data: DataSettings) -> None:
        super().__init__()
        self.representation = representation.build(data.sample_rate)
        self.samples = max(1, round(data.seconds * data.sample_rate))
        self.sample_rate, self.most_bins = data.sample_rate, data.most_bins
        self.range_db = data.range_db
        own_rate = data.sample_rate / self.representation.hop_length
        self.pooled = max(1, round(own_rate / data.frame_rate))
        self.levels = self.representation.choice.exponent is not None
        self.key = json.dumps({**representation.model_dump(), **_seen(data)}, sort_keys=True)
        self.bins, self.frames = self._size(representation.transform)

    def forward(self, sound: Float[Tensor, "batch time"]) -> Float[Tensor, "batch bins frames"]:
        """Features of each sound, at the level it has."""
        values = self.representation(sound)
        if not self.levels:
            return self._averaged(values)
        values = 10.0 * torch.log10(self._averaged(10.0 ** (values / 10.0)))
        loudest = values.amax(dim=(-2, -1), keepdim=True)
        return values.maximum(loudest - self.range_db)

    def windows(
        self, sound: Float[Tensor, " time"], hop: int
    ) -> tuple[list[int], Float[Tensor, "windows samples"]]:
        """First samples of the windows ``hop`` samples apart, and the windows with a peak of 1.

        The last one ends where the sound does, unless less than a twentieth of a window is left; a
        sound shorter than a window is repeated.
        """
        if len(sound) < self.samples:
            sound = sound.repeat(-(-self.samples // len(sound)))[: self.samples]
        starts = list(range(0, len(sound) - self.samples + 1, hop))
        if len(sound) - starts[-1] - self.samples > _REST * self.samples:
            starts.append(len(sound) - self.samples)
        cut = [unit_peak(sound[start : start + self.samples]) for start in starts]
        return starts, torch.stack(cut)

    @torch.no_grad()
    def _size(self, transform: str) -> tuple[int, int]:
        try:
            bins, frames = self(torch.zeros(1, self.samples)).shape[1:]
        except ValueError as error:
            raise InputError(
                f"`data.seconds` ({self.samples} samples) is no length for {transform}: {error}"
            ) from error
        return bins, frames

    def _averaged(self, values: Tensor) -> Tensor:
        bins, frames = values.shape[-2:]
        size = (min(bins, self.most_bins), max(1, frames // self.pooled))
        if size == (bins, frames):
            return values
        whole = values[..., : size[1] * self.pooled]
        return nn.functional.adaptive_avg_pool2d(whole, size)


def read_sound(path: Path, sample_rate: int) -> Float[Tensor, " time"]:
    """The mean of a file's channels at ``sample_rate`` Hz.

    Raises:
        InputError: the file cannot be read.

    Example:
        >>> import tempfile
        >>> from passband.media import write_audio
        >>> path = Path(tempfile.mkdtemp()) / "a.wav"
        >>> write_audio(path, torch.tensor([[0.5, -0.5], [0.5, 0.5]]), 8000)
        >>> read_sound(path, 8000)
        tensor([0.5000, 0.0000])
    """
    audio = read_audio(path)
    return resample(audio.samples.mean(dim=0), audio.sample_rate, sample_rate)


def clip_features(
    frontend: Frontend, path: Path, most_windows: int
) -> Callable[[], Float[Tensor, "windows bins frames"]]:
    """What computes the features of a file's windows, none overlapping another but the last."""

    @torch.no_grad()
    def compute() -> Tensor:
        sound = read_sound(path, frontend.sample_rate)
        windows = frontend.windows(sound, frontend.samples)[1][:most_windows]
        return torch.cat([frontend(window[None]) for window in windows])

    return compute


def _seen(data: DataSettings) -> dict[str, float]:
    names = {"sample_rate", "seconds", "most_windows", "most_bins", "frame_rate", "range_db"}
    return data.model_dump(include=names)
