"""Mean amplitude spectra of classes, and in how many comparisons each is the stronger."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks.shortcuts._frequencies import Frequencies


def class_spectra(
    inputs: Float[Tensor, "items *shape"],
    labels: Int[Tensor, " items"],
    frequencies: Frequencies,
    *,
    classes: int | None = None,
    batch: int = 64,
) -> Float[Tensor, "classes *spectrum"]:
    """``E_c = mean of |F(x)| over the items x of class c``, the channels averaged.

    Channels (red, green and blue; frames of a spectrogram) weigh the same; no luma weights.

    Args:
        inputs: what the classifier takes: pictures, sounds or spectrograms.
        labels: class of each item, from 0 on.
        frequencies: how the inputs are transformed.
        classes: how many there are; by default as many as ``labels`` name.
        batch: items transformed at once.

    Returns:
        Float64 amplitudes (levels, of `spectrogram_bins`) of each class, by coefficient.

    Raises:
        InputError: a class without items, a single class, or a value that is not finite.

    Example:
        >>> from passband.signal.tasks.shortcuts import sound_bands
        >>> t = torch.arange(8) / 8
        >>> sounds = torch.stack([torch.ones(8), (2 * torch.pi * 2 * t).cos()])
        >>> bands = sound_bands(8, 8, [1, 2, 3])
        >>> class_spectra(sounds, torch.tensor([0, 1]), bands).round(decimals=3).abs()
        tensor([[8., 0., 0., 0., 0.],
                [0., 0., 4., 0., 0.]], dtype=torch.float64)

    Reference: S. Wang, R. Veldhuis, C. Brune, N. Strisciuglio, What do neural networks learn in
    image classification? A frequency shortcut perspective, ICCV 2023.
    """
    count = check_labels(inputs, labels, classes)
    shape = tuple(frequencies.groups.shape)
    sums = torch.zeros(count, *shape, dtype=torch.float64, device=inputs.device)
    for part in _parts(len(inputs), batch):
        values = frequencies.magnitudes(frequencies.transform(inputs[part]))
        values = values.to(torch.float64).flatten(1, -1 - len(shape)).mean(dim=1)
        sums.index_add_(0, labels[part].to(inputs.device), values)
    sizes = torch.bincount(labels, minlength=count).to(sums)
    return sums / sizes.reshape(-1, *[1] * len(shape))


def adcs(
    spectra: Float[Tensor, "classes *spectrum"],
) -> Float[Tensor, "classes *spectrum"]:
    """``ADCS_c = sum over j != c of sign(E_c - E_j)``: how many classes are weaker than c at a
    frequency, less how many are stronger.

    Args:
        spectra: of `class_spectra`.

    Returns:
        Whole numbers from 1 - classes to classes - 1; they sum to 0 over the classes.

    Raises:
        InputError: fewer than two classes.

    Example:
        >>> adcs(torch.tensor([[1.0, 5.0], [2.0, 5.0], [3.0, 0.0]]))
        tensor([[-2.,  1.],
                [ 0.,  1.],
                [ 2., -2.]])

    Reference: Wang et al., ICCV 2023 (see `class_spectra`), accumulative difference of class-wise
    average spectrum.
    """
    if len(spectra) < 2:
        raise InputError("`spectra` must be of at least two classes. Compare with another class.")
    total = torch.zeros_like(spectra)
    for other in spectra:
        total += (spectra - other).sign()
    return total


def check_labels(inputs: Tensor, labels: Tensor, classes: int | None) -> int:
    """The number of classes, each of which has items; the inputs are finite."""
    if len(inputs) != len(labels) or not len(labels):
        raise InputError(
            f"`labels` (of {len(labels)} items) must be as many as `inputs` ({len(inputs)}), and "
            "at least one. Pass one label for each item."
        )
    count = int(labels.max()) + 1 if classes is None else classes
    if count < 2:
        raise InputError(
            "`labels` must name at least two classes; with one there is nothing to tell apart. "
            "Add items of another class."
        )
    if labels.min() < 0 or labels.max() >= count:
        raise InputError(
            f"`labels` (from {int(labels.min())} to {int(labels.max())}) must be from 0 to "
            f"{count - 1}. Number the classes from 0 on."
        )
    sizes = torch.bincount(labels, minlength=count)
    if (sizes == 0).any():
        raise InputError(
            f"class {int((sizes == 0).nonzero()[0])} has no items in `labels`. Leave it out, or "
            "add items."
        )
    if not all(bool(torch.isfinite(item).all()) for item in inputs):
        raise InputError("`inputs` must be finite; one is NaN or infinite. Remove such items.")
    return count


def _parts(count: int, size: int) -> Iterator[slice]:
    for first in range(0, count, max(size, 1)):
        yield slice(first, first + size)
