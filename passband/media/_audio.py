"""Read and write sound as float tensors (channels, time)."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader, BytesIO
from pathlib import Path

import numpy as np
import soundfile
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from passband.atomic import write_bytes_atomic
from passband.errors import InputError
from passband.media import _mp3, _ogg, _wav
from passband.media._faults import Header, check_finite, check_size, cut_short, damaged
from passband.media._open import open_input
from passband.media._probe import HEADERS
from passband.media._sniff import KINDS, SUFFIXES, label, sniff
from passband.media._values import as_array, to_signed

# A stream libsndfile can read in full, or `InputError`; FLAC finds its own gaps.
_BODIES: dict[str, Callable[[BufferedReader, str], BufferedIOBase]] = {
    "WAV": _wav.body,
    "FLAC": lambda file, _: file,
    "OGG": _ogg.body,
    "MP3": _mp3.body,
}
_BLOCK = 2**18  # samples decoded or encoded at once; libsndfile's Vorbis overflows on large ones
_BIT_DEPTHS = {"WAV": (16, 24, 32), "FLAC": (16, 24)}
_MOST_CHANNELS = {"WAV": 1024, "FLAC": 8, "OGG": 255, "MP3": 2}
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound.

    Args:
        samples: on [-1, 1) where the file stores integers, unbounded where it stores floats.
        sample_rate: in Hz.
        bit_depth: bits per sample in the file; None where it is compressed with loss.
        format: "WAV", "FLAC", "OGG" or "MP3".
    """

    samples: Float32[Tensor, "channels time"]
    sample_rate: int
    bit_depth: int | None
    format: str


class _ForwardReader(soundfile.SoundFile):
    """A reader that never seeks: seeking fails in FLAC streams that do not say their length."""

    def seekable(self) -> bool:
        return False


def read_audio(path: str | os.PathLike[str], *, max_samples: int = 2**27) -> Audio:
    """The sound in a file, its integers divided by ``2^(bit_depth - 1)``.

    The format is told by the content. A file written to a pipe, whose header leaves the length
    open, is read as far as it goes.

    Args:
        path: WAV, FLAC, Ogg (Vorbis, Opus, FLAC) or MP3 file, of any rate and number of channels.
        max_samples: the most numbers (channels x time) to take memory for.

    Returns:
        `Audio` with float32 samples of shape (channels, time).

    Raises:
        InputError: the file is missing, unreadable, empty, cut short, damaged, too long, of
            another kind, without samples, or holds NaN or infinite samples.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_audio(Path(folder) / "a.flac", torch.tensor([[0.5, -0.25]]), 16000)
        ...     audio = read_audio(Path(folder) / "a.flac")
        >>> audio.samples, audio.sample_rate, audio.bit_depth
        (tensor([[ 0.5000, -0.2500]]), 16000, 16)

    Agrees with scipy.io.wavfile to the last bit of float32.
    """
    path = Path(path)
    with open_input(path) as file:
        format_ = sniff(file, path)
        name = label(path, format_)
        if KINDS[format_] != "audio":
            kind = f"{'an' if KINDS[format_] == 'image' else 'a'} {KINDS[format_]}"
            raise InputError(f"{name} holds {kind} ({format_}), not audio. Pass a sound file.")
        header = HEADERS[format_](file, name)
        if header.shape[1]:
            check_size(name, header, max_samples)
        samples = _decode(_BODIES[format_](file, name), name, header, max_samples)
    check_finite(name, samples, ("channel", "sample"))
    assert header.sample_rate is not None  # every audio format states it
    return Audio(torch.from_numpy(samples), header.sample_rate, header.bit_depth, format_)


