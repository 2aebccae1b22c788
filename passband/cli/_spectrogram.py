"""``passband spectrogram``: a sound as a picture over time and frequency, or as arrays."""

from pathlib import Path
from typing import Annotated

import typer

from passband.cli._transforms import (
    ChannelOption,
    RateOption,
    SettingsOption,
    TransformName,
    TransformOption,
)


def spectrogram(
    file: Annotated[Path, typer.Argument(help="A sound: WAV, FLAC, Ogg or MP3.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A .png or .npz file to write.")],
    transform: TransformOption = TransformName.STFT,
    set_: SettingsOption = None,
    channel: ChannelOption = "mix",
    rate: RateOption = None,
    start: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Leave out.")] = 0.0,
    duration: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Take so much, not all.")
    ] = None,
    top_db: Annotated[
        float | None,
        typer.Option(min=1, help="Decibels from the darkest colour to the brightest."),
    ] = None,
) -> None:
    """Show a sound over time and frequency.

    A .png is a picture with axes in seconds and Hz (or notes) and a colour bar in dB. A .npz holds
    values, times (s), frequencies (Hz), sample_rate, hop_length, and transform and settings as
    text; complex values are complex64. Settings not given suit the file's rate and length.
    """
    from passband.signal._sound_picture import write_spectrogram

    analysis = write_spectrogram(
        file,
        out,
        transform=transform.value,
        assignments=set_ or [],
        channel=channel,
        sample_rate=rate,
        start=start,
        duration=duration,
        top_db=top_db,
    )
    bins, frames = analysis.values.shape
    print(f"{transform.value}: {bins} bins x {frames} frames at {analysis.sample_rate} Hz: {out}")
