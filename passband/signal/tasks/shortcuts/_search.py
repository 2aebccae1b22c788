"""The shortcut test of every class: the fewest dominant frequencies that alone tell the class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks.shortcuts._dominant import ranked, removal_losses
from passband.signal.tasks.shortcuts._filtering import Classifier
from passband.signal.tasks.shortcuts._frequencies import Frequencies
from passband.signal.tasks.shortcuts._rates import random_masks, shortcut_rates
from passband.signal.tasks.shortcuts._spectra import check_labels


class Items(NamedTuple):
    """Inputs of a classifier ``(items, ...)`` and their classes ``(items,)``, from 0 on."""

    inputs: Tensor
    labels: Tensor


@dataclass(frozen=True)
class ShortcutSettings:
    """When frequencies count as a shortcut of a class.

    The paper speaks of high TPR with low FPR; its clear cases have TPR .94 and .96 with FPR .013
    and .022, its doubtful one .88 with .244. The limits, which lie between these, the search for
    the smallest map, what is left without it and the chance level are ours.

    Attributes:
        fraction: largest map, as a fraction of all groups, above 0 to 0.5.
        min_true: least TPR with the map's frequencies alone.
        max_false: largest FPR with them alone.
        max_left: largest TPR without them, as a fraction of the TPR of unfiltered items.
        deviations: TPR - FPR must be above the mean of random masks by as many of their deviations.
        random: number of random masks of each size, at least 2.
        seed: of the random masks.
    """

    fraction: float = 0.05
    min_true: float = 0.8
    max_false: float = 0.2
    max_left: float = 0.8
    deviations: float = 3.0
    random: int = 16
    seed: int = 0


class MapTest(NamedTuple):
    """One map of a class: its most dominant ``size`` groups kept alone, or removed.

    Attributes:
        size: groups in the map.
        true: TPR with them alone.
        false: FPR with them alone.
        left: TPR without them.
    """

    size: int
    true: float
    false: float
    left: float


@dataclass(frozen=True, eq=False)
class ClassShortcut:
    """What the shortcut test says of one class.

    Attributes:
        label: the class.
        losses: of each group's removal, the mean cross-entropy of an item in nats.
        dominant: groups of the largest map, the one whose removal costs most first.
        true: TPR of unfiltered items.
        false: FPR of unfiltered items.
        tests: of nested maps, the smallest first.
        chance: mean of TPR - FPR over random masks, outside the largest map and of the size of the
            map that was found, or of the largest.
        deviation: of the same.
        found: groups of the smallest map that is a shortcut; empty if none is.
    """

    label: int
    losses: Tensor
    dominant: tuple[int, ...]
    true: float
    false: float
    tests: tuple[MapTest, ...]
    chance: float
    deviation: float
    found: tuple[int, ...]


def find_shortcuts(
    classifier: Classifier,
    examples: Items,
    test: Items,
    frequencies: Frequencies,
    *,
    settings: ShortcutSettings | None = None,
    spectra: Float[Tensor, "classes *spectrum"] | None = None,
    batch: int = 64,
    progress: Callable[[int, int, int], None] = lambda label, done, total: None,
) -> list[ClassShortcut]:
    """The shortcuts of every class: maps of k = 1, 2, 3, 4, 6, 8, ... dominant groups that tell it
    alone (TPR high, FPR low, both beyond chance) and without which it is not told any more.

    Args:
        classifier: maps a batch of inputs to logits ``(batch, classes)``; in evaluation mode.
        examples: what the dominant frequencies are ranked on, some of every class.
        test: what the maps are tested on, some of every class; best what was not trained on.
        frequencies: of the inputs.
        settings: when frequencies count as a shortcut.
        spectra: mean spectra (`class_spectra`) that take the place of what is removed: the mean
            of the other classes where a class's items lose frequencies, that of all where they
            keep some alone. None removes to 0, as the paper does for pictures.
        batch: most filtered items at once.
        progress: called with the class, filtered items done and in all of its sweep.

    Returns:
        One result for each class, in their order.

    Raises:
        InputError: a class without items, a setting out of range, or see `filtered_logits`.

    Example:
        >>> from passband.signal.tasks.shortcuts import sound_bands
        >>> t = torch.arange(64) * 2 * torch.pi / 8
        >>> sounds, labels = torch.stack((t.cos(), (2 * t).cos())), torch.tensor([0, 1])
        >>> def low(sounds: Tensor) -> Tensor:  # class 0 is what has power at 1 kHz
        ...     spectrum = torch.fft.rfft(sounds).abs()
        ...     return torch.stack((spectrum[:, 8], torch.ones(len(sounds))), dim=1)
        >>> items, bands = Items(sounds, labels), sound_bands(64, 8000, [500, 1500, 2500])
        >>> [found.found for found in find_shortcuts(low, items, items, bands)]
        [(1,), ()]

    Reference: S. Wang, R. Veldhuis, C. Brune, N. Strisciuglio, What do neural networks learn in
    image classification? A frequency shortcut perspective, ICCV 2023.
    """
    settings = settings or ShortcutSettings()
    classes = max(
        int(part.labels.max()) + 1 if len(part.labels) else 0 for part in (examples, test)
    )
    for part in (examples, test):
        check_labels(part.inputs, part.labels, classes)
    _check(settings, spectra, classes)
    results = []
    mean = None if spectra is None else spectra.mean(dim=0)
    for label in range(classes):
        others = None if spectra is None else _without(spectra, label).mean(dim=0)
        own = examples.inputs[examples.labels == label]
        losses = removal_losses(
            classifier, own, label, frequencies, fill=others, batch=batch,
            progress=partial(progress, label),
        )  # fmt: skip
        order = ranked(losses, settings.fraction)
        search = _Search(classifier, test, label, frequencies, settings, others, mean, batch)
        results.append(search(losses / len(own), order))
    return results


@dataclass(frozen=True, eq=False)
class _Search:
    classifier: Classifier
    test: Items
    label: int
    frequencies: Frequencies
    settings: ShortcutSettings
    others: Tensor | None
    mean: Tensor | None
    batch: int

    def __call__(self, losses: Tensor, order: Tensor) -> ClassShortcut:
        sizes = _sizes(len(order))
        maps = torch.zeros(len(sizes), self.frequencies.count, dtype=torch.bool)
        for k, size in enumerate(sizes):
            maps[k, order[:size].cpu()] = True
        whole = torch.ones(1, self.frequencies.count, dtype=torch.bool)
        without = self._rates(torch.cat((whole, ~maps)), self.others)
        kept = self._rates(maps, self.mean)
        tests = tuple(
            MapTest(size, float(kept[0][k]), float(kept[1][k]), float(without[0][1 + k]))
            for k, size in enumerate(sizes)
        )
        true, false = float(without[0][0]), float(without[1][0])
        found, (chance, deviation) = self._smallest(tests, maps[-1], true)
        groups = tuple(order.tolist())
        return ClassShortcut(
            self.label, losses.cpu(), groups, true, false, tests, chance, deviation, groups[:found]
        )

    def _smallest(
        self, tests: Sequence[MapTest], largest: Tensor, unfiltered: float
    ) -> tuple[int, tuple[float, float]]:
        """Size of the first map within the limits and beyond chance, or 0; and the chance level."""
        limits = self.settings
        for test in tests:
            if (
                test.true >= limits.min_true
                and test.false <= limits.max_false
                and test.left <= limits.max_left * unfiltered
            ):
                chance, deviation = self._chance(test.size, largest)
                if test.true - test.false > chance + limits.deviations * deviation:
                    return test.size, (chance, deviation)
        return 0, self._chance(tests[-1].size, largest)

    def _chance(self, size: int, outside: Tensor) -> tuple[float, float]:
        settings = self.settings
        masks = random_masks(settings.random, size, outside, seed=settings.seed)
        true, false = self._rates(masks, self.mean)
        return float((true - false).mean()), float((true - false).std())

    def _rates(self, masks: Tensor, fill: Tensor | None) -> tuple[Tensor, Tensor]:
        rates = shortcut_rates(
            self.classifier, self.test.inputs, self.test.labels, self.label,
            masks.to(self.test.inputs.device), self.frequencies, fill=fill, batch=self.batch,
        )  # fmt: skip
        return rates.true.cpu(), rates.false.cpu()


def _sizes(most: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 11, 16, ... up to ``most``: half octaves."""
    sizes = {most}
    k = 0
    while round(2 ** (k / 2)) < most:
        sizes.add(round(2 ** (k / 2)))
        k += 1
    return sorted(sizes)


def _without(spectra: Tensor, label: int) -> Tensor:
    return spectra[torch.arange(len(spectra), device=spectra.device) != label]


def _check(settings: ShortcutSettings, spectra: Tensor | None, classes: int) -> None:
    if not 0 < settings.fraction <= 0.5:
        raise InputError(
            f"`fraction` (={settings.fraction:g}) must be above 0 and at most 0.5, so that random "
            "masks can be drawn outside the map. Lower it."
        )
    if settings.random < 2:
        raise InputError(
            f"`random` (={settings.random}) must be at least 2, for a deviation. Raise it."
        )
    if spectra is not None and len(spectra) != classes:
        raise InputError(
            f"`spectra` (of {len(spectra)} classes) must be of as many classes as the items have, "
            f"{classes}. Compute them with class_spectra."
        )