def write_audio(
    path: str | os.PathLike[str],
    samples: Float[Tensor, "channels time"] | Float[np.ndarray, "channels time"],
    sample_rate: int,
    *,
    bit_depth: int = 16,
) -> None:
    """Write a sound whole or not at all, in the format its suffix names.

    Integers are ``round(x 2^(bit_depth - 1))``, clipped to what they hold; 32-bit WAV holds floats
    as they are. Ogg (Vorbis) and MP3 lose detail, and clip to [-1, 1].

    Args:
        path: .wav (16, 24 or 32 bits), .flac (16 or 24), .ogg or .mp3.
        samples: one row per channel, on [-1, 1].
        sample_rate: in Hz, positive.
        bit_depth: bits per sample; Ogg and MP3 have none and take no notice.

    Raises:
        InputError: an unknown suffix, or samples, a rate or a depth the format cannot hold.
        OutputError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_audio(Path(folder) / "a.wav", torch.tensor([[2.0]]), 8000, bit_depth=32)
        ...     read_audio(Path(folder) / "a.wav").samples.item()
        2.0
    """
    format_ = SUFFIXES.get(Path(path).suffix.lower(), "")
    if format_ not in _BODIES or Path(path).suffix.lower() == ".opus":
        raise InputError(
            f"{path} ends in {Path(path).suffix or 'no suffix'!r}; sound is written as "
            f".wav, .flac, .ogg or .mp3. Choose one of these."
        )
    channels = as_array(samples, "samples", ("channels", "time"))
    _check_parameters(format_, len(channels), sample_rate, bit_depth)
    frames = channels.T
    if bit_depth == 32 or format_ not in _BIT_DEPTHS:
        frames = frames.astype(np.float32)
    else:
        frames = to_signed(frames, bit_depth)
    if format_ == "WAV":
        data = _wav.encode(frames, sample_rate, bit_depth)
    else:
        data = _encode(frames, sample_rate, format_, bit_depth)
    write_bytes_atomic(path, data)


def _decode(stream: BufferedIOBase, name: str, header: Header, max_samples: int) -> np.ndarray:
    blocks: list[np.ndarray] = []
    count = 0
    promised = header.shape[1]
    try:
        with _ForwardReader(_source(stream), closefd=False) as reader:
            size = max(1, _BLOCK // reader.channels)
            while len(block := reader.read(size, dtype="float32", always_2d=True)):
                blocks.append(block.T)
                count += len(block)
                # Only a header that leaves the length open can be wrong about it here.
                check_size(name, Header((reader.channels, count), None), max_samples)
    except soundfile.LibsndfileError as error:
        of = f" of {promised:,}" if promised else ""
        raise damaged(
            name, f"{error.error_string.rstrip('.')} after {count:,}{of} samples"
        ) from error
    if count < promised:
        raise cut_short(name, f"{count:,} of {promised:,} samples per channel are there")
    check_size(name, Header((header.shape[0], count), None), max_samples)
    return np.concatenate(blocks, axis=1)


def _source(stream: BufferedIOBase) -> BufferedIOBase | int:
    """What to hand to soundfile: a file as its descriptor, since it trusts a .raw in a name."""
    if isinstance(stream, BytesIO):
        return stream
    os.lseek(stream.fileno(), 0, os.SEEK_SET)
    return stream.fileno()


def _encode(frames: np.ndarray, sample_rate: int, format_: str, bit_depth: int) -> bytes:
    if format_ == "FLAC":
        subtype = f"PCM_{bit_depth}"
        stored = frames << 8 if bit_depth == 24 else frames  # libsndfile keeps the upper 24 of 32
    else:
        subtype = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}[format_]
        stored = frames.clip(-1, 1)
    buffer = BytesIO()
    size = max(1, _BLOCK // frames.shape[1])
    try:
        with soundfile.SoundFile(
            buffer, "w", sample_rate, frames.shape[1], subtype, format=format_
        ) as writer:
            for start in range(0, len(stored), size):
                writer.write(np.ascontiguousarray(stored[start : start + size]))
    except soundfile.LibsndfileError as error:
        raise InputError(
            f"`sample_rate` (={sample_rate} Hz) with {frames.shape[1]} channels cannot be written "
            f"as {format_} ({error.error_string.rstrip('.')}). Write .wav instead."
        ) from error
    return buffer.getvalue()


def _check_parameters(format_: str, channels: int, sample_rate: int, bit_depth: int) -> None:
    if sample_rate <= 0:
        raise InputError(f"`sample_rate` (={sample_rate} Hz) must be positive. Pass e.g. 44100.")
    if format_ == "MP3" and sample_rate not in _MP3_RATES:
        raise InputError(
            f"`sample_rate` (={sample_rate} Hz) of MP3 must be one of {_MP3_RATES}. "
            f"Resample, or write .flac."
        )
    if channels > _MOST_CHANNELS[format_]:
        raise InputError(
            f"`samples` (of {channels} channels) must have at most {_MOST_CHANNELS[format_]} "
            f"in {format_}. Pass (channels, time), or write .wav."
        )
    allowed = _BIT_DEPTHS.get(format_)
    if allowed and bit_depth not in allowed:
        listed = " or ".join(str(bits) for bits in allowed)
        raise InputError(f"`bit_depth` (={bit_depth}) of {format_} must be {listed}. Pass one.")
