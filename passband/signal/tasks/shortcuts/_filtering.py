"""What a classifier says of items that keep some frequencies: many masks and items at once."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.signal.tasks.shortcuts._frequencies import Frequencies

Classifier = Callable[[Tensor], Tensor]
Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Say nothing."""


def filtered_logits(
    classifier: Classifier,
    inputs: Float[Tensor, "items *shape"],
    masks: Bool[Tensor, "masks groups"],
    frequencies: Frequencies,
    *,
    fill: Float[Tensor, "*spectrum"] | None = None,
    batch: int = 64,
    progress: Progress = no_progress,
) -> Iterator[tuple[slice, slice, Tensor]]:
    """``classifier(inverse(m F(x) + (1 - m) G))`` for masks m and items x.

    Every item is transformed once. G is 0, or ``fill`` with the phases of F(x) (see ``fill``).

    Args:
        classifier: maps a batch of inputs to logits ``(batch, classes)``; in evaluation mode.
        inputs: what it takes.
        masks: true where a group of frequencies is kept.
        frequencies: of the inputs.
        fill: amplitudes (or levels) that take the place of what is removed, by coefficient; 0 as
            in the paper if None. A network on decibels hears silence in a band as an event of its
            own; with the mean spectrum of other classes there, it hears nothing special.
        batch: most filtered items at once; it bounds the memory.
        progress: called with filtered items done and in all.

    Yields:
        Which masks, which items, and their logits ``(masks, items, classes)``.

    Raises:
        InputError: masks or fill of the wrong size, logits of the wrong shape or not finite, a
            module in training mode, or a batch below 1.
    """
    _check(classifier, masks, frequencies, fill, batch)
    done, total = 0, len(masks) * len(inputs)
    items_at_once = min(batch, len(inputs))
    masks_at_once = max(1, batch // max(items_at_once, 1))
    for first in range(0, len(inputs), items_at_once):
        items = slice(first, min(first + items_at_once, len(inputs)))
        with torch.no_grad():
            coefficients = frequencies.transform(inputs[items])
            removed = frequencies.stand_in(coefficients, fill)
        kept = coefficients - removed
        for start in range(0, len(masks), masks_at_once):
            which = slice(start, min(start + masks_at_once, len(masks)))
            weights = frequencies.kept(masks[which]).to(inputs)
            weights = weights.reshape(
                len(weights), *[1] * (kept.ndim - weights.ndim + 1), *weights.shape[1:]
            )
            filtered = removed + weights * kept
            with torch.no_grad():
                logits = _logits(classifier, frequencies.inverse(filtered.flatten(0, 1)))
            done += len(logits)
            progress(done, total)
            yield which, items, logits.unflatten(0, (len(weights), -1))


def _logits(classifier: Classifier, inputs: Tensor) -> Tensor:
    logits = classifier(inputs)
    if logits.ndim != 2 or len(logits) != len(inputs) or logits.shape[1] < 2:
        raise InputError(
            f"`classifier` gave logits of shape {tuple(logits.shape)} for {len(inputs)} items; it "
            "must give (batch, classes) with at least two classes. Wrap it in a function that does."
        )
    if not torch.isfinite(logits).all():
        raise InputError(
            "`classifier` gave logits that are not finite for a filtered item. Check its weights."
        )
    return logits


def _check(
    classifier: Classifier,
    masks: Tensor,
    frequencies: Frequencies,
    fill: Tensor | None,
    batch: int,
) -> None:
    if isinstance(classifier, nn.Module) and classifier.training:
        raise InputError("`classifier` must be in evaluation mode. Call its eval() first.")
    if masks.ndim != 2 or masks.shape[1] != frequencies.count:
        raise InputError(
            f"`masks` (of shape {tuple(masks.shape)}) must be of shape (masks, "
            f"{frequencies.count}), the groups of `frequencies`. Make them for these frequencies."
        )
    if fill is not None and fill.shape != frequencies.groups.shape:
        raise InputError(
            f"`fill` (of shape {tuple(fill.shape)}) must be of shape "
            f"{tuple(frequencies.groups.shape)}, the coefficients. Use class_spectra."
        )
    if batch < 1:
        raise InputError(f"`batch` (={batch}) must be at least 1. Raise it.")
