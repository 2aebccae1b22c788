"""The cosine transform of cepstral coefficients, as a matrix."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_choice, require_positive


def create_dct(
    n_mfcc: int, n_mels: int, norm: Literal["ortho"] | None = "ortho"
) -> Float[Tensor, "{n_mels} {n_mfcc}"]:
    """First columns of the DCT-II, ``D[n, k] = s_k cos(pi k (2 n + 1) / 2 n_mels)``.

    Args:
        n_mfcc: coefficients to keep, at most ``n_mels``.
        n_mels: bands to transform.
        norm: ``ortho`` for ``s_0 = sqrt(1 / n_mels)`` and ``s_k = sqrt(2 / n_mels)``; None for 2.

    Returns:
        The matrix, in float64; coefficients are ``D.T @ bands``.

    Raises:
        ValueError: for counts below 1, or more coefficients than bands.

    Example:
        >>> create_dct(2, 3)
        tensor([[ 5.7735e-01,  7.0711e-01],
                [ 5.7735e-01,  4.9996e-17],
                [ 5.7735e-01, -7.0711e-01]], dtype=torch.float64)

    Agrees with ``scipy.fft.dct(norm=norm)`` to 1e-12, and with ``torchaudio.functional.create_dct``
    to 1e-6.
    Reference: Ahmed, Natarajan & Rao, Discrete cosine transform, IEEE Trans. Computers C-23(1),
    1974.
    """
    require_positive("n_mfcc", n_mfcc, "Pass the coefficients to keep, e.g. 13.")
    require_positive("n_mels", n_mels, "Pass the number of bands, e.g. 80.")
    if n_mfcc > n_mels:
        raise ValueError(
            f"`n_mfcc` (={n_mfcc}) must be at most the {n_mels} bands they are made of. Lower it, "
            "or make more bands."
        )
    if norm is not None:
        require_choice("norm", norm, ("ortho",))
    n = torch.arange(n_mels, dtype=torch.float64)[:, None]
    k = torch.arange(n_mfcc, dtype=torch.float64)
    cosines = torch.cos(math.pi / n_mels * (n + 0.5) * k)
    if norm is None:
        return 2 * cosines
    scale = torch.full_like(k, math.sqrt(2 / n_mels))
    scale[0] = math.sqrt(1 / n_mels)
    return cosines * scale
