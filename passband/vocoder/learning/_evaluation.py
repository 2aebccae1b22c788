"""Recorded clips that nothing is learned from, and what a vocoder makes of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from torch import Tensor

from passband.errors import InputError
from passband.signal import LogMelLoss
from passband.signal.tasks import Recordings
from passband.vocoder.learning._quality import intelligibility, pesq_wideband, voicing_errors

_PEAK = 10 ** (-3 / 20)  # -3 dBFS
_OPTIONAL = {"pesq": pesq_wideband, "stoi": intelligibility}
_PACKAGES = {"pesq": "pesq", "stoi": "pystoi"}

Synthesis = Callable[[Tensor], Tensor]
"""Copy synthesis: audio ``(time,)`` through features and back, of the same length."""


@dataclass(frozen=True)
class HeldOut:
    """Clips for evaluation.

    Attributes:
        names: of the files.
        clips: audio ``(time,)`` of each, at -3 dBFS.
        sample_rate: in Hz.
    """

    names: Sequence[str]
    clips: Sequence[Tensor]
    sample_rate: int


@dataclass(frozen=True)
class Scores:
    """What a vocoder reached on held-out clips.

    Attributes:
        sounds: what it made of each clip, on the CPU.
        rows: measures of each clip, by name; None where one does not apply, as on silence.
    """

    sounds: Sequence[Tensor]
    rows: Sequence[dict[str, float | None]]

    @property
    def means(self) -> dict[str, float | None]:
        """Mean over the clips that each measure applies to.

        Example:
            >>> Scores([], [{"pesq": 1.0}, {"pesq": 2.0}, {"pesq": None}]).means
            {'pesq': 1.5}
        """
        found: dict[str, float | None] = {}
        for name in self.rows[0]:
            values = [value for row in self.rows if (value := row[name]) is not None]
            found[name] = sum(values) / len(values) if values else None
        return found


def load_held_out(recordings: Recordings, *, seconds: float) -> HeldOut:
    """The first ``seconds`` of every recording that can be read.

    Args:
        recordings: the files, with a peak of 1.
        seconds: longest clip.

    Raises:
        InputError: no file can be read.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from passband.media import write_audio
        >>> path = Path(tempfile.mkdtemp()) / "a.wav"
        >>> write_audio(path, torch.ones(1, 8000), 8000)
        >>> load_held_out(Recordings([path], 8000), seconds=0.5).clips[0].shape
        torch.Size([4000])
    """
    most = max(1, round(seconds * recordings.sample_rate))
    found = {
        path: sound[:most] * _PEAK
        for index, path in enumerate(recordings.files)
        if (sound := recordings(index)) is not None
    }
    if not found:
        raise InputError(
            f"none of the {len(recordings)} held-out files can be read. The first says: "
            f"{next(iter(recordings.faults.values()))}"
        )
    return HeldOut([path.name for path in found], list(found.values()), recordings.sample_rate)


def score(synthesis: Synthesis, held_out: HeldOut, mel: LogMelLoss) -> Scores:
    """Copy synthesis of every clip, and how near it comes.

    ``mel`` is the mean absolute difference of log-mel spectrograms in nepers, ``periodicity``,
    ``voicing_f1`` and ``pitch_cents`` are those of `voicing_errors`, and ``pesq`` and ``stoi`` are
    there where the packages pesq and pystoi are installed.

    Args:
        synthesis: audio to audio.
        held_out: the clips.
        mel: the distance of mel spectrograms, on the CPU.

    Example:
        >>> tone = torch.sin(2 * torch.pi * 220 * torch.arange(24000) / 24000)
        >>> scores = score(lambda x: x, HeldOut(["tone"], [tone], 24000), LogMelLoss())
        >>> scores.means["mel"], scores.means["voicing_f1"]
        (0.0, 1.0)
    """
    measures = {name: f for name, f in _OPTIONAL.items() if find_spec(_PACKAGES[name])}
    sounds, rows = [], []
    for clip in held_out.clips:
        with torch.no_grad():
            made = synthesis(clip).float().cpu()
        row = {"mel": float(mel(made, clip))} | {
            name: measure(clip, made, held_out.sample_rate) for name, measure in measures.items()
        }
        row |= voicing_errors(clip, made, held_out.sample_rate)
        sounds.append(made)
        rows.append({name: None if math.isnan(value) else value for name, value in row.items()})
    return Scores(sounds, rows)
