"""Phases of a spectrum, and how far two of them are apart on the circle."""

from typing import NamedTuple

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._validate import require_complex


class PhaseDistances(NamedTuple):
    """Distances between two phase spectra, in radians, 0 to pi.

    Args:
        phase: of the phases themselves, ``(*batch, freq, frames)``.
        group_delay: of their differences along frequency, ``(*batch, freq - 1, frames)``.
        frequency: of their differences along time, ``(*batch, freq, frames - 1)``.
    """

    phase: Tensor
    group_delay: Tensor
    frequency: Tensor


def phase(spectrum: Complex[Tensor, "*shape"], *, eps: float = 0.0) -> Float[Tensor, "*shape"]:
    """Phase ``arg X`` in (-pi, pi], 0 and without gradient where ``|X| <= eps``.

    The gradient of a phase goes with ``1 / |X|`` and has no limit at silence.

    Args:
        spectrum: complex values of any shape.
        eps: largest magnitude taken as silence, at least 0.

    Returns:
        Radians of the same shape.

    Raises:
        ValueError: for values that are not complex, or a negative ``eps``.

    Example:
        >>> phase(torch.tensor([1j, -1 + 0j, 0j]))
        tensor([1.5708, 3.1416, 0.0000])

    Agrees with ``torch.angle`` exactly above ``eps``.
    """
    require_complex("spectrum", spectrum)
    if not eps >= 0:
        raise ValueError(f"`eps` (={eps}) must be at least 0. Pass 0 to mark exact silence only.")
    size = spectrum.detach().abs()
    silent = size <= max(eps, torch.finfo(size.dtype).tiny)  # of NaN, neither is so
    return torch.where(silent, 1.0, spectrum).angle()


def anti_wrapped(difference: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Distance on the circle ``|x - 2 pi round(x / 2 pi)|``, 0 to pi.

    Args:
        difference: of two phases, in radians, of any size.

    Returns:
        Radians of the same shape. Its gradient is the sign of the shortest way, 0 at equality.

    Example:
        >>> anti_wrapped(torch.tensor([0.5, 2 * torch.pi - 0.5, 7 * torch.pi]))
        tensor([0.5000, 0.5000, 3.1416])

    Agrees with ``|arg(exp(i x))|`` to 1e-12 in float64.
    Reference: Ai & Ling, APNet: an all-frame-level neural vocoder incorporating direct prediction
    of amplitude and phase spectra, IEEE/ACM Trans. ASLP 31, 2023.
    """
    turns = (difference.detach() / (2 * torch.pi)).round()
    return (difference - 2 * torch.pi * turns).abs()


def phase_distances(
    prediction: Float[Tensor, "*batch freq frames"], target: Float[Tensor, "*batch freq frames"]
) -> PhaseDistances:
    """`anti_wrapped` distances of two phases, of their steps along frequency, and along time.

    Args:
        prediction: phases in radians, wrapped or not.
        target: phases in radians, of the same shape.

    Returns:
        `PhaseDistances`.

    Example:
        >>> apart = phase_distances(torch.zeros(3, 4), torch.full((3, 4), 1.0))
        >>> [float(part.mean()) for part in apart]  # a constant offset changes no difference
        [1.0, 0.0, 0.0]

    Reference: Ai & Ling 2023; Du, Lu, Ai & Ling, APNet2: high-quality and
    high-efficiency neural vocoder with direct prediction of amplitude and phase spectra, NCMMSC,
    2023.
    """
    error = prediction - target
    return PhaseDistances(
        anti_wrapped(error), anti_wrapped(error.diff(dim=-2)), anti_wrapped(error.diff(dim=-1))
    )
