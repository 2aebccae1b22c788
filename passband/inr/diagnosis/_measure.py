"""All measurements of a diagnosis on one field."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from passband.inr import Field
from passband.inr.diagnosis._activations import (
    activation_patterns,
    count_patterns,
    hamming_distances,
)
from passband.inr.diagnosis._gradients import gradient_cosines, parameter_parts, plain_copy
from passband.inr.diagnosis._kernel import KernelSpectrum, kernel_spectrum, tangent_kernel
from passband.inr.diagnosis._samples import SignalPairs, SignalPoints, SignalSamples, region_grid
from passband.training import make_generator

PATCHES = 100
PAIRS = 2000
SAMPLES = 256
_STREAM = 6  # of the points that are looked at

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Confusion:
    """Gradient cosines by one part of the parameters.

    Attributes:
        parameters: how many numbers the part has.
        cosines: of ``local`` pairs, neighbours, and ``global`` ones, from opposite corners.
    """

    parameters: int
    cosines: dict[str, Tensor]


@dataclass(frozen=True)
class Patterns:
    """Activation patterns.

    Attributes:
        units: hidden units.
        hamming: units that differ, over ``local`` and over ``global`` pairs.
        regions: distinct patterns on the grid.
        region_points: points of that grid.
        distance: mean distance to the nearest boundary of a ReLU network, else None.
    """

    units: int
    hamming: dict[str, Tensor]
    regions: int
    region_points: int
    distance: float | None


@dataclass(frozen=True)
class Diagnosis:
    """What was measured on a field.

    Attributes:
        confusion: for the ``hidden`` layers and, where it learns, the ``encoding``.
        patterns: of the hidden units.
        spectrum: of the tangent kernel.
        seed: of the points.
    """

    confusion: dict[str, Confusion]
    patterns: Patterns
    spectrum: KernelSpectrum
    seed: int


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody sees."""


def measure(
    field: Field,
    samples: SignalSamples,
    *,
    patches: int = PATCHES,
    pairs: int = PAIRS,
    count: int = SAMPLES,
    seed: int = 0,
    progress: Progress = silent,
) -> Diagnosis:
    """Gradient confusion, activation patterns and tangent kernel of ``field`` where it stands.

    Args:
        field: trained or not.
        samples: the signal it is meant for.
        patches: patches whose neighbours are compared.
        pairs: pairs from opposite corners.
        count: points of the tangent kernel.
        seed: of all of them.
        progress: told the stage, and how much of it is done.

    Example:
        >>> from passband.inr import encodings, networks
        >>> from passband.inr.diagnosis import GridSamples
        >>> from passband.inr.targets import image_target
        >>> samples = GridSamples(image_target("skimage:camera"))
        >>> field = Field(encodings.Identity(2), networks.ReluMLP(2, 1, hidden_features=16))
        >>> found = measure(field, samples, patches=2, pairs=10, count=16)
        >>> found.confusion["hidden"].cosines["local"].shape, found.patterns.units
        (torch.Size([72]), 32)
    """
    plain = plain_copy(field)
    generator = make_generator(seed, _STREAM)
    chosen = {
        "local": samples.local_pairs(patches, generator),
        "global": samples.global_pairs(pairs, generator),
    }
    points = samples.points(count, generator)
    return Diagnosis(
        _confusion(plain, chosen, progress),
        _patterns(plain, chosen, progress),
        _spectrum(plain, points, progress),
        seed,
    )


def _confusion(
    field: Field, chosen: dict[str, SignalPairs], progress: Progress
) -> dict[str, Confusion]:
    device = next(field.parameters()).device
    sizes = {name: parameter.numel() for name, parameter in field.named_parameters()}
    parts = parameter_parts(field, chosen["local"].points.x[:1].to(device))
    found = {
        kind: gradient_cosines(
            field, parts, some, progress=partial(progress, f"gradients of {kind} pairs")
        )
        for kind, some in chosen.items()
    }
    return {
        part: Confusion(
            sum(sizes[name] for name in names), {kind: found[kind][part] for kind in found}
        )
        for part, names in parts.items()
    }


def _patterns(field: Field, chosen: dict[str, SignalPairs], progress: Progress) -> Patterns:
    device = next(field.parameters()).device
    grid = region_grid(chosen["local"].points.x.shape[1])
    patterns = activation_patterns(field, grid.to(device))
    hamming = {kind: hamming_distances(field, some) for kind, some in chosen.items()}
    progress("activation patterns", 1, 1)
    distance = None if patterns.distance is None else float(patterns.distance.mean())
    units = patterns.bits.shape[1]
    return Patterns(units, hamming, count_patterns(patterns.bits), len(grid), distance)


def _spectrum(field: Field, points: SignalPoints, progress: Progress) -> KernelSpectrum:
    device = next(field.parameters()).device
    kernel = tangent_kernel(field, points.x, progress=partial(progress, "tangent kernel"))
    with torch.no_grad():
        residual = points.y - field(points.x.to(device)).cpu()
    return kernel_spectrum(kernel, points.y, residual)
