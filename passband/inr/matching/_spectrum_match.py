"""Spectrum matching: the knob whose untrained fields have the signal's spectrum."""

import math
import time
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.frequency import (
    Reduction,
    reduced_spectrum,
    wasserstein_distance,
)
from passband.inr.matching._result import MatchRow, SpectrumMatch
from passband.training import make_generator

BuildField = Callable[[float, torch.Generator], Callable[[Tensor], Tensor]]

DEFAULT_PATCH = {1: 4096, 2: 128, 3: 32}
_DEFAULT_BINS = {2: 64, 3: 16}
_PATCHES = {1: 3, 2: 1, 3: 1}
_STREAM = 2  # keeps these random numbers apart from the fit's own


def match_spectrum(
    signal: Float[Tensor, "channels *grid"],
    build: BuildField,
    candidates: Sequence[float],
    *,
    reduction: Reduction = "radial",
    bins: int | None = None,
    patch: int | None = None,
    initialisations: int = 10,
    seed: int = 0,
) -> SpectrumMatch:
    """Rank ``candidates`` by how near the spectra of their untrained fields are to ``signal``'s.

    FreSh made cheap: pictures and volumes are compared in their lowest bins, for which a field is
    evaluated on a coarse grid of two samples a bin; the i-th initialisation of every candidate
    draws the same random numbers, which takes most of the noise out of the ranking. Sounds, and
    any signal given a ``patch``, are compared over their whole band, on tapered patches.

    Args:
        signal: ``(channels, *grid)`` with 1 to 3 axes.
        build: makes an untrained field from a knob and the generator to initialise it with.
        candidates: values of the knob to try.
        reduction: how an N-D spectrum becomes 1-D; see :func:`passband.frequency.reduced_spectrum`.
        bins: how many, from 1 cycle per side up, when no patches are used; by default 64 (3-D: 16),
            and at most seven eighths of the shortest side's band.
        patch: samples per side of a patch, for fields with detail finer than ``bins`` shows, such
            as hash grids. Sounds always use patches, of 4096 samples.
        initialisations: fields per candidate.
        seed: of the initialisations.

    Returns:
        The ranked table, both spectra, and the time taken.

    Raises:
        InputError: no candidates, a signal without variation, or one too small to have a spectrum.

    Example:
        >>> from passband.inr import Field, encodings, networks
        >>> time = torch.linspace(-1, 1, 512)
        >>> def build(sigma, generator):
        ...     encoding = encodings.RandomFourier(1, 16, sigma, generator=generator)
        ...     return Field(encoding, networks.ReluMLP(32, 1, generator=generator))
        >>> low = match_spectrum(torch.sin(20 * time)[None], build, [1.0, 30.0])
        >>> high = match_spectrum(torch.sin(300 * time)[None], build, [1.0, 30.0])
        >>> low.value, high.value
        (1.0, 30.0)

    Reference: Kania, Mihajlovic, Prokudin, Tabor, Spurek, *FreSh: Frequency shifting for
    accelerated neural representation learning*, ICLR 2025, section 4.
    """
    began = time.perf_counter()
    check_signal(signal, candidates)
    ndim = signal.ndim - 1
    measure: _PatchMeasure | _CoarseMeasure
    if patch is not None or ndim == 1:
        measure = _PatchMeasure(signal, reduction, patch or DEFAULT_PATCH[ndim])
    else:
        measure = _CoarseMeasure(signal, reduction, bins)
    target = measure.of_signal()
    check_varies(target)
    spectra = {}
    for value in candidates:
        fields = [
            build(value, make_generator(seed, _STREAM, i, device=signal.device))
            for i in range(initialisations)
        ]
        spectra[value] = measure.of_fields(fields)
    return ranked(target, spectra, reduction=reduction, bin_cycles=measure.bin_cycles, began=began)


def check_varies(spectrum: Float[Tensor, " bins"]) -> None:
    """Refuse the spectrum of a signal that does not vary, before fields are measured for it."""
    if not float(spectrum.sum()) > 0:
        raise InputError(
            "the signal does not vary, so it has no spectrum to match. Give the knob a number."
        )


def ranked(
    target: Float[Tensor, " bins"],
    spectra: dict[float, Tensor],
    *,
    reduction: str,
    bin_cycles: float,
    began: float,
) -> SpectrumMatch:
    """The table of candidates by the distance of their ``(fields, bins)`` spectra to ``target``."""
    rows = [_row(value, wasserstein_distance(target, found)) for value, found in spectra.items()]
    rows.sort(key=lambda row: row.distance)
    best = spectra[rows[0].value].mean(dim=0)
    return SpectrumMatch(
        rows=rows,
        reduction=reduction,
        signal_spectrum=(target / target.sum()).tolist(),
        field_spectrum=(best / best.sum()).tolist(),
        bin_cycles=bin_cycles,
        seconds=time.perf_counter() - began,
    )


