"""From a sound file to a picture or an archive of its transform."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from passband.atomic import write_bytes_atomic
from passband.errors import InputError, OutputError
from passband.media import read_audio
from passband.signal._analysis import Analysis, analyse, plan_analysis
from passband.signal._choices import find_choice
from passband.signal._display import spectrogram_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_spectrogram(
    file: Path,
    out: Path,
    *,
    transform: str,
    assignments: Sequence[str] = (),
    channel: str = "mix",
    sample_rate: int | None = None,
    start: float = 0.0,
    duration: float | None = None,
    top_db: float | None = None,
) -> Analysis:
    """Write the transform of the sound in ``file`` to ``out``, whole or not at all.

    Args:
        file: sound file.
        out: ``.png`` for a picture, ``.npz`` for arrays.
        transform: name of the transform.
        assignments: settings such as ``hop_length=256``.
        channel: ``mix`` or the number of a channel.
        sample_rate: in Hz, to resample to first.
        start: seconds left out at the beginning.
        duration: seconds taken; all by default.
        top_db: decibels from the darkest colour of a picture to its brightest; what suits the
            transform by default.

    Raises:
        InputError: for a file, setting or suffix that cannot be used.
        OutputError: if the result cannot be written.
    """
    plan = plan_analysis(transform, assignments, channel=channel, sample_rate=sample_rate)
    _require_writable(out)
    audio = read_audio(file)
    samples = _part(audio.samples, audio.sample_rate, start, duration, file)
    try:
        analysis = analyse(samples, audio.sample_rate, plan, fit_length=True)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    analysis = analysis.later(start)
    if out.suffix.lower() == ".npz":
        write_bytes_atomic(out, analysis.to_npz())
    else:
        write_bytes_atomic(out, analysis_png(analysis, title=file.name, top_db=top_db))
    return analysis


def analysis_png(analysis: Analysis, *, title: str, top_db: float | None = None) -> bytes:
    """The picture of ``analysis`` as PNG bytes."""
    buffer = io.BytesIO()
    figure = analysis_figure(analysis, title=title, top_db=top_db)
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def analysis_figure(
    analysis: Analysis, *, title: str, top_db: float | None = None, axes: "Axes | None" = None
) -> "Figure":
    """The picture of ``analysis``, its axes and colours as suit the transform."""
    choice = find_choice(analysis.plan.transform)
    return spectrogram_figure(
        analysis.levels(),
        times=analysis.times,
        frequencies=analysis.frequencies,
        scale="linear" if choice.scale == "names" else choice.scale,
        names=analysis.names,
        top_db=None if choice.exponent is None else top_db or choice.top_db,
        unit="dB" if choice.exponent is not None else choice.unit,
        title=f"{title}: {choice.summary}",
        axes=axes,
    )


def _require_writable(out: Path) -> None:
    """Say what is wrong with ``out`` before minutes of work, not after."""
    if out.suffix.lower() not in (".png", ".npz"):
        raise InputError(
            f"{out} ends in {out.suffix or 'no suffix'!r}; a spectrogram is written as .png "
            "(picture) or .npz (arrays). Choose one of these."
        )
    if not out.parent.is_dir():
        raise OutputError(f"{out} cannot be written: there is no folder {out.parent}. Make it.")


def _part(samples: Tensor, rate: int, start: float, duration: float | None, file: Path) -> Tensor:
    first = round(start * rate)
    length = samples.shape[-1] - first if duration is None else round(duration * rate)
    part = samples[:, first : first + length]
    if part.shape[-1] == 0:
        asked = f"--start {start:g}" + ("" if duration is None else f" --duration {duration:g}")
        raise InputError(
            f"{file} has {samples.shape[-1] / rate:g} s; {asked} leaves no sample of it. "
            "Take an earlier or longer part."
        )
    return part
