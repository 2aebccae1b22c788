"""Analysis windows, and the condition under which a windowed signal can be put back together."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_positive

_PLAIN = (
    "hann",
    "hamming",
    "blackman",
    "blackmanharris",
    "nuttall",
    "flattop",
    "bartlett",
    "cosine",
    "boxcar",
)
_SHAPED = ("kaiser", "gaussian", "tukey")
_ALIASES = {"sine": "cosine"}


def window(
    name: str | tuple[str, float],
    length: int,
    *,
    periodic: bool = True,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Float[Tensor, " {length}"]:
    """Window ``w[n]``, ``0 <= n < length``, computed in float64 and then cast.

    Args:
        name: hann, hamming, blackman, blackmanharris, nuttall, flattop, bartlett, cosine (or
            sine), boxcar; or a pair ("kaiser", beta), ("gaussian", standard deviation in
            samples), ("tukey", tapered fraction in [0, 1]).
        length: number of samples, at least 1.
        periodic: one period of a window of period ``length`` (for the STFT) rather than the
            symmetric window (for filters, and the sine window of an MDCT).
        dtype: type of the result.
        device: where the result lives.

    Returns:
        The window, of ``length`` samples.

    Raises:
        ValueError: for an unknown name or a length below 1.

    Example:
        >>> window("hann", 4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])

    Agrees with ``scipy.signal.get_window`` exactly in float64.
    Reference: Harris, On the use of windows for harmonic analysis with the discrete Fourier
    transform, Proc. IEEE 66(1), 1978.
    """
    require_positive("length", length, "Pass the number of samples, e.g. 1024.")
    known = name in _PLAIN or name in _ALIASES if isinstance(name, str) else name[0] in _SHAPED
    if not known:
        raise ValueError(
            f"`name` (={name!r}) must be one of {', '.join(_PLAIN)}, or a pair such as "
            "('kaiser', 8.6), ('gaussian', 64.0), ('tukey', 0.5). Pass a tensor for any other."
        )
    spec = _ALIASES.get(name, name) if isinstance(name, str) else name
    return _values(spec, length, periodic).to(dtype=dtype, device=device, copy=True)


@lru_cache(maxsize=64)
def _values(spec: str | tuple[str, float], length: int, periodic: bool) -> Tensor:
    from scipy.signal import get_window  # noqa: PLC0415  0.9 s that fields never need

    return torch.from_numpy(get_window(spec, length, fftbins=periodic))


def nola_satisfied(
    window: Float[Tensor, " length"], hop_length: int, *, tol: float = 1e-10
) -> bool:
    """Whether ``sum_k w[n - k hop]^2 > tol`` for every ``n`` (nonzero overlap-add, NOLA).

    Where it holds, the STFT with this window and hop has an exact inverse.

    Args:
        window: the window, in samples.
        hop_length: samples from one frame to the next, at least 1.
        tol: the smallest sum of squares that counts as nonzero.

    Returns:
        True if the condition holds away from the ends of the signal.

    Raises:
        ValueError: for a hop below 1.

    Example:
        >>> hann = window("hann", 8)
        >>> nola_satisfied(hann, 4), nola_satisfied(hann, 8)
        (True, False)

    Agrees with ``scipy.signal.check_NOLA``.
    """
    require_positive("hop_length", hop_length, "Pass e.g. a quarter of the window's length.")
    missing = -window.shape[-1] % hop_length
    power = torch.nn.functional.pad(window.detach().square(), (0, missing))
    return bool(power.reshape(-1, hop_length).sum(0).min() > tol)
