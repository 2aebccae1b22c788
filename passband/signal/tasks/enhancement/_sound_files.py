"""From sound file to sound file, through an enhancer, in as little memory as it allows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.media import read_audio
from passband.media._audio_blocks import AudioBlocks, create_audio, open_audio
from passband.signal.tasks.enhancement._enhancer import (
    CausalEnhancer,
    Enhancer,
    RateStream,
    enhance,
)


@dataclass(frozen=True)
class EnhancedFile:
    """What came of a file.

    Attributes:
        channels: of both files.
        samples: per channel, of both files.
        sample_rate: of both files, in Hz.
        model_rate: at which it was enhanced, in Hz.
        peak: largest magnitude before samples were clipped.
        clipped: samples beyond full scale, cut to it.
    """

    channels: int
    samples: int
    sample_rate: int
    model_rate: int
    peak: float
    clipped: int


def enhance_file(
    enhancer: nn.Module,
    source: Path,
    out: Path,
    *,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> EnhancedFile:
    """Enhance the sound in ``source``, every channel by itself, and write it to ``out``.

    A causal enhancer takes it block by block, so that an hour needs no more memory than a minute;
    any other needs the whole sound at once. Rate, channels and length stay, and 24 bits where the
    file has more than 16.

    Args:
        enhancer: of `load_enhancer`.
        source: sound file of any format, rate and number of channels.
        out: file to write, whole or not at all.
        report: takes the samples done and all of them (0 where the file does not say).

    Raises:
        InputError: the file cannot be read, or its sound not be held by the format of ``out``.
        OutputError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> from passband.media import write_audio
        >>> from passband.signal.tasks.enhancement import GTCRN
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_audio(folder / "noisy.wav", torch.zeros(2, 4410), 44100)
        >>> enhance_file(GTCRN().eval(), folder / "noisy.wav", folder / "out.flac").samples
        4410
    """
    device = next(iter(enhancer.parameters())).device
    assert isinstance(enhancer, Enhancer)
    samples = clipped = 0
    peak = 0.0
    with open_audio(source) as sound:
        depth = 24 if (sound.bit_depth or 16) > 16 else 16
        rate = sound.sample_rate
        with create_audio(out, channels=sound.channels, sample_rate=rate, bit_depth=depth) as write:
            for block in _enhanced(enhancer, device, sound, source):
                write(block)
                samples += block.shape[-1]
                if block.numel():
                    peak = max(peak, float(block.abs().max()))
                    clipped += int((block.abs() > 1).sum())
                report(samples, sound.time)
    return EnhancedFile(sound.channels, samples, rate, enhancer.sample_rate, peak, clipped)


def _enhanced(
    enhancer: Enhancer, device: torch.device, sound: AudioBlocks, source: Path
) -> Iterator[Tensor]:
    try:
        if not isinstance(enhancer, CausalEnhancer):
            whole = read_audio(source).samples.to(device)
            with torch.no_grad():  # not around the yield, where it would reach the caller
                enhanced = enhance(enhancer, whole, sound.sample_rate)
            yield enhanced
            return
        stream = RateStream(enhancer, sound.sample_rate)
        for block in sound.blocks:
            yield stream.push(block.to(device))
        yield stream.finish()
    except torch.OutOfMemoryError as error:
        raise InputError(
            f"{source} does not fit into the memory of {device}. Pass shorter files, or "
            "--device cpu."
        ) from error
