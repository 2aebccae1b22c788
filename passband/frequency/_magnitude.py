"""Magnitudes of complex values that are safe to differentiate."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._validate import require_complex


def magnitude(
    spectrum: Complex[Tensor, "*shape"], *, power: float = 1.0, eps: float = 0.0
) -> Float[Tensor, "*shape"]:
    """Magnitude ``|X| ** power``, exact everywhere, with gradient zero where ``|X| <= eps``.

    At silence ``|X| ** power`` has no finite gradient for ``power < 1``, and adding a constant
    under the root would bias every value; here only the gradient is cut, and only there.

    Args:
        spectrum: complex values of any shape.
        power: exponent, above 0: 1 for magnitude, 2 for power, 0.3 for compression.
        eps: largest magnitude taken as silence, at least 0, in the unit of ``spectrum``.

    Returns:
        Real values of the same shape.

    Raises:
        TypeError: for values that are not complex64 or complex128.
        ValueError: for a power of 0 or below, or a negative ``eps``.

    Example:
        >>> silence = torch.zeros(1, dtype=torch.complex64, requires_grad=True)
        >>> magnitude(silence, power=0.5).sum().backward()
        >>> silence.grad
        tensor([0.+0.j])

    Agrees with ``torch.abs(spectrum) ** power``, in value and in gradient, away from silence.
    """
    require_complex("spectrum", spectrum)
    if not power > 0:
        raise ValueError(f"`power` (={power}) must be above 0. Pass 1 for magnitude, 2 for power.")
    if not eps >= 0:
        raise ValueError(f"`eps` (={eps}) must be at least 0. Pass 0 to mark exact silence only.")
    if eps == 0 and power == 2:
        return spectrum.real.square() + spectrum.imag.square()
    # Derivatives in forward mode pass through values that require no gradient.
    size = (spectrum.detach() if spectrum.requires_grad else spectrum).abs()
    value = size if power == 1 else size**power
    if not spectrum.requires_grad:
        return value
    # Below the smallest normal number torch's own gradient of abs is NaN.
    audible = size > max(eps, torch.finfo(size.dtype).tiny)
    heard = torch.where(audible, spectrum, 1.0).abs()
    return torch.where(audible, heard if power == 1 else heard**power, value)
