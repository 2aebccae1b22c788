"""Real spherical harmonics of directions."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError

_MOST = 8


class SphericalHarmonics(nn.Module):
    """Real spherical harmonics ``Y_l^m`` of unit vectors, ``l < degree``, at index ``l^2 + l + m``.

    ``Y_l^m = sqrt(2) N_l^m Q_l^m(z) Re (x + iy)^m`` for m > 0, with ``Im (x + iy)^|m|`` for m < 0
    and ``N_l^0 Q_l^0(z)`` for m = 0, where ``Q_l^m(z) = (-1)^m d^m P_l / dz^m`` with the Legendre
    polynomial P_l and ``N_l^m = sqrt((2l + 1) (l - |m|)! / (4 pi (l + |m|)!))``: orthonormal over
    the sphere, with the factor ``(-1)^m`` of Condon and Shortley, so ``Y_1 = c (-y, z, -x)``.

    tiny-cuda-nn's otype ``SphericalHarmonics``. There, a direction v comes as ``(v + 1) / 2``; here
    coordinates are in [-1, 1], so it is v itself. Vectors are taken as they are: of another length
    than 1, the values are those of the polynomials above.

    Args:
        in_features: 3.
        degree: degrees l from 0, at most 8; there are ``degree^2`` features.

    Raises:
        InputError: another number of coordinates, or a degree out of range.

    Example:
        >>> SphericalHarmonics(3, 2)(torch.tensor([0.0, 0.0, 1.0])).round(decimals=4)
        tensor([0.2821, -0.0000, 0.4886, -0.0000])

    Reference: Sloan, *Stupid Spherical Harmonics (SH) Tricks*, GDC 2008, appendix A1.
    """

    norms: Tensor

    def __init__(self, in_features: int = 3, degree: int = 4) -> None:
        super().__init__()
        if in_features != 3:
            raise InputError(
                f"`in_features` (={in_features}) must be 3 for spherical harmonics: they are "
                "functions of a direction. Pass directions alone, with Composite where needed."
            )
        if isinstance(degree, bool) or not isinstance(degree, int) or not 1 <= degree <= _MOST:
            raise InputError(f"`degree` (={degree}) must be an integer from 1 to {_MOST}.")
        self.in_features = in_features
        self.degree = degree
        self.out_features = degree**2
        norms = [_norm(band, m) for band in range(degree) for m in range(-band, band + 1)]
        self.register_buffer("norms", torch.tensor(norms, dtype=torch.float64), persistent=False)

    def forward(self, x: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the directions ``x``, unit vectors."""
        real, imaginary = _powers(x[..., 0], x[..., 1], self.degree)
        along = _legendre(x[..., 2], self.degree)
        columns = [
            along[band, abs(m)] * (real[m] if m >= 0 else imaginary[-m])
            for band in range(self.degree)
            for m in range(-band, band + 1)
        ]
        return torch.stack(columns, dim=-1) * self.norms.to(x.dtype)


def _norm(band: int, m: int) -> float:
    factorials = math.factorial(band - abs(m)) / math.factorial(band + abs(m))
    return math.sqrt((2 * band + 1) * factorials / (4 * math.pi) * (1 if m == 0 else 2))


def _powers(x: Tensor, y: Tensor, count: int) -> tuple[list[Tensor], list[Tensor]]:
    """Real and imaginary parts of ``(x + iy)^m`` for ``m < count``."""
    real, imaginary = [torch.ones_like(x)], [torch.zeros_like(x)]
    for _ in range(count - 1):
        a, b = real[-1], imaginary[-1]
        real.append(x * a - y * b)
        imaginary.append(x * b + y * a)
    return real, imaginary


def _legendre(z: Tensor, count: int) -> dict[tuple[int, int], Tensor]:
    """``(-1)^m d^m P_n / dz^m`` for ``m <= n < count``, under ``(n, m)``."""
    found = {(0, 0): torch.ones_like(z)}
    for m in range(count):
        if m > 0:
            found[m, m] = (1 - 2 * m) * found[m - 1, m - 1]
        if m + 1 < count:
            found[m + 1, m] = (2 * m + 1) * z * found[m, m]
        for n in range(m + 2, count):
            before = (2 * n - 1) * z * found[n - 1, m] - (n + m - 1) * found[n - 2, m]
            found[n, m] = before / (n - m)
    return found
