"""How near an estimate comes to a trace that is known."""

import torch
from jaxtyping import Float
from torch import Tensor

_TINY = 1e-20


def snr_db(
    clean: Float[Tensor, "*batch time"], estimate: Float[Tensor, "*batch time"]
) -> Float[Tensor, "*batch"]:
    """``10 log10(sum s^2 / sum (y - s)^2)`` of the estimate y of the clean trace s, in dB.

    Example:
        >>> snr_db(torch.tensor([3.0, 4.0]), torch.tensor([3.0, 3.5]))
        tensor(20.)

    Reference: the ratio of powers in dB; Zhu, Mousavi, Beroza, IEEE TGRS 57(11), 2019, compare
    deviations after and before the arrival, as no clean trace is known to them.
    """
    error = (estimate - clean).square().sum(dim=-1)
    power = clean.square().sum(dim=-1)
    return 10 * torch.log10(power.clamp_min(_TINY) / error.clamp_min(_TINY))


def correlation(
    clean: Float[Tensor, "*batch time"], estimate: Float[Tensor, "*batch time"]
) -> Float[Tensor, "*batch"]:
    """Correlation coefficient of the two, in [-1, 1]; 0 where one of them is constant.

    Example:
        >>> x = torch.tensor([1.0, 2.0, 4.0])
        >>> correlation(x, 5 - 2 * x)
        tensor(-1.)

    Agrees with ``numpy.corrcoef`` to 1e-6 in float32.
    Reference: Pearson, Proceedings of the Royal Society of London 58, 1895.
    """
    a, b = (x - x.mean(dim=-1, keepdim=True) for x in (clean, estimate))
    norms = a.norm(dim=-1) * b.norm(dim=-1)
    found: Tensor = (a * b).sum(dim=-1) / norms.clamp_min(_TINY)
    return found


def peak_error(
    clean: Float[Tensor, "*batch time"], estimate: Float[Tensor, "*batch time"]
) -> Float[Tensor, "*batch"]:
    """``max|y| / max|s| - 1``: how much larger or smaller the estimate's largest amplitude is.

    Example:
        >>> peak_error(torch.tensor([1.0, -4.0]), torch.tensor([3.0, 0.0]))
        tensor(-0.2500)

    Reference: the comparison of maximum amplitudes of Zhu, Mousavi, Beroza, IEEE TGRS 57(11), 2019.
    """
    return estimate.abs().amax(dim=-1) / clean.abs().amax(dim=-1).clamp_min(_TINY) - 1
