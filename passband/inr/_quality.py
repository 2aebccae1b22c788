"""How near a rendering is to its target."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import band_error, octave_edges

_RANGE = 2.0  # trained values lie in [-1, 1]


def psnr(
    target: Float[Tensor, "channels *grid"], rendering: Float[Tensor, "channels *grid"]
) -> float:
    """Peak signal-to-noise ratio ``10 log10(range^2 / mean squared error)`` in dB, range 2.

    Args:
        target: values in [-1, 1].
        rendering: of the same shape.

    Returns:
        dB; infinite where the two are equal.

    Example:
        >>> round(psnr(torch.zeros(1, 4), torch.full((1, 4), 0.02)), 2)
        40.0
    """
    return psnr_of(float((target.double() - rendering.double()).square().mean()))


def psnr_of(mean_squared_error: float) -> float:
    """PSNR in dB of a mean squared error between values in [-1, 1].

    Example:
        >>> round(psnr_of(4e-4), 2)
        40.0
    """
    if mean_squared_error == 0.0:
        return math.inf
    return 10.0 * math.log10(_RANGE**2 / mean_squared_error)


def snr(
    target: Float[Tensor, "channels *grid"], rendering: Float[Tensor, "channels *grid"]
) -> float:
    """Signal-to-noise ratio ``10 log10(mean target^2 / mean error^2)`` in dB.

    Example:
        >>> round(snr(torch.ones(1, 4), torch.full((1, 4), 1.1)), 2)
        20.0
    """
    noise = float((target.double() - rendering.double()).square().mean())
    power = float(target.double().square().mean())
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(power / noise) if power > 0.0 else -math.inf


def ssim(
    target: Float[Tensor, "channels height width"],
    rendering: Float[Tensor, "channels height width"],
) -> float | None:
    """Structural similarity with Gaussian windows of sigma 1.5, mean over channels.

    Returns:
        -1 to 1, or None for pictures smaller than the 11x11 window.

    Example:
        >>> x = torch.rand(3, 16, 16)
        >>> round(ssim(x, x), 6)
        1.0

    Reference: Wang, Bovik, Sheikh, Simoncelli, *Image quality assessment*, IEEE TIP 2004;
    computed by scikit-image with that paper's settings.
    """
    from skimage.metrics import structural_similarity  # noqa: PLC0415  0.3 s, at the end of a fit

    if min(target.shape[1:]) < 11:
        return None
    similarity = structural_similarity(
        target.cpu().numpy(),
        rendering.cpu().numpy(),
        data_range=_RANGE,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity)


def relative_band_error(
    target: Float[Tensor, "channels *grid"], rendering: Float[Tensor, "channels *grid"]
) -> tuple[list[float], list[float]]:
    """Octave bands in cycles per side, and in each the error energy over the target's, in dB.

    Returns:
        ``(edges, decibels)``: one edge more than bands, the first band holding the mean alone.
        0 dB means that nothing of the band is there; bands where both are silent are ``-inf``.

    Example:
        >>> edges, decibels = relative_band_error(torch.rand(1, 64), torch.zeros(1, 64))
        >>> [round(value, 3) for value in decibels[:2]]
        [0.0, 0.0]
    """
    ndim = target.ndim - 1
    highest = math.sqrt(sum((count // 2) ** 2 for count in target.shape[1:]))
    edges = octave_edges(highest)
    ratio = band_error(target, rendering, ndim=ndim, edges=edges)
    decibels = 10.0 * torch.log10(ratio.double())
    return [float(edge) for edge in edges], decibels.flatten().tolist()
