"""A file's records taken apart, whatever state its channels are in."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks.denoising._denoiser import Denoiser
from passband.signal.tasks.denoising._figures import record_figure
from passband.signal.tasks.denoising._record import Record, SeismicFile, at_rate


@dataclass(frozen=True)
class FileParts:
    """Signal and noise of each record of a file.

    Attributes:
        signals: ``(channels, time)`` each.
        noises: ``(channels, time)`` each; the two sum to the record.
        traces: channels in all.
        without_signal: of these, constant or too short ones, which are noise as they are.
        noise_power: share of the power, offsets left out, that is noise; None where none is left.
    """

    signals: list[Tensor]
    noises: list[Tensor]
    traces: int
    without_signal: int
    noise_power: float | None


def separate_file(file: SeismicFile, denoiser: Denoiser) -> FileParts:
    """Signal and noise of each record of ``file``; constant and too short traces have no signal.

    Raises:
        InputError: none of its traces can be denoised.

    Example:
        >>> from passband.signal.tasks.denoising import Splitter, SplitterSettings, UNetSettings
        >>> splitter = Splitter(SplitterSettings(network=UNetSettings(depth=2, root=2)))
        >>> samples = torch.randn(2, 400, dtype=torch.float64)
        >>> samples[1] = 5
        >>> file = SeismicFile([Record(samples, 100.0)], lambda path, parts: None)
        >>> parts = separate_file(file, Denoiser(splitter.eval(), 3000))
        >>> parts.without_signal, parts.signals[0][1].abs().max()
        (1, tensor(0., dtype=torch.float64))
    """
    found = [_separate(record, denoiser) for record in file.records]
    traces = sum(len(record.samples) for record in file.records)
    silent = sum(count for _, count in found)
    if silent == traces:
        raise InputError(
            f"none of the {traces} traces can be denoised: each is constant, or shorter than "
            f"{denoiser.shortest:g} s. Check the record."
        )
    signals = [signal for signal, _ in found]
    noises = [
        record.samples - signal for record, (signal, _) in zip(file.records, found, strict=True)
    ]
    return FileParts(signals, noises, traces, silent, _share(signals, noises))


def _separate(record: Record, denoiser: Denoiser) -> tuple[Tensor, int]:
    """Signal of a record, and how many of its channels have none."""
    samples = record.samples
    signal = torch.zeros_like(samples)
    if record.seconds < denoiser.shortest:
        return signal, len(samples)
    alive = samples.amax(dim=-1) > samples.amin(dim=-1)
    if alive.any():
        signal[alive] = denoiser(samples[alive], record.sample_rate).signal
    return signal, int((~alive).sum())


def _share(signals: Sequence[Tensor], noises: Sequence[Tensor]) -> float | None:
    """Mean over the traces with power, each at its own scale."""
    shares = []
    for signal, noise in zip(signals, noises, strict=True):
        quiet, loud = noise.var(dim=-1, correction=0), signal.var(dim=-1, correction=0)
        known = (loud > 0) & (quiet + loud > 0)
        shares += (quiet / (quiet + loud))[known].tolist()
    return sum(shares) / len(shares) if shares else None


def draw_record(records: Sequence[Record], denoiser: Denoiser) -> bytes:
    """PNG of a window of the first trace that is not constant, around its largest amplitude.

    Args:
        records: of a file, of which at least one trace can be denoised.
        denoiser: draws the masks.

    Example:
        >>> from passband.signal.tasks.denoising import Splitter, SplitterSettings, UNetSettings
        >>> splitter = Splitter(SplitterSettings(network=UNetSettings(depth=2, root=2)))
        >>> records = [Record(torch.randn(1, 400, dtype=torch.float64), 100.0)]
        >>> draw_record(records, Denoiser(splitter.eval(), 3000))[1:4]
        b'PNG'
    """
    for record in records:
        for samples in record.samples:
            centred = samples - samples.mean()
            if record.seconds >= denoiser.shortest and float(centred.abs().max()) > 0:
                return _draw(centred, record.sample_rate, denoiser)
    raise InputError("no trace is long enough to be drawn. Leave --picture out.")


def _draw(centred: Tensor, sample_rate: float, denoiser: Denoiser) -> bytes:
    slow = at_rate(centred / centred.abs().max(), sample_rate, denoiser.sample_rate).float()
    length = min(denoiser.samples, len(slow))
    peak = int(slow.abs().argmax())
    start = min(max(0, peak - length // 3), len(slow) - length)
    return record_figure(denoiser.splitter, slow[start : start + length])
