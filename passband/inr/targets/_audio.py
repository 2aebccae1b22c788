"""Sounds as targets."""

from pathlib import Path

from passband.errors import InputError
from passband.inr.targets._grid import GridTarget, SignalInfo
from passband.media import read_audio


def audio_target(
    path: str,
    *,
    start: float = 0.0,
    duration: float | None = None,
    max_samples: int = 2**27,
) -> GridTarget:
    """The sound at ``path``, scaled to a peak of 1.

    Args:
        path: a sound file.
        start: where to begin, in seconds.
        duration: how long, in seconds; to the end by default.
        max_samples: largest channels x time that is read.

    Raises:
        InputError: the file cannot be read, or the part asked for has fewer than 2 samples.

    Example:
        >>> import tempfile, torch
        >>> from passband.media import write_audio
        >>> path = Path(tempfile.mkdtemp()) / "tone.wav"
        >>> write_audio(path, 0.5 * torch.sin(torch.arange(8000.0))[None], 8000)
        >>> target = audio_target(str(path), duration=0.5)
        >>> target.info.size, round(float(target.signal.abs().max()), 3)
        ((4000,), 1.0)
    """
    audio = read_audio(Path(path), max_samples=max_samples)
    first = round(start * audio.sample_rate)
    last = None if duration is None else first + round(duration * audio.sample_rate)
    samples = audio.samples[:, first:last]
    if samples.shape[1] < 2:
        raise InputError(
            f"{path} has {samples.shape[1]} samples from target.start={start:g} s: a field needs "
            f"at least 2. The sound lasts {audio.samples.shape[1] / audio.sample_rate:g} s."
        )
    peak = float(samples.abs().max()) or 1.0
    info = SignalInfo(
        kind="audio",
        source=path,
        channels=samples.shape[0],
        size=(samples.shape[1],),
        center=0.0,
        scale=peak,
        bounded=False,
        sample_rate=audio.sample_rate,
        bit_depth=audio.bit_depth,
    )
    return GridTarget(info, samples / peak)
