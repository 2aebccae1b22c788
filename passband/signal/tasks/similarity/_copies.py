"""Features of every sound and of transformed copies of it, made once."""

import json
import math
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from passband.errors import InputError
from passband.signal.tasks import FeatureCache, Recordings, unchanged
from passband.signal.tasks.similarity._audible import audible_span
from passband.signal.tasks.similarity._embedder import Embedder
from passband.signal.tasks.similarity._recipe import EmbedderRecipe, TransformationSettings
from passband.signal.tasks.similarity._transformations import equalised, pitch_shifted, stretched
from passband.training import make_generator

_MEMORY = 2**30  # bytes of features
_STREAMS = {"pitch": 311, "tempo": 312, "equaliser": 313}

Transformation = Callable[[Tensor], Tensor]
_ORIGINAL: tuple[str, float, Transformation] = ("", 1.0, unchanged)


def transformation(
    term: str, settings: TransformationSettings, sample_rate: int, generator: torch.Generator
) -> tuple[str, float, Transformation]:
    """A transformation of the kind ``term`` drawn within ``settings``.

    Returns:
        What it is, in words; the tempo it leaves; and itself.

    Example:
        >>> drawn = torch.Generator().manual_seed(0)
        >>> transformation("tempo", TransformationSettings(), 16000, drawn)[:2]
        ('tempo 1.1870', 1.187)
    """
    draws = torch.rand(6, generator=generator, dtype=torch.float64).tolist()
    if term == "pitch":
        semitones = round(settings.pitch * (2 * draws[0] - 1), 2)
        said = f"pitch {semitones:+.2f}"
        return said, 1.0, lambda sound: pitch_shifted(sound, semitones, sample_rate)
    if term == "tempo":
        tempo = round(math.exp(math.log1p(settings.tempo) * (2 * draws[0] - 1)), 4)
        return f"tempo {tempo:.4f}", tempo, lambda sound: stretched(sound, tempo)
    low, peak, high = (round(settings.equaliser * (2 * u - 1), 1) for u in draws[:3])
    top = sample_rate / 2
    spans = ((top / 80, top / 20), (top / 20, top / 3), (top / 4, top / 1.3))
    f1, f2, f3 = (round(a * (b / a) ** u) for (a, b), u in zip(spans, draws[3:], strict=True))
    gains, corners = (low, peak, high), (float(f1), float(f2), float(f3))
    return (
        f"equaliser {gains} {corners}",
        1.0,
        lambda sound: equalised(sound, sample_rate, gains_db=gains, corners_hz=corners),
    )


class Copies:
    """Levels of every file, and of its copies by number, whatever is asked for made once.

    Which transformation copy k of a file is depends on the file's content, k and the seed alone.

    Args:
        recordings: the files.
        recipe: says the representation and the transformations.
        embedder: its representation is used.
        cache: where features are kept.

    Example:
        >>> import tempfile
        >>> from passband.media import write_audio
        >>> path = Path(tempfile.mkdtemp()) / "a.wav"
        >>> write_audio(path, torch.randn(1, 40000) / 8, 16000)
        >>> recipe = EmbedderRecipe()
        >>> copies = Copies(
        ...     Recordings([path], 16000), recipe, Embedder(recipe), FeatureCache(None)
        ... )
        >>> levels, tempo = copies(0, "tempo", 1)
        >>> copies(0)[0].shape, 1 / 1.2 < tempo < 1.2
        (torch.Size([64, 126]), True)
    """

    def __init__(
        self,
        recordings: Recordings,
        recipe: EmbedderRecipe,
        embedder: Embedder,
        cache: FeatureCache,
    ) -> None:
        self.recordings, self.cache = recordings, cache
        self._recipe, self._samples = recipe, embedder.samples
        self._representation = recipe.representation.build(recipe.data.sample_rate)
        self._kept: OrderedDict[tuple[int, str, int], tuple[Tensor, float]] = OrderedDict()
        self._bytes = 0
        said = {
            **recipe.representation.model_dump(),
            **recipe.data.model_dump(include={"sample_rate", "longest"}),
            "samples": embedder.samples,
        }
        self._key = json.dumps(said, sort_keys=True)

    def __call__(self, index: int, term: str = "", number: int = 0) -> tuple[Tensor, float]:
        """Levels ``(bins, frames)`` of a file or of its copy, half precision, and its tempo.

        Raises:
            InputError: the file cannot be read, or is silent.
        """
        name = (index, term, number)
        if name not in self._kept:
            made = self._made(index, term, number)
            self._kept[name] = made
            self._bytes += made[0].nbytes
            while self._bytes > _MEMORY and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1][0].nbytes
        self._kept.move_to_end(name)
        return self._kept[name]

    def _made(self, index: int, term: str, number: int) -> tuple[Tensor, float]:
        path, rate = self.recordings.files[index], self._recipe.data.sample_rate
        said, tempo, change = _ORIGINAL
        if term:
            content = int(self.cache.content(path)[:15], 16)
            seed = self._recipe.training.seed
            generator = make_generator(seed, _STREAMS[term], content, number)
            settings = self._recipe.transformations
            said, tempo, change = transformation(term, settings, rate, generator)

        def compute() -> Tensor:
            sound = change(self._sound(index, path))
            sound = pad(sound, (0, max(0, self._samples - len(sound))))
            with torch.no_grad():
                levels: Tensor = self._representation(sound)
            return levels.half()

        return self.cache.get(path, f"{self._key} {said}", compute), tempo

    def _sound(self, index: int, path: Path) -> Tensor:
        sound = self.recordings(index)
        if sound is None:
            raise InputError(self.recordings.faults[path])
        start, stop = audible_span(sound)
        if stop == start:
            raise InputError(f"{path} is silent.")
        longest = round(self._recipe.data.longest * self._recipe.data.sample_rate)
        return sound[start : min(stop, start + longest)]
