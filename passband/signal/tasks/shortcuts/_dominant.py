"""Dominant frequency maps: which frequencies a class cannot do without."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from passband.errors import InputError
from passband.signal.tasks.shortcuts._filtering import (
    Classifier,
    Progress,
    filtered_logits,
    no_progress,
)
from passband.signal.tasks.shortcuts._frequencies import Frequencies


def removal_losses(
    classifier: Classifier,
    inputs: Float[Tensor, "items *shape"],
    label: int,
    frequencies: Frequencies,
    *,
    fill: Float[Tensor, "*spectrum"] | None = None,
    batch: int = 64,
    progress: Progress = no_progress,
) -> Float[Tensor, " groups"]:
    """``L_g = sum over the items x of a class of CE(classifier(x without group g), label)``.

    Args:
        classifier: maps a batch of inputs to logits ``(batch, classes)``.
        inputs: items of that class alone.
        label: of the class.
        frequencies: groups that are removed in turn, each with conjugate partners.
        fill: takes the place of what is removed, by coefficient; 0 if None, as in the paper.
        batch: most filtered items at once.
        progress: called with filtered items done and in all.

    Returns:
        Float64 losses of the groups, in nats.

    Raises:
        InputError: no items, a label that the logits have not, or see `filtered_logits`.

    Example:
        >>> from passband.signal.tasks.shortcuts import sound_bands
        >>> sounds = (torch.arange(64) * 2 * torch.pi / 8).cos().expand(2, -1)
        >>> def loud(sounds: Tensor) -> Tensor:  # class 1 is what has power
        ...     power = sounds.square().mean(dim=1)
        ...     return torch.stack((torch.zeros_like(power), power), dim=1)
        >>> removal_losses(loud, sounds, 1, sound_bands(64, 8000, [500, 2000])).argmax()
        tensor(1)

    Reference: S. Wang, R. Veldhuis, C. Brune, N. Strisciuglio, What do neural networks learn in
    image classification? A frequency shortcut perspective, ICCV 2023.
    """
    if not len(inputs):
        raise InputError(f"class {label} has no items in `inputs`. Leave it out, or add items.")
    removed = ~torch.eye(frequencies.count, dtype=torch.bool, device=inputs.device)
    losses = torch.zeros(frequencies.count, dtype=torch.float64, device=inputs.device)
    for which, _, logits in filtered_logits(
        classifier, inputs, removed, frequencies, fill=fill, batch=batch, progress=progress
    ):
        if not 0 <= label < logits.shape[-1]:
            raise InputError(
                f"`label` (={label}) must be from 0 to {logits.shape[-1] - 1}, the classes of the "
                "logits. Number the classes as the classifier does."
            )
        targets = torch.full((logits.shape[0] * logits.shape[1],), label, device=logits.device)
        entropy = functional.cross_entropy(logits.flatten(0, 1).double(), targets, reduction="none")
        losses[which] += entropy.reshape(logits.shape[:2]).sum(dim=1).to(losses)
    return losses


def dominant_frequencies(
    losses: Float[Tensor, " groups"], fraction: float = 0.05
) -> Bool[Tensor, " groups"]:
    """The dominant frequency map: true at the ``fraction`` of groups whose removal costs most.

    Args:
        losses: of `removal_losses`.
        fraction: of all groups, above 0 to 1; rounded up to whole groups.

    Returns:
        A mask of the groups, for `shortcut_rates` or `Frequencies.spread`.

    Raises:
        InputError: a fraction out of range.

    Example:
        >>> dominant_frequencies(torch.tensor([0.1, 2.0, 0.3, 0.2]), 0.5)
        tensor([False,  True,  True, False])

    Reference: Wang et al., ICCV 2023 (see `removal_losses`); 1, 5, 10 and 20 % there.
    """
    order = ranked(losses, fraction)
    mask = torch.zeros(len(losses), dtype=torch.bool, device=losses.device)
    mask[order] = True
    return mask


def ranked(losses: Tensor, fraction: float) -> Tensor:
    """The groups of the map, the one whose removal costs most first; of equals the lower number."""
    if not 0 < fraction <= 1:
        raise InputError(f"`fraction` (={fraction:g}) must be above 0 and at most 1. Lower it.")
    return losses.argsort(descending=True, stable=True)[: math.ceil(fraction * len(losses) - 1e-9)]
