"""A sound under a transform chosen by name: values, axes and the settings that made them."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from passband.errors import InputError
from passband.frequency import resample
from passband.signal._apply import allowed_settings, build, hop_of, run
from passband.signal._bins import bin_frequencies, first_centre
from passband.signal._choices import find_choice
from passband.signal._settings import as_json, read_settings

Channel = int | Literal["mix"]

_FLOOR = 1e-20  # of power; silence is no logarithm of zero


@dataclass(frozen=True)
class AnalysisPlan:
    """What to do with any sound; made and checked by `plan_analysis`.

    Args:
        transform: name of the transform.
        settings: those given, by name; the others are chosen by the sound's rate.
        channel: number of the channel from 0, or ``mix`` for their mean.
        sample_rate: rate in Hz to resample to first; None to keep the file's.
    """

    transform: str
    settings: Mapping[str, Any]
    channel: Channel = "mix"
    sample_rate: int | None = None

    def to_json(self) -> str:
        """The plan as one line of JSON; equal for equal plans."""
        return as_json(vars(self) | {"settings": dict(self.settings)})


@dataclass(frozen=True, eq=False)
class Analysis:
    """A sound under a transform.

    Args:
        values: real or complex, ``(bins, frames)``.
        times: of the frames, in seconds.
        frequencies: of the bins, in Hz; None where bins are no frequencies.
        names: of the bins, where they have other names than frequencies.
        sample_rate: of the signal transformed, in Hz.
        hop_length: samples from one frame to the next.
        plan: what was asked for.
        settings: every setting of the transform, by name.
    """

    values: Tensor
    times: Tensor
    frequencies: Tensor | None
    names: tuple[str, ...]
    sample_rate: int
    hop_length: int
    plan: AnalysisPlan
    settings: Mapping[str, Any]

    def levels(self) -> Tensor:
        """The values in decibels, or as they are where they are no powers of an amplitude."""
        choice = find_choice(self.plan.transform)
        if choice.exponent is None:
            return self.values
        exponent = self.settings.get("power") or choice.exponent
        if choice.logarithmic:
            return self.values * (20.0 / (exponent * math.log(10.0)))
        if self.values.is_complex():
            power = self.values.real.square() + self.values.imag.square()
        else:
            power = self.values.clamp_min(0).pow(2.0 / exponent)
        return 10.0 * torch.log10(power.clamp_min(_FLOOR))

    def later(self, seconds: float) -> "Analysis":
        """The same, its times counted from a start ``seconds`` earlier."""
        return replace(self, times=self.times + seconds)

    def to_npz(self, **extra: str | int) -> bytes:
        """A NumPy archive that loads without pickle; ``extra`` are further entries."""
        settings = {"transform": self.plan.transform, **self.settings}
        entries: dict[str, Any] = {
            "values": self.values.numpy(),
            "times": self.times.numpy(),
            "sample_rate": self.sample_rate,
            "hop_length": self.hop_length,
            "transform": self.plan.transform,
            "settings": as_json(settings),
            "channel": str(self.plan.channel),
        }
        if self.frequencies is not None:
            entries["frequencies"] = self.frequencies.numpy()
        elif self.names:
            entries["names"] = np.array(self.names)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **entries, **extra)
        return buffer.getvalue()


def plan_analysis(
    transform: str,
    assignments: Sequence[str] = (),
    *,
    channel: str = "mix",
    sample_rate: int | None = None,
) -> AnalysisPlan:
    """Check what a person asked for, before any file is read.

    Args:
        transform: name of the transform.
        assignments: settings such as ``hop_length=256``.
        channel: ``mix``, or the number of a channel from 0.
        sample_rate: in Hz, to resample to first.

    Raises:
        InputError: naming what is wrong, its value and what is allowed.

    Example:
        >>> plan_analysis("stft", ["n_fft=512"]).settings
        {'n_fft': 512}
    """
    allowed = allowed_settings(find_choice(transform))
    settings = read_settings(assignments, allowed, owner=transform)
    if channel != "mix" and not channel.isdecimal():
        raise InputError(
            f"`--channel` (={channel!r}) must be mix or a number from 0. Pass e.g. --channel 0."
        )
    if sample_rate is not None and sample_rate < 1:
        raise InputError(f"`--rate` (={sample_rate} Hz) must be positive. Pass e.g. 16000.")
    return AnalysisPlan(
        transform, settings, "mix" if channel == "mix" else int(channel), sample_rate
    )


def analyse(
    samples: Tensor, sample_rate: int, plan: AnalysisPlan, *, fit_length: bool = False
) -> Analysis:
    """The sound ``samples`` under ``plan``.

    Args:
        samples: ``(channels, time)``.
        sample_rate: in Hz.
        plan: what to do.
        fit_length: choose shorter frames for a sound too short for the usual ones; without it
            every sound of one rate gets the same settings.

    Raises:
        InputError: if the sound and the settings do not go together.
    """
    choice = find_choice(plan.transform)
    signal, rate = _one_channel(samples, plan.channel), sample_rate
    if plan.sample_rate is not None and plan.sample_rate != rate:
        signal, rate = resample(signal, rate, plan.sample_rate), plan.sample_rate
    chosen = choice.defaults(rate, len(signal) if fit_length else None)
    given = {**chosen, **plan.settings}
    settings = {name: default for name, (_, default) in allowed_settings(choice).items()} | given
    try:
        modules = build(choice, given, rate)
        hop = hop_of(choice, modules[0], settings)
        values = run(choice, modules, signal, hop)
    except ValueError as error:
        raise InputError(str(error)) from error
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate" not in str(error):
            raise
        raise InputError(
            f"the memory is too small for `{plan.transform}` of {len(signal):,} samples at {rate} "
            "Hz with these settings. Take a part, shorter frames or a lower sampling rate."
        ) from error
    count = values.shape[0]
    if choice.scale == "names":
        frequencies = None
    elif choice.frequencies is not None:
        frequencies = choice.frequencies(count, rate)
    else:
        frequencies = bin_frequencies(modules, settings, count, rate)
    return Analysis(
        values=values,
        times=(first_centre(settings) + hop * torch.arange(values.shape[-1])) / rate,
        frequencies=frequencies,
        names=choice.names if len(choice.names) == count else (),
        sample_rate=rate,
        hop_length=hop,
        plan=plan,
        settings=settings,
    )


def _one_channel(samples: Tensor, channel: Channel) -> Tensor:
    count = samples.shape[0]
    if channel == "mix":
        return samples.mean(dim=0)
    if channel >= count:
        raise InputError(
            f"`--channel` (={channel}) must be mix or at most {count - 1}: "
            f"there {'is one channel' if count == 1 else f'are {count} channels'}. Choose one."
        )
    return samples[channel]
