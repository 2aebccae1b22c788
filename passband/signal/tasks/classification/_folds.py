"""Folds drawn by chance where no table says them."""

from collections import defaultdict
from collections.abc import Sequence

import torch

from passband.training import make_generator

_FOLDS = 301  # stream of numbers


def draw_folds(
    labels: Sequence[str], sources: Sequence[str], count: int, *, seed: int
) -> list[int]:
    """Fold of each clip, 1 to ``count``: clips of one source together, classes spread evenly.

    The sources of each class are put in an order of chance, and the clips of each go to the fold
    that has fewest of the class, then fewest of all.

    Args:
        labels: class of each clip.
        sources: recording that each was cut from; a name of its own where that is not known.
        count: number of folds.
        seed: of the order.

    Example:
        >>> draw_folds(["a", "a", "b", "b"], ["1", "2", "3", "3"], 2, seed=0)
        [1, 2, 1, 1]
    """
    clips: dict[str, list[int]] = defaultdict(list)
    for index, source in enumerate(sources):
        clips[source].append(index)
    # The class of a source is that of its first clip.
    members: dict[str, list[str]] = defaultdict(list)
    for source, indices in clips.items():
        members[labels[indices[0]]].append(source)
    folds = [0] * len(labels)
    everything = [0] * count
    for stream, label in enumerate(sorted(members)):
        of_class = [0] * count
        names = sorted(members[label])
        order = torch.randperm(len(names), generator=make_generator(seed, _FOLDS, stream))
        for place in order.tolist():
            indices = clips[names[place]]
            fold = min(range(count), key=lambda k: (of_class[k], everything[k], k))
            of_class[fold] += len(indices)
            everything[fold] += len(indices)
            for index in indices:
                folds[index] = fold + 1
    return folds
