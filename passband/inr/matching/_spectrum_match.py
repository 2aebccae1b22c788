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
    welch_spectrum,
)
from passband.inr.matching._result import MatchRow, SpectrumMatch
from passband.training import make_generator

BuildField = Callable[[float, torch.Generator], Callable[[Tensor], Tensor]]

_DEFAULT_BINS = {1: 2048, 2: 64, 3: 16}
_SEGMENTS = 3
_STREAM = 2  # keeps these random numbers apart from the fit's own


def match_spectrum(
    signal: Float[Tensor, "channels *grid"],
    build: BuildField,
    candidates: Sequence[float],
    *,
    reduction: Reduction = "radial",
    bins: int | None = None,
    initialisations: int = 10,
    seed: int = 0,
) -> SpectrumMatch:
    """Rank ``candidates`` by how near the spectra of their untrained fields are to ``signal``'s.

    FreSh made cheap: fields are evaluated on a coarse grid of two samples a bin (for sounds, on
    short segments at the sound's own rate), and the i-th initialisation of every candidate draws
    the same random numbers, which takes most of the noise out of the ranking.

    Args:
        signal: ``(channels, *grid)`` with 1 to 3 axes.
        build: makes an untrained field from a knob and the generator to initialise it with.
        candidates: values of the knob to try.
        reduction: how an N-D spectrum becomes 1-D; see :func:`passband.frequency.reduced_spectrum`.
        bins: how many, from 1 cycle per side up (2-D: 64, 3-D: 16 by default). For a 1-D signal,
            bins of a segment of ``2 * bins`` samples, from 0 to Nyquist (2048 by default).
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
    _check(signal, candidates)
    ndim = signal.ndim - 1
    measure: _SegmentMeasure | _CoarseMeasure
    if ndim == 1:
        measure = _SegmentMeasure(signal, bins or _DEFAULT_BINS[1])
    else:
        measure = _CoarseMeasure(signal, reduction, bins or _DEFAULT_BINS[ndim])
    target = measure.of_signal()
    if not float(target.sum()) > 0:
        raise InputError(
            "the signal does not vary, so it has no spectrum to match. Give the knob a number."
        )
    rows, spectra = [], {}
    for value in candidates:
        fields = [
            build(value, make_generator(seed, _STREAM, i, device=signal.device))
            for i in range(initialisations)
        ]
        spectra[value] = measure.of_fields(fields)
        rows.append(_row(value, wasserstein_distance(target, spectra[value])))
    rows.sort(key=lambda row: row.distance)
    best = spectra[rows[0].value].mean(dim=0)
    return SpectrumMatch(
        rows=rows,
        reduction=reduction if ndim > 1 else "welch",
        signal_spectrum=(target / target.sum()).tolist(),
        field_spectrum=(best / best.sum()).tolist(),
        bin_cycles=measure.bin_cycles,
        seconds=time.perf_counter() - began,
    )


def _check(signal: Tensor, candidates: Sequence[float]) -> None:
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

    def __init__(self, signal: Tensor, reduction: Reduction, bins: int) -> None:
        self.signal, self.reduction = signal, reduction
        self.ndim = signal.ndim - 1
        self.bins = min(bins, max(signal.shape[1:]) // 2)
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


class _SegmentMeasure:
    """Spectra of long 1-D signals: short segments at the signal's own rate, so nothing aliases."""

    def __init__(self, signal: Tensor, bins: int) -> None:
        self.signal = signal
        count = signal.shape[-1]
        self.segment = min(2 * bins, count // 2 * 2)
        self.bin_cycles = count / self.segment
        starts = torch.linspace(0, count - self.segment, _SEGMENTS, device=signal.device).long()
        within = torch.arange(self.segment, device=signal.device)
        self.points = (2.0 * (starts[:, None] + within) / (count - 1) - 1.0)[..., None]

    def of_signal(self) -> Tensor:
        return welch_spectrum(self.signal, segment_length=self.segment)

    def of_fields(self, fields: Sequence[Callable[[Tensor], Tensor]]) -> Tensor:
        with torch.no_grad():
            values = torch.stack([field(self.points) for field in fields]).movedim(-1, -2)
            return welch_spectrum(values, segment_length=self.segment).mean(dim=1)


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
