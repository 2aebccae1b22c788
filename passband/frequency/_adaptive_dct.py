"""A distance of two signals over their cosine transforms that follows where it is large."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._dct import dct
from passband.frequency._si_sdr import require_same_shape
from passband.frequency._validate import require_between, require_real


def adaptive_dct_distance(
    prediction: Float[Tensor, "*shape"],
    target: Float[Tensor, "*shape"],
    *,
    n_dims: int = 2,
    alpha: float = 1.0,
) -> Float[Tensor, "*batch"]:
    """Mean of ``w |E|`` over the error's DCT E, with ``w = (|E| / max |E|) ** alpha`` held fixed.

    The weights are of the error itself, one set per item, and pass no gradient: the frequencies
    that are furthest off count most.

    Args:
        prediction: sounds ``(..., time)`` or images ``(..., H, W)``.
        target: of the same shape.
        n_dims: axes to transform, from the last: 1 for sounds, 2 for images, 3 for volumes.
        alpha: how much weights differ, at least 0: 0 weights every frequency alike.

    Returns:
        One value per item: the shape without the last ``n_dims`` axes.

    Raises:
        ValueError: for shapes that differ, values that are not float32 or float64, ``n_dims``
            out of range or a negative ``alpha``.

    Example:
        >>> adaptive_dct_distance(torch.ones(3, 8, 8), torch.zeros(3, 8, 8))
        tensor([0.1250, 0.1250, 0.1250])

    Agrees with ``scipy.fft.dctn(norm="ortho")`` put into the formula to 1e-12 in float64.
    Reference: Wei et al., FreqINR: frequency consistency for implicit neural
    representation with adaptive DCT frequency loss, arXiv 2408.13716, 2024; Jiang, Dai, Wu & Loy,
    Focal frequency loss for image reconstruction and synthesis, ICCV, 2021.
    """
    require_real("prediction", prediction)
    require_real("target", target)
    require_same_shape(prediction, target)
    require_between("n_dims", n_dims, 1, prediction.ndim, "Pass 1 for sounds, 2 for images.")
    require_between("alpha", alpha, 0, torch.inf, "Pass 1.")
    dims = tuple(range(-n_dims, 0))
    error = dct(prediction - target, dims=dims).abs()
    size = error.detach()
    largest = size.amax(dims, keepdim=True).clamp(min=torch.finfo(size.dtype).tiny)
    return ((size / largest) ** alpha * error).mean(dims)
