"""Noisy speech made on the fly from speech and noise."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.frequency import resample
from passband.signal.tasks._recordings import Recordings
from passband.signal.tasks.enhancement.learning._recipe import MixtureSettings
from passband.training import make_generator

_ITEM = 301  # stream of the numbers of a crop
_QUIET = 1e-4  # root mean square below which a crop has nothing to mix, at a file's peak of 1
_PER_SPEED = 20  # speeds are multiples of a twentieth: short filters


@dataclass(frozen=True)
class Pair:
    """Noisy speech and the speech in it, both ``(*batch, time)``."""

    noisy: Tensor
    clean: Tensor


class Mixtures:
    """Batches of noisy and clean crops, a function of seed, step and item alone.

    Of a random file of speech and one of noise random stretches are taken, files shorter than the
    crop repeated. A silent stretch gives way to one around the file's loudest sample, and files
    that cannot be read leave their place to others. Where a room is drawn, both target and mixture
    have its reverberation: it is noise that is to go.

    Args:
        speech: files with a peak of 1.
        noise: files with a peak of 1.
        rooms: impulse responses; may hold none.
        settings: levels and lengths.
        seed: of all that is drawn.

    Raises:
        InputError: in a call, if no file of speech or of noise can be used.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from passband.media import write_audio
        >>> path = Path(tempfile.mkdtemp()) / "a.wav"
        >>> write_audio(path, torch.rand(1, 4000), 8000)
        >>> sounds, settings = Recordings([path], 8000), MixtureSettings(seconds=0.1, batch_size=2)
        >>> mixtures = Mixtures(sounds, sounds, Recordings([], 8000), settings, seed=0)
        >>> mixtures(7).noisy.shape, torch.equal(mixtures(7).noisy, mixtures(7).noisy)
        (torch.Size([2, 800]), True)

    Reference: on-line mixing as in Reddy et al., The INTERSPEECH 2020 deep noise suppression
    challenge, INTERSPEECH, 2020, section 2; speeds as in Ko et al., Audio augmentation for speech
    recognition, INTERSPEECH, 2015; the draws are ours.
    """

    def __init__(
        self,
        speech: Recordings,
        noise: Recordings,
        rooms: Recordings,
        settings: MixtureSettings,
        *,
        seed: int,
    ) -> None:
        self.speech, self.noise, self.rooms = speech, noise, rooms
        self.settings, self.seed = settings, seed
        self.samples = round(settings.seconds * speech.sample_rate)

    def __call__(self, step: int) -> Pair:
        """The crops of step ``step`` (from 0), ``(batch, samples)``."""
        count = self.settings.batch_size
        pairs = [self._pair(step, item) for item in range(count)]
        return Pair(torch.stack([p.noisy for p in pairs]), torch.stack([p.clean for p in pairs]))

    def _pair(self, step: int, item: int) -> Pair:
        draw = make_generator(self.seed, _ITEM, step, item)
        clean = self._room(self._voice(draw), draw)
        noise = draw_crop("noise", self.noise, self.samples, draw)
        snr_db = _uniform(self.settings.snr_db, draw)
        pair = mixed(clean, noise, snr_db)
        scale = 10 ** (_uniform(self.settings.peak_db, draw) / 20) / float(pair.noisy.abs().max())
        return Pair(scale * pair.noisy, scale * pair.clean)

    def _voice(self, draw: torch.Generator) -> Tensor:
        speeds = self.settings.speeds
        speed = speeds[int(torch.randint(len(speeds), (), generator=draw))]
        rate = round(_PER_SPEED * speed)
        crop = draw_crop("speech", self.speech, -(-self.samples * rate // _PER_SPEED), draw)
        return resample(crop, rate, _PER_SPEED)[: self.samples]

    def _room(self, clean: Tensor, draw: torch.Generator) -> Tensor:
        # The same numbers are drawn with and without a room.
        chance, which = torch.rand(2, generator=draw, dtype=torch.float64).tolist()
        if not len(self.rooms) or chance >= self.settings.room_probability:
            return clean
        room = self.rooms(int(which * len(self.rooms)))
        return clean if room is None else reverberated(clean, room)


def mixed(clean: Float[Tensor, " time"], noise: Float[Tensor, " time"], snr_db: float) -> Pair:
    """``clean`` and noise at ``10 log10(|clean|^2 / |noise|^2) = snr_db`` below it.

    Example:
        >>> pair = mixed(torch.tensor([1.0, -1.0]), torch.tensor([3.0, 3.0]), 20.0)
        >>> pair.noisy
        tensor([ 1.1000, -0.9000])
    """
    ratio = clean.norm() / noise.norm().clamp_min(1e-9)
    return Pair(clean + noise * (ratio * 10 ** (-snr_db / 20)), clean)


def reverberated(
    clean: Float[Tensor, " time"], room: Float[Tensor, " taps"]
) -> Float[Tensor, " time"]:
    """``clean`` in a room, without the delay of the strongest path, at the level it had.

    Example:
        >>> reverberated(torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]))
        tensor([1., 0., 0.])
    """
    begin = int(room.abs().argmax())
    size = len(clean) + len(room)
    spectrum = torch.fft.rfft(clean, size) * torch.fft.rfft(room, size)
    out = torch.fft.irfft(spectrum, size)[begin : begin + len(clean)]
    wet: Tensor = out * (clean.norm() / out.norm().clamp_min(1e-9))
    return wet


def draw_crop(
    what: str, recordings: Recordings, samples: int, draw: torch.Generator
) -> Float[Tensor, " samples"]:
    """A random stretch of a random file, as `find_crop`."""
    first = int(torch.randint(len(recordings), (), generator=draw))
    return find_crop(what, recordings, first, samples, draw)[1]


def find_crop(
    what: str, recordings: Recordings, first: int, samples: int, draw: torch.Generator
) -> tuple[int, Float[Tensor, " samples"]]:
    """A random stretch in which there is something, and the number of its file.

    Args:
        what: name of the files, for errors.
        recordings: files with a peak of 1.
        first: number of the file to take, if it can be used; else it is one after it.
        samples: to take; shorter files are repeated.
        draw: what chance is taken from.

    Raises:
        InputError: no file can be read, or all are silent.
    """
    for offset in range(len(recordings)):
        index = (first + offset) % len(recordings)
        sound = recordings(index)
        if sound is None or not len(sound):
            continue
        where = float(torch.rand((), generator=draw, dtype=torch.float64))
        part = _stretch(sound, samples, int(where * (len(sound) - samples + 1)))
        if _is_quiet(part):
            part = _stretch(sound, samples, int(sound.abs().argmax()) - int(where * samples))
        if not _is_quiet(part):
            return index, part
    raise InputError(
        f"none of the {len(recordings)} files of {what} can be used. The first says: "
        f"{next(iter(recordings.faults.values()), 'it is silent')}"
    )


def _stretch(sound: Tensor, samples: int, begin: int) -> Tensor:
    """``samples`` from ``begin`` or from where they begin last; a short sound is repeated."""
    if len(sound) < samples:
        return sound.repeat(-(-samples // len(sound)))[:samples]
    begin = min(max(begin, 0), len(sound) - samples)
    return sound[begin : begin + samples]


def _is_quiet(sound: Tensor) -> bool:
    return float(sound.square().mean().sqrt()) < _QUIET


def _uniform(limits: tuple[float, float], draw: torch.Generator) -> float:
    low, high = limits
    return low + (high - low) * float(torch.rand((), generator=draw, dtype=torch.float64))
