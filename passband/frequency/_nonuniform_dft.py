"""Short-time Fourier transform at arbitrary frequencies."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._nonuniform_frames import nonuniform_frames
from passband.frequency._nonuniform_plan import NonuniformPlan
from passband.frequency._stft import Padding, PadMode, _frame_window, _hop, _margins, _pad
from passband.frequency._validate import require_choice, require_real


def nonuniform_stft(
    x: Float[Tensor, "*batch time"],
    plan: NonuniformPlan,
    *,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: str | tuple[str, float] | Float[Tensor, " window"] = "hann",
    padding: Padding = "center",
    pad_mode: PadMode = "reflect",
) -> Complex[Tensor, "*batch bins frames"]:
    """STFT at any frequencies, ``X[v, k] = sum_n w[n] x[k hop + n - left] exp(-2 pi i v n)``.

    Args:
        x: signal, in samples.
        plan: the frequencies, as `nonuniform_plan` gives them for the same ``n_fft``.
        n_fft: as `stft` takes it; the frames are the same.
        hop_length: as `stft` takes it.
        win_length: as `stft` takes it.
        window: as `stft` takes it.
        padding: as `stft` takes it.
        pad_mode: as `stft` takes it.

    Returns:
        Complex spectrum ``(*batch, bins, frames)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for lengths that do not fit together, a signal too short for its padding, or a
            plan made for other frames.

    Example:
        >>> from passband.frequency import nonuniform_plan
        >>> plan = nonuniform_plan(torch.tensor([0.1, 0.123], dtype=torch.float64), 64)
        >>> tone = torch.cos(2 * torch.pi * 0.123 * torch.arange(256))
        >>> spectrum = nonuniform_stft(tone, plan, n_fft=64, hop_length=16, padding="valid")
        >>> spectrum.shape, round(float(spectrum[1].abs().max()))  # half the window's sum
        (torch.Size([2, 13]), 16)

    Agrees with the Fourier sum to 1e-8 of the frame's norm in float64 and 1e-5 in float32.
    Reference: Barnett, Magland & af Klinteberg, SIAM J. Sci. Comput. 41(5), 2019.
    """
    require_real("x", x)
    hop_length = _hop(n_fft, hop_length)
    require_choice("padding", padding, ("center", "same", "valid"))
    if plan.correction.shape[-1] != n_fft:
        raise ValueError(
            f"`plan` (n_fft {plan.correction.shape[-1]}) must be made for n_fft={n_fft}. "
            "Make it with nonuniform_plan(frequencies, n_fft)."
        )
    taper = _frame_window(window, win_length, n_fft, x.dtype, x.device)
    taper = taper * plan.correction.to(dtype=x.dtype, device=x.device)
    if padding != "valid":
        x = _pad(x, _margins(padding, x.shape[-1], n_fft, hop_length), pad_mode, n_fft)
    elif x.shape[-1] < n_fft:
        raise ValueError(
            f"`n_fft` (={n_fft}) must be at most the {x.shape[-1]} samples of `x` under "
            "padding='valid'. Shorten it, or use padding='center'."
        )
    weights = plan.weights.to(dtype=x.dtype, device=x.device)
    pairs = nonuniform_frames(x.reshape(-1, x.shape[-1]), taper, weights, plan, hop_length)
    spectrum = torch.view_as_complex(pairs.reshape(*pairs.shape[:-1], -1, 2))
    return spectrum.reshape(*x.shape[:-1], *spectrum.shape[-2:]).transpose(-1, -2)
