"""Per-channel energy normalisation: automatic gain and compression for spectrograms."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._median import symmetric_windows
from passband.frequency._validate import require_between, require_positive, require_real

# Frames whose smoothing is one product with a triangular matrix.
_BLOCK = 64


def smoothing_coefficient(time_constant: float, sr: float, hop_length: int) -> float:
    """Coefficient ``b = (sqrt(1 + 4 T^2) - 1) / (2 T^2)`` of a smoother over ``T`` frames.

    Args:
        time_constant: in seconds, above 0.
        sr: sampling rate of the signal, in Hz.
        hop_length: samples from one frame to the next.

    Returns:
        ``b``, between 0 and 1, for ``T = time_constant * sr / hop_length``.

    Raises:
        ValueError: for a time constant, rate or hop that is not positive.

    Example:
        >>> round(smoothing_coefficient(0.4, 22050, 512), 6)
        0.056389

    Agrees with ``librosa.pcen`` exactly.
    Reference: Lostanlen et al., Per-channel energy normalization: why and how, IEEE Signal
    Processing Letters 26(1), 2019, section II.
    """
    require_positive("hop_length", hop_length, "Pass the hop of the spectrogram, e.g. 512.")
    for name, value, unit in (("time_constant", time_constant, "s"), ("sr", sr, "Hz")):
        if not 0 < value < math.inf:
            raise ValueError(
                f"`{name}` (={value:g} {unit}) must be above 0. Pass e.g. the default."
            )
    frames = time_constant * sr / hop_length
    return (math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)


def exponential_smoothing(
    x: Float[Tensor, "*batch frames"],
    b: float | Tensor,
    *,
    initial: Float[Tensor, "*batch"] | None = None,
) -> Float[Tensor, "*batch frames"]:
    """First-order recursion ``m[t] = (1 - b) m[t - 1] + b x[t]``, differentiable in all.

    Computed as products with triangular matrices over blocks of frames, and the same again for what
    is carried from block to block: no loop over frames.

    Args:
        x: values, time on the last axis.
        b: coefficient in (0, 1]; a number, or a tensor that broadcasts with ``x`` less its last
            axis, for a coefficient per channel.
        initial: ``m[-1]``; 1 if not given, as librosa has it.

    Returns:
        ``m``, of the shape of ``x``.

    Raises:
        TypeError: for values that are not float32 or float64.
        ValueError: for no frames, or a coefficient out of range.

    Example:
        >>> exponential_smoothing(torch.tensor([1.0, 3.0, 3.0]), 0.5)
        tensor([1.0000, 2.0000, 2.5000])

    Agrees with ``scipy.signal.lfilter([b], [1, b - 1], x)`` to 1e-12 in float64.
    Reference: Wang et al., Trainable frontend for robust and far-field keyword spotting, ICASSP
    2017, eq. 2.
    """
    require_real("x", x)
    if not isinstance(b, Tensor):
        require_between("b", b, 0, 1, "Pass e.g. 0.025.")
        decay = x.new_full((), 1 - b)
    else:
        decay = (1 - b).to(dtype=x.dtype, device=x.device)
    previous = torch.ones_like(x[..., 0]) if initial is None else initial
    smoothed = _recursion(x * (1 - decay)[..., None], decay, previous)
    return smoothed


def _recursion(x: Tensor, decay: Tensor, previous: Tensor) -> Tensor:
    """``m[t] = decay m[t - 1] + x[t]`` from ``m[-1] = previous``."""
    time = x.shape[-1]
    size = min(_BLOCK, time)
    n_blocks = -(-time // size)
    padded = torch.nn.functional.pad(x, (0, n_blocks * size - time))
    blocks = padded.reshape(*x.shape[:-1], n_blocks, size)
    steps = torch.arange(size, device=x.device)
    delays = steps[:, None] - steps
    powers = decay[..., None] ** torch.arange(size + 1, device=x.device)
    triangle = torch.where(delays >= 0, powers[..., delays.clamp(min=0)], 0.0)
    within = blocks @ triangle.mT
    if n_blocks == 1:
        carried = previous[..., None]
    else:
        ends = _recursion(within[..., :-1, -1], powers[..., size], previous)
        carried = torch.cat((previous[..., None], ends), dim=-1)
    smoothed: Tensor = within + carried[..., None] * powers[..., None, 1:]
    return smoothed.flatten(-2)[..., :time]


def pcen(
    S: Float[Tensor, "*batch freq frames"],
    *,
    sr: float = 22050,
    hop_length: int = 512,
    gain: float = 0.98,
    bias: float = 2.0,
    power: float = 0.5,
    time_constant: float = 0.4,
    eps: float = 1e-6,
    b: float | None = None,
    max_size: int = 1,
    initial: Float[Tensor, "*batch freq"] | None = None,
) -> Float[Tensor, "*batch freq frames"]:
    """Per-channel energy normalisation ``(S / (eps + M)^gain + bias)^power - bias^power``.

    ``M`` is ``S`` smoothed over time by `exponential_smoothing`.

    Args:
        S: magnitude or power spectrogram, at least 0.
        sr: sampling rate of the signal, in Hz.
        hop_length: samples from one frame to the next.
        gain: exponent of the gain, at least 0, below 1 as a rule.
        bias: at least 0.
        power: exponent of the compression, at least 0; 0 gives ``log(1 + S / (eps + M)^gain)``.
        time_constant: of the smoothing, in seconds.
        eps: above 0.
        b: the smoothing coefficient itself, in [0, 1], in place of ``time_constant``.
        max_size: bins over which the loudest is smoothed; 1 takes each bin by itself.
        initial: ``M`` before the first frame; 1 if not given.

    Returns:
        The normalised spectrogram.

    Raises:
        TypeError: for values that are not float32 or float64.
        ValueError: for settings out of range.

    Example:
        >>> pcen(torch.ones(3, 100)).shape
        torch.Size([3, 100])

    Agrees with ``librosa.pcen`` to 1e-12 in float64 and 1e-5 in float32.
    Reference: Wang et al., Trainable frontend for robust and far-field keyword spotting, ICASSP
    2017, eq. 1; Lostanlen et al., Per-channel energy normalization: why and how, IEEE Signal
    Processing Letters 26(1), 2019.
    """
    require_real("S", S)
    require_pcen(gain, bias, power, eps)
    b = smoothing_coefficient(time_constant, sr, hop_length) if b is None else b
    smoothed = exponential_smoothing(loudest_neighbour(S, max_size), b, initial=initial)
    return compress_by(S, smoothed, gain=gain, bias=bias, power=power, eps=eps)


def loudest_neighbour(
    S: Float[Tensor, "*batch freq frames"],
    max_size: int,
) -> Float[Tensor, "*batch freq frames"]:
    """Largest of ``max_size`` neighbouring bins, mirrored at the ends; ``S`` itself for 1."""
    require_positive("max_size", max_size, "Pass 1 to take each bin by itself.")
    if max_size == 1:
        return S
    return symmetric_windows(S.mT, max_size).amax(dim=-1).mT


def compress_by(
    S: Tensor,
    smoothed: Tensor,
    *,
    gain: float | Tensor,
    bias: float | Tensor,
    power: float | Tensor,
    eps: float,
) -> Tensor:
    """Automatic gain and compression of `pcen`; its settings may be tensors, above 0."""
    level = S * torch.exp(-gain * (math.log(eps) + torch.log1p(smoothed / eps)))
    if not isinstance(power, Tensor) and power == 0:
        return torch.log1p(level)
    if not isinstance(bias, Tensor) and bias == 0:
        audible = level > 0  # the root of 0 has no gradient
        return torch.where(audible, torch.where(audible, level, 1.0) ** power, 0.0)
    return bias**power * torch.expm1(power * torch.log1p(level / bias))


def require_pcen(gain: float, bias: float, power: float, eps: float) -> None:
    """Raise unless the settings of `pcen` are in range."""
    for name, value in (("gain", gain), ("bias", bias), ("power", power)):
        require_between(name, value, 0, math.inf, "Pass e.g. the default.")
    if not 0 < eps < math.inf:
        raise ValueError(f"`eps` (={eps:g}) must be above 0. Pass e.g. 1e-6.")
