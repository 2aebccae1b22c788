"""Features of all clips of a training, computed once."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks._feature_cache import FeatureCache
from passband.signal.tasks.classification._clips import LabelledClips
from passband.signal.tasks.classification._frontend import Frontend, clip_features
from passband.signal.tasks.classification._recipe import ClassifierRecipe

_EVERY = 10.0  # seconds between lines


@dataclass(frozen=True)
class ClipFeatures:
    """Clips with what the network sees of them.

    Attributes:
        clips: those that could be read.
        features: of each, ``(windows, bins, frames)``.
        levels: whether they are levels in decibels.
        seconds: time it took.
    """

    clips: LabelledClips
    features: list[Tensor]
    levels: bool
    seconds: float


def read_features(recipe: ClassifierRecipe, clips: LabelledClips) -> ClipFeatures:
    """Features of every clip; one that cannot be read is left out and named.

    Args:
        recipe: whose representation and data.
        clips: whose files.

    Raises:
        InputError: too few can be read, or the representation does not suit them.
        OutputError: the cache cannot be written.
    """
    began = spoke = time.monotonic()
    frontend = Frontend(recipe.representation, recipe.data)
    cache = FeatureCache(None if recipe.data.cache is None else Path(recipe.data.cache))
    found: dict[int, Tensor] = {}
    bad: dict[int, str] = {}
    for index, path in enumerate(clips.files):
        compute = clip_features(frontend, path, recipe.data.most_windows)
        try:
            found[index] = cache.get(path, frontend.key, compute)
        except InputError as error:
            bad[index] = " ".join(str(error).split())
            sys.stderr.write(f"left out: {bad[index]}\n")
        if time.monotonic() - spoke > _EVERY:
            spoke = time.monotonic()
            sys.stderr.write(f"features of {index + 1}/{len(clips.files)} clips\n")
    kept = clips.without(bad)
    numbers = {path: index for index, path in enumerate(clips.files)}
    features = [found[numbers[path]] for path in kept.files]
    return ClipFeatures(kept, features, frontend.levels, time.monotonic() - began)
