"""WINNER: initial noise for SIREN from the signal's spectral centroid, in closed form."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.inr.networks import Siren


@dataclass(frozen=True)
class WinnerScales:
    """Standard deviations, times omega, of the noise on SIREN's first two weight matrices."""

    first: float
    second: float


def spectral_centroid(signal: Float[Tensor, "channels *grid"]) -> float:
    """Mean frequency of ``signal`` weighted by magnitude, in [0, 1] with 1 the Nyquist frequency.

    Centroids of ``|rfft|`` along the last axis, averaged over all rows and channels; rows without
    variation count as 0.

    Example:
        >>> time = torch.arange(1024)
        >>> round(spectral_centroid(torch.sin(torch.pi * 0.25 * time)[None]), 3)
        0.25

    Reference: Chandravamsi, Shenoy, Zinn, Chen, Pisnoy, Frankel, *Spectral bottleneck in
    sinusoidal representation networks: noise is all you need*, 2025 (arXiv 2509.09719).
    """
    magnitude = torch.fft.rfft(signal - signal.mean(dim=-1, keepdim=True), dim=-1).abs()
    frequency = torch.linspace(0, 1, magnitude.shape[-1], device=signal.device)
    weight = magnitude.sum(dim=-1)
    centroid = (magnitude * frequency).sum(dim=-1) / weight.clamp_min(1e-30)
    return float(centroid.mean())


def winner_scales(signal: Float[Tensor, "channels *grid"]) -> WinnerScales:
    """Noise scales for ``signal`` with ``c`` the spectral centroid over the number of channels.

    Sounds: ``first = 3500 (1 - exp(-7 c))``, ``second = 3 c``; pictures: ``first = 50 (1 -
    exp(-5 c))``, ``second = 0.4 c``. Instant: no field is evaluated. The convention is omega
    outside the bias, ``sin(omega (W x + b))``, with first and hidden omega 30.

    Args:
        signal: ``(channels, time)`` or ``(channels, height, width)``.

    Raises:
        InputError: other numbers of axes, for which no constants are published.

    Example:
        >>> winner_scales(torch.ones(1, 64, 64))
        WinnerScales(first=0.0, second=0.0)

    Reference: as :func:`spectral_centroid`; constants from the code released with it.
    """
    centroid = spectral_centroid(signal) / signal.shape[0]
    match signal.ndim:
        case 2:
            return WinnerScales(3500 * (1 - math.exp(-7 * centroid)), 3 * centroid)
        case 3:
            return WinnerScales(50 * (1 - math.exp(-5 * centroid)), 0.4 * centroid)
    raise InputError(
        f"WINNER has constants for sounds and pictures, and `signal` has {signal.ndim - 1} axes. "
        "Use spectrum matching."
    )


def add_winner_noise(
    network: Siren, scales: WinnerScales, *, generator: torch.Generator | None = None
) -> None:
    """Add Gaussian noise of standard deviation ``scale / omega`` to the first two weight matrices.

    Args:
        network: changed in place.
        scales: from :func:`winner_scales`.
        generator: source of the noise.

    Example:
        >>> network = Siren(1, 1, hidden_features=64)
        >>> add_winner_noise(network, WinnerScales(300.0, 1.0))
        >>> 5 < float(network.layers[0].weight.detach().std()) < 20
        True
    """
    scaled = zip(network.layers, network.omegas, (scales.first, scales.second), strict=False)
    with torch.no_grad():
        for layer, omega, scale in scaled:
            weight = layer.get_parameter("weight")
            noise = torch.randn(weight.shape, generator=generator, device=weight.device)
            weight.add_(noise * (scale / omega))
