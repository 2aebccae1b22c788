"""FreSh as its authors released it, beside the cheaper :func:`match_spectrum`."""

import time
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import reduced_spectrum
from passband.inr.matching._result import SpectrumMatch
from passband.inr.matching._spectrum_match import (
    BuildField,
    check_signal,
    check_varies,
    ranked,
    squared,
)
from passband.training import make_generator

_STREAM = 3


def match_fresh(
    signal: Float[Tensor, "channels *grid"],
    build: BuildField,
    candidates: Sequence[float],
    *,
    bins: int = 64,
    initialisations: int = 10,
    seed: int = 0,
) -> SpectrumMatch:
    """Rank ``candidates`` with the procedure of the released FreSh code.

    The signal is resized to equal sides of at most 1024 samples, every field is evaluated on that
    whole grid, spectra are summed along anti-diagonals of the unshifted transform (which hides one
    of the two diagonal orientations, see :func:`passband.frequency.reduced_spectrum`), and every
    initialisation of every candidate draws its own random numbers.

    Args:
        signal: ``(channels, *grid)`` with 2 or 3 axes.
        build: makes an untrained field from a knob and the generator to initialise it with.
        candidates: values of the knob to try.
        bins: lowest bins that are compared, DC left out.
        initialisations: fields per candidate.
        seed: of the initialisations.

    Raises:
        InputError: no candidates, a signal without variation, or one too small to have a spectrum.

    Example:
        >>> from passband.inr import Field, encodings, networks
        >>> def build(omega, generator):
        ...     network = networks.Siren(2, 1, hidden_features=8, first_omega=omega,
        ...                              generator=generator)
        ...     return Field(encodings.Identity(2), network)
        >>> ramp = torch.linspace(-1, 1, 32).sin().expand(1, 32, 32)
        >>> match_fresh(ramp, build, [2.0, 60.0], bins=8, initialisations=2).value
        2.0

    Reference: Kania et al., *FreSh*, ICLR 2025, algorithm 1, and the code released with it.
    """
    began = time.perf_counter()
    check_signal(signal, candidates)
    signal = squared(signal)
    ndim, side = signal.ndim - 1, signal.shape[-1]
    bins = min(bins, side - 1)
    target = reduced_spectrum(signal, ndim=ndim, reduction="fresh", bins=bins)
    check_varies(target)
    axes = torch.meshgrid(
        *[torch.linspace(-1, 1, side, device=signal.device)] * ndim, indexing="ij"
    )
    points = torch.stack(axes[::-1], dim=-1)
    spectra = {}
    for number, value in enumerate(candidates):
        spectra[value] = torch.stack([
            _field_spectrum(
                build(value, make_generator(seed, _STREAM, number, i, device=signal.device)),
                points,
                bins,
            )
            for i in range(initialisations)
        ])  # fmt: skip
    return ranked(target, spectra, reduction="fresh", bin_cycles=1.0, began=began)


def _field_spectrum(field: "object", points: Tensor, bins: int) -> Tensor:
    with torch.no_grad():
        values = field(points).movedim(-1, 0)  # type: ignore[operator]
        return reduced_spectrum(values, ndim=points.ndim - 1, reduction="fresh", bins=bins)
