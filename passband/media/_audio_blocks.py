"""Long sounds block by block: what is read and written never stands in memory as a whole."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
import soundfile
import torch
from jaxtyping import Float
from torch import Tensor

from passband.atomic import atomic_path
from passband.errors import InputError
from passband.media._audio import (
    _BIT_DEPTHS,
    _BODIES,
    _check_parameters,
    _ForwardReader,
    _source,
)
from passband.media._faults import Header, check_finite, check_size, cut_short, damaged
from passband.media._open import open_input
from passband.media._probe import HEADERS
from passband.media._sniff import KINDS, SUFFIXES, label, sniff
from passband.media._values import to_signed

_NUMBERS = 2**19  # channels x time decoded at once; libsndfile's Vorbis overflows on large blocks
_LONGEST_WAV = 2**32 - 2**16  # bytes of samples
_SUBTYPES = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}


@dataclass(frozen=True, eq=False)
class AudioBlocks:
    """A sound being read.

    Attributes:
        channels: number of channels.
        time: samples of each, 0 where a FLAC stream leaves it open.
        sample_rate: in Hz.
        bit_depth: bits per sample in the file; None where it is compressed with loss.
        blocks: the sound ``(channels, time)`` piece by piece, once.
    """

    channels: int
    time: int
    sample_rate: int
    bit_depth: int | None
    blocks: Iterator[Tensor]


@contextmanager
def open_audio(path: str | os.PathLike[str]) -> Iterator[AudioBlocks]:
    """The sound that `read_audio` would read, in blocks, however long.

    Args:
        path: WAV, FLAC, Ogg or MP3 file.

    Yields:
        `AudioBlocks`, to be used within the context.

    Raises:
        InputError: as for `read_audio`; what lies in the samples is found when they are reached.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.flac"
        >>> with create_audio(path, channels=1, sample_rate=8000) as write:
        ...     write(torch.tensor([[0.5, -0.25]]))
        >>> with open_audio(path) as sound:
        ...     sound.sample_rate, torch.cat(list(sound.blocks), dim=1)
        (8000, tensor([[ 0.5000, -0.2500]]))
    """
    path = Path(path)
    with open_input(path) as file:
        format_ = sniff(file, path)
        name = label(path, format_)
        if KINDS[format_] != "audio":
            raise InputError(f"{name} holds no sound ({format_}). Pass a sound file.")
        header = HEADERS[format_](file, name)
        if header.shape[1]:
            check_size(name, header, max(1, header.shape[0] * header.shape[1]))
        assert header.sample_rate is not None  # every audio format states it
        channels, time = header.shape
        blocks = _decoded(file, format_, name, header)
        yield AudioBlocks(channels, time, header.sample_rate, header.bit_depth, blocks)


def _decoded(file: BufferedReader, format_: str, name: str, header: Header) -> Iterator[Tensor]:
    channels, promised = header.shape
    count = 0
    stream = _BODIES[format_](file, name)
    try:
        with _ForwardReader(_source(stream), closefd=False) as reader:
            size = max(1, _NUMBERS // reader.channels)
            while len(block := reader.read(size, dtype="float32", always_2d=True)):
                count += len(block)
                check_finite(name, block.T, ("channel", "sample"))
                yield torch.from_numpy(np.ascontiguousarray(block.T))
    except soundfile.LibsndfileError as error:
        of = f" of {promised:,}" if promised else ""
        raise damaged(
            name, f"{error.error_string.rstrip('.')} after {count:,}{of} samples"
        ) from error
    if count < promised:
        raise cut_short(name, f"{count:,} of {promised:,} samples per channel are there")
    check_size(name, Header((channels, count), None), max(1, channels * count))


@contextmanager
def create_audio(
    path: str | os.PathLike[str], *, channels: int, sample_rate: int, bit_depth: int = 16
) -> Iterator[Callable[[Float[Tensor, "channels time"]], None]]:
    """The file that `write_audio` would write, from blocks; whole once the context ends, or not.

    Args:
        path: .wav or .flac (16 or 24 bits), .ogg or .mp3.
        channels: number of channels.
        sample_rate: in Hz.
        bit_depth: bits per sample; Ogg and MP3 have none and take no notice.

    Yields:
        A function that takes the next block ``(channels, time)``; values are clipped to [-1, 1].

    Raises:
        InputError: an unknown suffix, or what the format cannot hold.
        OutputError: the file cannot be written.
    """
    format_ = SUFFIXES.get(Path(path).suffix.lower(), "")
    if format_ not in _BODIES or Path(path).suffix.lower() == ".opus":
        raise InputError(
            f"{path} ends in {Path(path).suffix or 'no suffix'!r}; sound is written as "
            f".wav, .flac, .ogg or .mp3. Choose one of these."
        )
    _check_parameters(format_, channels, sample_rate, bit_depth)
    subtype = _SUBTYPES.get(format_, f"PCM_{bit_depth}")
    written = 0
    with atomic_path(path) as temporary:
        try:
            writer = soundfile.SoundFile(
                str(temporary), "w", sample_rate, channels, subtype, format=format_
            )
        except soundfile.LibsndfileError as error:
            raise InputError(
                f"`sample_rate` (={sample_rate} Hz) with {channels} channels cannot be written as "
                f"{format_} ({error.error_string.rstrip('.')}). Write .wav instead."
            ) from error

        def write(block: Float[Tensor, "channels time"]) -> None:
            nonlocal written
            written += block.numel() * bit_depth // 8
            if format_ == "WAV" and written > _LONGEST_WAV:
                raise InputError(f"{path} would be longer than a WAV file holds. Write .flac.")
            for part in block.split(max(1, _NUMBERS // channels), dim=1):
                writer.write(_stored(part.T.cpu().numpy(), format_, bit_depth))

        with writer:
            yield write


def _stored(frames: np.ndarray, format_: str, bit_depth: int) -> np.ndarray:
    """As libsndfile takes them: floats where it compresses with loss, else whole numbers."""
    if format_ not in _BIT_DEPTHS:
        return np.ascontiguousarray(frames.clip(-1, 1))
    whole = to_signed(frames, bit_depth)
    # Of 32 bits it keeps the upper 24.
    return np.ascontiguousarray(whole << 8 if bit_depth == 24 else whole)