def check_signal(signal: Tensor, candidates: Sequence[float]) -> None:
    """Refuse what cannot be matched: no candidates, or a signal of the wrong shape."""
    if not candidates:
        raise InputError("`candidates` is empty. Pass at least one value of the knob.")
    if signal.ndim not in (2, 3, 4):
        raise InputError(
            f"`signal` (shape {tuple(signal.shape)}) must be (channels, *grid) with 1 to 3 axes."
        )
    if max(signal.shape[1:]) < 4:
        raise InputError(
            f"`signal` (shape {tuple(signal.shape)}) is too small to have a spectrum: at least 4 "
            "samples along an axis are needed. Give the knob a number."
        )


def _row(value: float, distances: Tensor) -> MatchRow:
    count = distances.numel()
    error = float(distances.std()) / math.sqrt(count) if count > 1 else 0.0
    return MatchRow(value, float(distances.mean()), error)


class _CoarseMeasure:
    """Spectra of 2-D and 3-D signals, in cycles per side; of fields, on two samples a bin."""

    bin_cycles = 1.0

    def __init__(self, signal: Tensor, reduction: Reduction, bins: int | None) -> None:
        self.signal, self.reduction = signal, reduction
        self.ndim = signal.ndim - 1
        size = signal.shape[1:]
        if bins is None:
            # The top eighth of a band holds the slopes of filters and what they let fold back.
            self.bins = min(_DEFAULT_BINS[self.ndim], max(7 * min(size) // 16, 2))
        else:
            self.bins = min(bins, max(size) // 2)
        side = 2 * self.bins
        # Cell centres: the grid's period is the signal's extent, so bin m is m cycles in both.
        axis = (2 * torch.arange(side, device=signal.device) + 1) / side - 1
        axes = torch.meshgrid(*[axis] * self.ndim, indexing="ij")
        self.points = torch.stack(axes[::-1], dim=-1)

    def of_signal(self) -> Tensor:
        signal = self.signal
        if self.reduction == "fresh" and len(set(signal.shape[1:])) > 1:
            signal = squared(signal)
        return reduced_spectrum(signal, ndim=self.ndim, reduction=self.reduction, bins=self.bins)

    def of_fields(self, fields: Sequence[Callable[[Tensor], Tensor]]) -> Tensor:
        with torch.no_grad():
            values = torch.stack([field(self.points) for field in fields]).movedim(-1, 1)
            return reduced_spectrum(
                values, ndim=self.ndim, reduction=self.reduction, bins=self.bins
            )


class _PatchMeasure:
    """Spectra of patches at the signal's own rate, where a coarse grid would alias.

    The signal's are averaged over half-overlapping patches (Welch's method in N dimensions); a
    field's statistics are the same everywhere, so a few of its patches do.
    """

    def __init__(self, signal: Tensor, reduction: Reduction, side: int) -> None:
        self.signal, self.reduction = signal, reduction
        self.ndim = signal.ndim - 1
        size = signal.shape[1:]
        self.side = min(side, *size) // 2 * 2
        self.bin_cycles = max(size) / self.side
        taper = torch.hann_window(self.side, dtype=signal.dtype, device=signal.device)
        self.taper = taper
        for _ in range(self.ndim - 1):
            self.taper = self.taper[..., None] * taper
        within = torch.arange(self.side, device=signal.device)
        starts = [
            torch.linspace(0, count - self.side, _PATCHES[self.ndim], device=signal.device).long()
            for count in size
        ]
        patches = []
        for start in zip(*(s.tolist() for s in starts), strict=True):
            axes = [
                2.0 * (first + within) / (count - 1) - 1.0
                for first, count in zip(start, size, strict=True)
            ]
            patches.append(torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], dim=-1))
        self.points = torch.stack(patches)

    def of_signal(self) -> Tensor:
        patches = self.signal
        for axis in range(1, self.ndim + 1):
            patches = patches.unfold(axis, self.side, max(self.side // 2, 1))
        patches = patches.flatten(1, self.ndim).movedim(0, 1)
        return self._reduced(patches).mean(dim=0)

    def of_fields(self, fields: Sequence[Callable[[Tensor], Tensor]]) -> Tensor:
        with torch.no_grad():
            spectra = [self._reduced(field(self.points).movedim(-1, 1)) for field in fields]
        return torch.stack(spectra).mean(dim=1)

    def _reduced(self, patches: Tensor) -> Tensor:
        # The taper spreads the mean into the lowest bins, so it goes first.
        level = patches.mean(dim=tuple(range(-self.ndim, 0)), keepdim=True)
        return reduced_spectrum(
            (patches - level) * self.taper, ndim=self.ndim, reduction=self.reduction
        )


def squared(signal: Float[Tensor, "channels *grid"]) -> Float[Tensor, "channels *side"]:
    """``signal`` resized to equal sides, the smallest of its own and at most 1024, antialiased.

    Example:
        >>> squared(torch.zeros(3, 40, 60)).shape
        torch.Size([3, 40, 40])
    """
    ndim = signal.ndim - 1
    side = min(*signal.shape[1:], 1024)
    mode = {2: "bilinear", 3: "trilinear"}[ndim]
    resized: Tensor = torch.nn.functional.interpolate(
        signal[None], size=(side,) * ndim, mode=mode, align_corners=False, antialias=ndim == 2
    )[0]
    return resized
