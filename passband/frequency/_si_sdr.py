"""Scale-invariant signal-to-distortion ratio."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_real


def si_sdr(
    prediction: Float[Tensor, "*batch time"], target: Float[Tensor, "*batch time"]
) -> Float[Tensor, "*batch"]:
    """Ratio ``10 log10(|a s|^2 / |p - a s|^2)`` in dB, ``a = <p, s> / <s, s>``, means removed.

    Both energies are raised by ``eps |p|^2``, with the eps of the type, so that the ratio stays
    within 69 dB (float32) or 156 dB (float64) and its gradient finite, also for equal signals, at
    any level. Where only the target is silent the ratio is at its lowest; a silent prediction has
    0 dB.

    Args:
        prediction: p.
        target: s, of the same shape.

    Returns:
        Decibels, one value per signal.

    Raises:
        ValueError: for shapes that differ, or signals that are empty or not float32 or float64.

    Example:
        >>> s = torch.tensor([1.0, -1.0, 1.0, -1.0])
        >>> si_sdr(5 * s + torch.tensor([0.5, 0.5, -0.5, -0.5]), s).round()
        tensor(20.)

    Agrees with ``torchmetrics``' scale_invariant_signal_distortion_ratio(zero_mean=True), and with
    the formula in numpy to 1e-9 dB in float64, below 60 dB.
    Reference: Le Roux, Wisdom, Erdogan & Hershey, SDR: half-baked or well done?, IEEE ICASSP,
    2019.
    """
    require_real("prediction", prediction)
    require_real("target", target)
    require_same_shape(prediction, target)
    p, s = _normal(prediction), _normal(target)
    eps = torch.finfo(p.dtype).eps
    along = (p * s).sum(-1, keepdim=True) / s.square().sum(-1, keepdim=True).clamp(min=eps)
    kept = along * s
    floor = eps * p.square().sum(-1).clamp(min=eps)
    ratio = (kept.square().sum(-1) + floor) / ((p - kept).square().sum(-1) + floor)
    return 10 * ratio.log10()


def _normal(x: Tensor) -> Tensor:
    """``x`` without its mean, at a peak of 1: the ratio is the same at every level."""
    x = x - x.mean(-1, keepdim=True)
    # Held fixed, and exact all the same: a gain that matters to nothing has no gradient.
    return x / x.detach().abs().amax(-1, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)


def require_same_shape(prediction: Tensor, target: Tensor) -> None:
    """Raise unless both have the same shape, which broadcasting would hide."""
    if prediction.shape != target.shape:
        raise ValueError(
            f"`prediction` (shape {tuple(prediction.shape)}) must have the shape of `target` "
            f"{tuple(target.shape)}. Cut or expand one of them."
        )
