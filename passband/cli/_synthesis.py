"""What `passband vocode` makes sounds with, and how one file becomes sound."""

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from passband.cli._feature_files import FEATURE_SUFFIXES, read_features
from passband.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from passband.vocoder import GriffinLim, Vocos
    from passband.vocoder._packed import Precision

_LONG = 60.0  # seconds of sound from which it is said how far one file is
_CHUNK = 1024  # frames synthesised between two words about it


class PrecisionName(StrEnum):
    """Types that matrices are multiplied in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@dataclass(frozen=True)
class Synthesis:
    """What makes the sounds, and how."""

    vocoder: "Vocos | GriffinLim"
    precision: PrecisionName
    bandwidth_id: int | None
    device: "torch.device"
    compiled: bool = False


def choose_synthesis(
    model: str | None,
    precision: PrecisionName,
    bandwidth_id: int | None,
    device: str,
    *,
    compiled: bool,
) -> Synthesis:
    """The vocoder of ``model``, or Griffin-Lim."""
    from passband.training import choose_device
    from passband.vocoder import GriffinLim, Vocos

    place = choose_device(device)
    if model is not None:
        vocos = Vocos.from_pretrained(model).to(place)
        if compiled:
            vocos.compile(dynamic=True)
        return Synthesis(vocos, precision, bandwidth_id, place, compiled)
    for option, given in (
        ("--precision bfloat16", precision is PrecisionName.BFLOAT16),
        ("--bandwidth-id", bandwidth_id is not None),
        ("--compile", compiled),
    ):
        if given:
            raise InputError(f"{option} needs a vocoder. Pass --model.")
    typer.echo("no --model: Griffin-Lim, the baseline without weights", err=True)
    return Synthesis(GriffinLim().to(place), precision, None, place)


def features_of(path: Path, how: Synthesis) -> "tuple[Tensor, int | None, int | None]":
    """Features of each channel, the samples of the sound they are of, if of one, the bandwidth."""
    from passband.frequency import resample
    from passband.media import read_audio

    if path.suffix.lower() in FEATURE_SUFFIXES:
        found = read_features(path).to(how.device)
        if not found.is_floating_point():
            return _features_of_codes(found, how)
        return found, None, how.bandwidth_id
    sound = read_audio(path)
    if not bool(sound.samples.any()):
        raise InputError(f"{path} is silent: every sample is 0. Leave it out.")
    samples, rate = sound.samples, how.vocoder.sample_rate
    if sound.sample_rate != rate:
        samples = resample(samples, sound.sample_rate, rate)
    extra: dict[str, Any] = {} if how.bandwidth_id is None else {"bandwidth_id": how.bandwidth_id}
    features = how.vocoder.features(samples.to(how.device), **extra)
    return features, samples.shape[-1], how.bandwidth_id


def _features_of_codes(codes: "Tensor", how: Synthesis) -> "tuple[Tensor, None, int | None]":
    """Features of codes ``(codebooks, channels, frames)``; their number tells the bandwidth."""
    from passband.vocoder import EncodecFeatures, Vocos
    from passband.vocoder._encodec_features import codebooks

    vocoder, bandwidth_id = how.vocoder, how.bandwidth_id
    extractor = vocoder.feature_extractor
    if not isinstance(vocoder, Vocos) or not isinstance(extractor, EncodecFeatures):
        raise InputError(
            "whole numbers are codes, which need a vocoder of EnCodec's codes. Pass features as "
            "floats, or such a vocoder with --model."
        )
    features = vocoder.codes_to_features(codes)
    if bandwidth_id is None and vocoder.backbone.conditions is not None:
        known = [codebooks(bandwidth) for bandwidth in extractor.bandwidths]
        if len(codes) not in known:
            raise InputError(
                f"{len(codes)} codebooks are no bandwidth of this vocoder, which has "
                f"{', '.join(map(str, known))}. Pass --bandwidth-id."
            )
        bandwidth_id = known.index(len(codes))
    return features, None, bandwidth_id


def sound_of(
    how: Synthesis,
    features: "Tensor",
    length: int | None,
    bandwidth_id: int | None,
    *,
    shown: bool,
) -> "Tensor":
    """Sound of ``features``; with a vocoder a chunk at a time, and for long ones said how far."""
    import torch

    from passband.vocoder import Vocos

    vocoder, frames = how.vocoder, features.shape[-1]
    precision: Precision = how.precision.value
    if not isinstance(vocoder, Vocos):
        torch.manual_seed(0)  # the same sound again, whatever was made before it
        audio: Tensor = vocoder(features, length=length)
        return audio
    seconds = frames * vocoder.hop_length / vocoder.sample_rate
    if how.compiled or not shown or seconds < _LONG:  # a stream is not compiled
        whole: Tensor = vocoder(features, bandwidth_id, length=length, precision=precision)
        return whole
    from passband.cli._count import CountReporter

    stream, parts = vocoder.stream(bandwidth_id, precision=precision), []
    with CountReporter("seconds") as reporter:
        for start in range(0, frames, _CHUNK):
            parts.append(stream.push(features[..., start : start + _CHUNK]))
            done = math.ceil(seconds * min(1.0, (start + _CHUNK) / frames))
            reporter.update(done, math.ceil(seconds), failed=0)
        parts.append(stream.finish(length=length))
    return torch.cat(parts, dim=-1)
