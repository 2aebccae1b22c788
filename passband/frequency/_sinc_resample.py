"""Change of sampling rate in torchaudio's definition."""

import math
from fractions import Fraction
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._groups import by_items
from passband.frequency._resample import _MOST_TAPS, _polyphase, _whole
from passband.frequency._validate import require_between, require_choice, require_real

ResamplingMethod = Literal["sinc_interp_hann", "sinc_interp_kaiser"]

# The Kaiser window's shape where none is given.
_BETA = 14.769656459379492


def sinc_resample(
    x: Float[Tensor, "*batch time"],
    orig_freq: float,
    new_freq: float,
    *,
    lowpass_filter_width: int = 6,
    rolloff: float = 0.99,
    resampling_method: ResamplingMethod = "sinc_interp_hann",
    beta: float | None = None,
) -> Float[Tensor, "*batch new_time"]:
    """Signal at ``new_freq``: ``y[n] = sum_m h(n / new_freq - m / orig_freq) x[m]``.

    ``h`` is `sinc_resample_filter`, by default a short one: what lies near the lower of the two
    Nyquist frequencies aliases audibly. `resample` has a longer filter that does not. Beyond its
    ends the signal is taken as zero.

    Args:
        x: signal.
        orig_freq: its sampling rate, in Hz; a whole number.
        new_freq: the rate wanted, in Hz; a whole number.
        lowpass_filter_width: zero crossings of the sinc on each side, at least 1.
        rolloff: the filter's edge as a part of the lower Nyquist frequency, in (0, 1].
        resampling_method: window of the sinc: ``sinc_interp_hann`` or ``sinc_interp_kaiser``.
        beta: shape of the Kaiser window, at least 0; 14.77 if not given.

    Returns:
        Signal of ``ceil(time * new_freq / orig_freq)`` samples; ``x`` itself if the rates agree.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for rates that are not positive whole numbers, or values out of range.

    Example:
        >>> x = torch.sin(2 * torch.pi * 440 * torch.arange(44100) / 44100)
        >>> sinc_resample(x, 44100, 48000).shape
        torch.Size([48000])

    Agrees with ``torchaudio.functional.resample`` to 1e-5 in float32.
    Reference: Smith, Digital audio resampling, CCRMA, Stanford University, 2002.
    """
    require_real("x", x)
    up, down = reduced_rates(orig_freq, new_freq)
    taps = sinc_resample_filter(
        up,
        down,
        lowpass_filter_width=lowpass_filter_width,
        rolloff=rolloff,
        resampling_method=resampling_method,
        beta=beta,
    )
    if up == down:
        return x
    return by_items(lambda items: _polyphase(items, taps, up, down), x)


def sinc_resample_filter(
    up: int,
    down: int,
    *,
    lowpass_filter_width: int = 6,
    rolloff: float = 0.99,
    resampling_method: ResamplingMethod = "sinc_interp_hann",
    beta: float | None = None,
) -> Float[Tensor, " taps"]:
    """Filter ``h = c w(c t / L) sinc(c t)`` of `sinc_resample`, at ``up`` times the original rate.

    ``c`` is ``rolloff min(1, up / down)``, ``t`` counts original samples, and ``w`` is a Hann or
    Kaiser window over the ``L`` zero crossings on each side.

    Args:
        up: factor of interpolation, at least 1.
        down: factor of decimation, at least 1.
        lowpass_filter_width: ``L``, at least 1.
        rolloff: in (0, 1].
        resampling_method: ``sinc_interp_hann`` or ``sinc_interp_kaiser``.
        beta: shape of the Kaiser window, at least 0; 14.77 if not given.

    Returns:
        An odd number of float64 taps, symmetric.

    Raises:
        ValueError: for values out of range, or a filter of more than 2 ** 26 taps.

    Example:
        >>> sinc_resample_filter(1, 2, lowpass_filter_width=2).shape
        torch.Size([11])

    Agrees with the kernels of ``torchaudio.transforms.Resample`` to 1e-6.
    Reference: Smith 2002, as for `sinc_resample`.
    """
    require_choice(
        "resampling_method", resampling_method, ("sinc_interp_hann", "sinc_interp_kaiser")
    )
    width = lowpass_filter_width
    if not width >= 1:
        raise ValueError(f"`lowpass_filter_width` (={width}) must be at least 1. Pass e.g. 6.")
    if not 0 < rolloff <= 1:
        raise ValueError(f"`rolloff` (={rolloff}) must be above 0 and at most 1. Pass e.g. 0.99.")
    beta = _BETA if beta is None else beta
    require_between("beta", beta, 0, math.inf, "Pass e.g. 14.77.")
    edge = rolloff * min(1.0, up / down)
    half = math.ceil(width * up / edge)
    if 2 * half + 1 > _MOST_TAPS:
        raise ValueError(
            f"`up`/`down` (={up}/{down}) must need at most {_MOST_TAPS} taps, not {2 * half + 1}. "
            "Choose rates with a larger common divisor, or a smaller lowpass_filter_width."
        )
    t = torch.arange(-half, half + 1, dtype=torch.float64) * (edge / up)
    t = t.clamp(-width, width)
    if resampling_method == "sinc_interp_hann":
        window = torch.cos(t * (math.pi / 2 / width)).square()
    else:
        peak = torch.special.i0(torch.tensor(beta, dtype=torch.float64))
        window = torch.special.i0(beta * (1 - (t / width).square()).sqrt()) / peak
    return edge * window * torch.sinc(t)


def reduced_rates(orig_freq: float, new_freq: float) -> tuple[int, int]:
    """Factors of interpolation and decimation, in lowest terms."""
    ratio = Fraction(_whole("new_freq", new_freq), _whole("orig_freq", orig_freq))
    return ratio.numerator, ratio.denominator
