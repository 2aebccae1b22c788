"""A spectrogram from what its filters let through."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_choice, require_real

Driver = Literal["gels", "gelsy", "gelsd", "gelss"]


def inverse_mel_scale(
    x: Float[Tensor, "*batch mels frames"],
    filters: Float[Tensor, "freq mels"],
    *,
    driver: Driver = "gels",
) -> Float[Tensor, "*batch freq frames"]:
    """Smallest spectrogram with ``H^T S = x`` in the least-squares sense, negative values cut to 0.

    Many spectrograms look alike through the filters; this one is smooth where the filters are wide.

    Args:
        x: filtered spectrogram.
        filters: ``H``, ``(freq, mels)``, such as `melscale_fbanks` gives.
        driver: LAPACK's method; ``gels`` needs filters of full rank, and is the only one on CUDA.

    Returns:
        Spectrogram of the same power as ``x``.

    Raises:
        TypeError: for values that are not float32 or float64.
        ValueError: for another number of bands than ``filters`` has, an unknown driver, or filters
            without full rank where the driver needs it.

    Example:
        >>> from passband.frequency import melscale_fbanks
        >>> filters = melscale_fbanks(201, 0.0, 8000.0, 40, 16000)
        >>> inverse_mel_scale(torch.ones(2, 40, 10), filters).shape
        torch.Size([2, 201, 10])

    Agrees with ``torchaudio.transforms.InverseMelScale`` to 1e-3 of the largest value in float32.
    """
    require_real("x", x)
    require_choice("driver", driver, ("gels", "gelsy", "gelsd", "gelss"))
    if x.ndim < 2 or x.shape[-2] != filters.shape[1]:
        raise ValueError(
            f"`x` (shape {tuple(x.shape)}) must be (*batch, {filters.shape[1]}, frames), one row "
            "for each filter. Check n_mels and the axes."
        )
    bank = filters.to(dtype=x.dtype, device=x.device).mT
    # One factorisation for all: the items of the batch are further columns.
    columns = x.movedim(-2, 0)
    try:
        solution: Tensor = torch.linalg.lstsq(bank, columns.flatten(1), driver=driver).solution
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        raise ValueError(
            f"`filters` (of shape {tuple(filters.shape)}) must have full rank for driver='gels': "
            "some filter is empty or a mixture of others. Take fewer n_mels, or driver='gelsy'."
        ) from error
    return solution.relu().reshape(-1, *columns.shape[1:]).movedim(0, -2)
