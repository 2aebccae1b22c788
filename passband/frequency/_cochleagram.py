"""Cochleagram: envelopes of auditory filters, slowed down and compressed."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._analytic import positive_frequencies
from passband.frequency._erb import channel_count, some_erb_filters
from passband.frequency._fast_length import fast_length
from passband.frequency._magnitude import magnitude
from passband.frequency._validate import require_between, require_positive, require_real

# Complex samples of subbands held at once.
_MOST_SAMPLES = 2**22


def cochleagram(
    x: Float[Tensor, "*batch time"],
    *,
    sample_rate: int = 20000,
    n_filters: int = 50,
    f_min: float = 50.0,
    f_max: float = 10000.0,
    sample_factor: int = 4,
    envelope_rate: int = 200,
    numtaps: int = 1001,
    beta: float = 5.0,
    power: float = 0.3,
    offset: float = 1e-8,
    clip: float = 5.0,
    pad_factor: float = 1.0,
    center: bool = True,
    envelope_taps: Float[Tensor, " numtaps"] | None = None,
) -> Float[Tensor, "*batch channels frames"]:
    """Cochleagram ``(h * |x * g_c|_Hilbert + offset) ** power``.

    Filters ``g_c`` are those of `erb_filters`, applied to the spectrum of the whole signal;
    ``h`` is `envelope_filter`. The filters being symmetric in time, nothing is delayed.

    Args:
        x: signal.
        sample_rate: in Hz; a multiple of ``envelope_rate``.
        n_filters: as in `erb_filters`.
        f_min: as in `erb_filters`, in Hz.
        f_max: as in `erb_filters`, in Hz, at most half the sampling rate.
        sample_factor: as in `erb_filters`.
        envelope_rate: frames per second.
        numtaps: taps of ``h``, odd.
        beta: of its Kaiser window, at least 0.
        power: exponent of the compression, above 0.
        offset: added to envelopes, which are not below 0 then, at least 0.
        clip: the largest slope of the compression that gradients see, above 0. Envelopes that ``h``
            takes below 0 count as 0, with the gradient of 0.
        pad_factor: length to which the signal is filled with zeros, in its own lengths, at least 1.
            The filters see a periodic signal: at 1 its end rings on at its beginning.
        center: frame k is centred on sample ``k sample_rate / envelope_rate``, with zeros beyond
            the ends; else frames begin at the first sample, and are whole ones only.
        envelope_taps: ``h`` itself, of an odd number of taps, in place of ``numtaps`` and ``beta``.

    Returns:
        ``(*batch, sample_factor (n_filters + 3) - 1, frames)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for settings out of range, or a signal shorter than the filter if not centred.

    Example:
        >>> cochleagram(torch.randn(4000)).shape
        torch.Size([211, 40])

    Agrees with a loop over chcochleagram's recipe to 1e-10 in float64; its own code samples the
    sinc half a sample off the centre of its window.
    Reference: McDermott & Simoncelli, Neuron 71(5), 2011, methods; Feather et al., Nature
    Neuroscience 26, 2023, methods.
    """
    require_real("x", x)
    require_cochleagram(sample_rate, f_max, envelope_rate, power, offset, clip, pad_factor)
    step = sample_rate // envelope_rate
    if envelope_taps is None:
        envelope_taps = envelope_filter(step, numtaps, beta)
    taps = envelope_taps.to(dtype=x.dtype, device=x.device)
    time = x.shape[-1]
    if not center and time < len(taps):
        raise ValueError(
            f"`numtaps` (={len(taps)}) must be at most the {time} samples of `x` if not centred. "
            "Lower it, or pass center=True."
        )
    n_points = fast_length(math.ceil(pad_factor * time))
    half = torch.fft.rfft(x, n=n_points).unsqueeze(-2)
    hertz = torch.arange(n_points // 2 + 1, dtype=torch.float64, device=x.device)
    hertz = hertz * (sample_rate / n_points)
    at_once = max(1, _MOST_SAMPLES // (n_points * max(1, x.numel() // time)))
    pieces = []
    count = channel_count(n_filters, sample_factor)
    for channels in torch.split(torch.arange(count, device=x.device), at_once):
        bank = some_erb_filters(hertz, channels, n_filters, f_min, f_max, sample_factor)
        subbands = positive_frequencies(half * bank.to(x.dtype), n_points)
        pieces.append(_slowed(magnitude(subbands)[..., :time], taps, step, center))
    return compressed(torch.cat(pieces, dim=-2), power, offset, clip)


def envelope_filter(step: int, numtaps: int, beta: float) -> Float[Tensor, " {numtaps}"]:
    """Low-pass ``sinc(t / step) / step`` under a Kaiser window, for decimation by ``step``.

    Args:
        step: samples from one output to the next, at least 1.
        numtaps: taps, odd.
        beta: of the window, at least 0.

    Returns:
        The taps, in float64.

    Raises:
        ValueError: for a step or number of taps that is not positive, or even taps.

    Example:
        >>> envelope_filter(100, 1001, 5.0).sum().round(decimals=2)
        tensor(1., dtype=torch.float64)

    Agrees with ``numpy.sinc`` and ``numpy.kaiser`` to 1e-12.
    Reference: Kaiser, Nonrecursive digital filter design using the I0-sinh window function, Proc.
    IEEE ISCAS, 1974.
    """
    require_positive("step", step, "Pass the ratio of the rates.")
    require_positive("numtaps", numtaps, "Pass an odd number, e.g. 1001.")
    require_between("beta", beta, 0, math.inf, "Pass e.g. 5.")
    if numtaps % 2 == 0:
        raise ValueError(f"`numtaps` (={numtaps}) must be odd. Pass {numtaps + 1}.")
    t = torch.arange(numtaps, dtype=torch.float64) - numtaps // 2
    window = torch.kaiser_window(numtaps, periodic=False, beta=beta, dtype=torch.float64)
    return torch.sinc(t / step) / step * window


def compressed(x: Tensor, power: float, offset: float, clip: float) -> Tensor:
    """``(max(x, 0) + offset) ** power``, whose slope is the true one but at most ``clip``."""
    with torch.no_grad():
        level = x.clamp(min=0) + offset
        value = level**power
        slope = (power * level ** (power - 1)).clamp(max=clip)
    return value + slope * (x - x.detach())


def require_cochleagram(
    sample_rate: int,
    f_max: float,
    envelope_rate: int,
    power: float,
    offset: float,
    clip: float,
    pad_factor: float,
) -> None:
    """Raise unless the settings of `cochleagram` are in range and fit together."""
    require_positive("sample_rate", sample_rate, "Pass e.g. 20000.")
    require_positive("envelope_rate", envelope_rate, "Pass e.g. 200.")
    if sample_rate % envelope_rate:
        raise ValueError(
            f"`envelope_rate` (={envelope_rate} Hz) must divide `sample_rate` (={sample_rate} Hz). "
            "Resample the signal, e.g. to 20000 Hz."
        )
    if not f_max <= sample_rate / 2:
        raise ValueError(
            f"`f_max` (={f_max:g} Hz) must be at most the Nyquist frequency {sample_rate / 2:g} Hz "
            f"of `sample_rate` (={sample_rate} Hz). Lower `f_max`, or resample the signal to at "
            f"least {2 * f_max:g} Hz."
        )
    for name, value in (("power", power), ("clip", clip)):
        if not value > 0:
            raise ValueError(f"`{name}` (={value:g}) must be above 0. Pass the default.")
    require_between("offset", offset, 0, math.inf, "Pass e.g. 1e-8.")
    require_between("pad_factor", pad_factor, 1, 1000, "Pass 1 for no padding.")


def _slowed(envelopes: Tensor, taps: Tensor, step: int, center: bool) -> Tensor:
    margin = len(taps) // 2 if center else 0
    flat = envelopes.reshape(-1, 1, envelopes.shape[-1])
    slow = torch.nn.functional.conv1d(flat, taps[None, None], stride=step, padding=margin)
    return slow.reshape(*envelopes.shape[:-1], -1)
