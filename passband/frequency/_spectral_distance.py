"""Distances between two spectrograms, item by item."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._si_sdr import require_same_shape


def spectral_convergence(
    prediction: Float[Tensor, "*batch freq frames"], target: Float[Tensor, "*batch freq frames"]
) -> Float[Tensor, "*batch"]:
    """Relative distance ``|P - T| / |T|`` of magnitudes, in the Frobenius norm of each item.

    Args:
        prediction: magnitudes P, at least 0.
        target: magnitudes T, of the same shape.

    Returns:
        One value per item, at least 0; its gradient is 0 at equality. A silent target counts as
        one of the smallest magnitude a number of its type can have a square of.

    Raises:
        ValueError: for shapes that differ.

    Example:
        >>> spectral_convergence(torch.full((2, 3, 4), 1.5), torch.ones(2, 3, 4))
        tensor([0.5000, 0.5000])

    Agrees with ``numpy.linalg.norm`` put into the formula to 1e-12 in float64.
    Reference: Arik, Jun & Diamos, Fast spectrogram inversion using multi-head convolutional neural
    networks, IEEE Signal Processing Letters 26(1), 2019.
    """
    require_same_shape(prediction, target)
    axes = (-2, -1)
    size: Tensor = torch.linalg.vector_norm(target, dim=axes)
    apart: Tensor = torch.linalg.vector_norm(prediction - target, dim=axes)
    return apart / size.clamp(min=torch.finfo(size.dtype).tiny ** 0.5)


def log_magnitude_distance(
    prediction: Float[Tensor, "*batch freq frames"],
    target: Float[Tensor, "*batch freq frames"],
    *,
    eps: float = 1e-5,
) -> Float[Tensor, "*batch"]:
    """Mean ``|ln max(P, eps) - ln max(T, eps)|`` over each item.

    Args:
        prediction: magnitudes P, at least 0.
        target: magnitudes T, of the same shape.
        eps: smallest magnitude told apart, above 0; nothing below it passes a gradient.

    Returns:
        One value per item; divide by ln 10 for decades.

    Raises:
        ValueError: for shapes that differ or ``eps`` that is not positive.

    Example:
        >>> log_magnitude_distance(torch.full((2, 3), 2.0), torch.ones(2, 3))
        tensor(0.6931)

    Agrees with the formula in numpy to 1e-12 in float64.
    Reference: Arik, Jun & Diamos 2019, as for `spectral_convergence`.
    """
    require_same_shape(prediction, target)
    if not eps > 0:
        raise ValueError(f"`eps` (={eps}) must be above 0. Pass e.g. 1e-5.")
    return (prediction.clamp(min=eps).log() - target.clamp(min=eps).log()).abs().mean((-2, -1))
