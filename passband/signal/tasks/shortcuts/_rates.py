"""How well a class is told by some frequencies alone, and how predictions change without them."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks.shortcuts._filtering import (
    Classifier,
    Progress,
    filtered_logits,
    no_progress,
)
from passband.signal.tasks.shortcuts._frequencies import Frequencies
from passband.signal.tasks.shortcuts._spectra import check_labels
from passband.training import make_generator

_MASKS = 230  # stream of the random masks


class Rates(NamedTuple):
    """Shares of filtered items that are taken for a class, by mask.

    Attributes:
        true: TPR = TP / P: of the items of the class.
        false: FPR = FP / N: of all others.
    """

    true: Tensor
    false: Tensor


def shortcut_rates(
    classifier: Classifier,
    inputs: Float[Tensor, "items *shape"],
    labels: Int[Tensor, " items"],
    label: int,
    masks: Bool[Tensor, "masks groups"],
    frequencies: Frequencies,
    *,
    fill: Float[Tensor, "*spectrum"] | None = None,
    batch: int = 64,
    progress: Progress = no_progress,
) -> Rates:
    """``TPR = TP / P, FPR = FP / N`` of one class when all items keep the masks' frequencies alone.

    P items have the label, N have another, both counted before any filtering.

    Args:
        classifier: maps a batch of inputs to logits ``(batch, classes)``.
        inputs: items of all classes, such as a test set.
        labels: their classes, from 0 on.
        label: the class asked about.
        masks: true where frequencies are kept.
        frequencies: of the inputs.
        fill: takes the place of what is removed, by coefficient; 0 if None, as in the paper.
        batch: most filtered items at once.
        progress: called with filtered items done and in all.

    Returns:
        Both rates ``(masks,)``, float64.

    Raises:
        InputError: no items of the class, no other class, or see `filtered_logits`.

    Example:
        >>> from passband.signal.tasks.shortcuts import sound_bands
        >>> t = torch.arange(64) * 2 * torch.pi / 8
        >>> sounds, labels = torch.stack((t.cos(), (2 * t).cos())), torch.tensor([0, 1])
        >>> def low(sounds: Tensor) -> Tensor:  # class 0 is what has power at 1 kHz
        ...     spectrum = torch.fft.rfft(sounds).abs()
        ...     return torch.stack((spectrum[:, 8], torch.ones(len(sounds))), dim=1)
        >>> masks = torch.tensor([[True, False], [False, True]])
        >>> rates = shortcut_rates(low, sounds, labels, 0, masks, sound_bands(64, 8000, [1500]))
        >>> rates.true.tolist(), rates.false.tolist()
        ([1.0, 0.0], [0.0, 0.0])

    Reference: S. Wang, R. Veldhuis, C. Brune, N. Strisciuglio, What do neural networks learn in
    image classification? A frequency shortcut perspective, ICCV 2023.
    """
    check_labels(inputs, labels, None)
    own = (labels == label).to(inputs.device)
    positives, negatives = int(own.sum()), int((~own).sum())
    if not positives:
        raise InputError(f"class {label} has no items in `labels`. Ask about another, or add some.")
    hits = torch.zeros(2, len(masks), dtype=torch.float64, device=inputs.device)
    for which, items, logits in filtered_logits(
        classifier, inputs, masks, frequencies, fill=fill, batch=batch, progress=progress
    ):
        taken = (logits.argmax(dim=-1) == label).to(hits)
        hits[0, which] += (taken * own[items]).sum(dim=1)
        hits[1, which] += (taken * ~own[items]).sum(dim=1)
    return Rates(hits[0] / positives, hits[1] / negatives)


def band_stop_changes(
    classifier: Classifier,
    inputs: Float[Tensor, "items *shape"],
    frequencies: Frequencies,
    *,
    fill: Float[Tensor, "*spectrum"] | None = None,
    batch: int = 64,
    progress: Progress = no_progress,
) -> Float[Tensor, "groups classes"]:
    """``Delta_c = 100 (n_c without the group - n_c) / N``: how the shares of predictions shift, in
    per cent, when each group is removed in turn.

    Args:
        classifier: maps a batch of inputs to logits ``(batch, classes)``.
        inputs: N items, of one class or of all.
        frequencies: groups that are stopped.
        fill: takes the place of what is removed, by coefficient; 0 if None, as in the paper.
        batch: most filtered items at once.
        progress: called with filtered items done and in all.

    Returns:
        Changes by group and class, float64, from -100 to 100; each group's sum to 0.

    Raises:
        InputError: no items, or see `filtered_logits`.

    Example:
        >>> from passband.signal.tasks.shortcuts import sound_bands
        >>> sounds = (torch.arange(64) * 2 * torch.pi / 8).cos().expand(2, -1)
        >>> def loud(sounds: Tensor) -> Tensor:
        ...     power = sounds.square().mean(dim=1)
        ...     return torch.stack((torch.full_like(power, 0.1), power), dim=1)
        >>> band_stop_changes(loud, sounds, sound_bands(64, 8000, [500, 2000]))[1]
        tensor([ 100., -100.], dtype=torch.float64)

    Reference: Wang et al., ICCV 2023 (see `shortcut_rates`), band-stop tests.
    """
    if not len(inputs):
        raise InputError("`inputs` has no items. Pass at least one.")
    one = torch.ones(1, frequencies.count, dtype=torch.bool, device=inputs.device)
    without = ~torch.eye(frequencies.count, dtype=torch.bool, device=inputs.device)
    counts: Tensor | None = None
    for which, _, logits in filtered_logits(
        classifier,
        inputs,
        torch.cat((one, without)),
        frequencies,
        fill=fill,
        batch=batch,
        progress=progress,
    ):
        if counts is None:
            shape = (frequencies.count + 1, logits.shape[-1])
            counts = torch.zeros(shape, dtype=torch.float64, device=inputs.device)
        taken = torch.nn.functional.one_hot(logits.argmax(dim=-1), logits.shape[-1])
        counts[which] += taken.sum(dim=1).to(counts)
    assert counts is not None
    return 100 * (counts[1:] - counts[:1]) / len(inputs)


def random_masks(
    count: int, size: int, outside: Bool[Tensor, " groups"], *, seed: int = 0
) -> Bool[Tensor, "{count} groups"]:
    """``count`` masks that keep ``size`` groups each, drawn by chance from all not in ``outside``.

    The chance level of `shortcut_rates`: what a class's own map must exceed. Its own groups are
    left out, since a mask that happens to hold the shortcut says nothing about chance.

    Args:
        count: of masks.
        size: groups that each keeps, at least 1.
        outside: groups that none keeps.
        seed: of the choice.

    Raises:
        InputError: fewer than ``size`` groups are left.

    Example:
        >>> random_masks(3, 2, torch.tensor([True, False, False, False])).sum(dim=1)
        tensor([2, 2, 2])
    """
    free = (~outside).nonzero()[:, 0].cpu()
    if not 1 <= size <= len(free):
        raise InputError(
            f"`size` (={size}) must be from 1 to {len(free)}, the groups outside the map. Use "
            "more groups, or a smaller fraction."
        )
    masks = torch.zeros(count, len(outside), dtype=torch.bool)
    for k in range(count):
        order = torch.randperm(len(free), generator=make_generator(seed, _MASKS, k))
        masks[k, free[order[:size]]] = True
    return masks.to(outside.device)
