"""Superlets: many Morlet wavelets at one frequency, sharp in time and in frequency at once."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._extension import extend, fast_length, filled
from passband.frequency._validate import require_between, require_choice, require_real

# Standard deviations of the Gaussian in half of the time its cycles take.
_DEVIATIONS = 5.0
# Where the Gaussian is cut off: 1e-9 of its height.
_REACH = 6.5
_IN_FLIGHT = 1 << 21


def superlets(
    x: Float[Tensor, "*batch time"],
    frequencies: Sequence[float] | Float[Tensor, " bins"],
    *,
    c1: float = 3.0,
    order_min: float = 1.0,
    order_max: float = 30.0,
    pad_mode: str = "reflect",
) -> Float[Tensor, "*batch bins time"]:
    """Superlet magnitude ``(prod_i |W_{f, i c1}|^{a_i})^{1 / o(f)}``, ``i = 1 ... ceil(o(f))``.

    ``W_{f, c}`` is the transform by the Morlet wavelet of c cycles, a Gaussian of standard
    deviation ``c / (5 f)`` on a carrier at f; ``o(f)`` rises linearly from ``order_min`` at the
    lowest to ``order_max`` at the highest frequency, and ``a_i = min(1, o(f) - i + 1)``: a
    fractional order takes its last wavelet with that fraction. A tone of amplitude A has
    magnitude A at its frequency.

    Args:
        x: signal.
        frequencies: in cycles per sample, above 0 and at most 0.5, in any order.
        c1: cycles of the shortest wavelet, above 0.
        order_min: order at the lowest frequency, at least 1.
        order_max: order at the highest frequency, at least ``order_min``.
        pad_mode: what stands beyond the ends: ``reflect`` or ``constant`` (zeros).

    Returns:
        Magnitudes ``(*batch, bins, time)``.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for a frequency outside of 0 to 0.5, cycles or orders out of range.

    Example:
        >>> tone = 3 * torch.cos(2 * torch.pi * 0.1 * torch.arange(1000.0))
        >>> found = superlets(tone, torch.tensor([0.1, 0.2]), order_max=5)
        >>> round(float(found[0, 500]), 3), round(float(found[1, 500]), 3)
        (3.0, 0.0)

    Agrees with the convolutions of its definition to 1e-9 in float64; twice the value of Moca et
    al., whose wavelets have a peak of 1.
    Reference: Moca, Bârzan, Nagy-Dăbâcan & Mureșan, Time-frequency super-resolution with
    superlets, Nature Communications 12, 2021, eq. 1 to 8.
    """
    require_real("x", x)
    given = frequencies.tolist() if isinstance(frequencies, Tensor) else frequencies
    values = [float(value) for value in given]
    require_superlets(values, c1, order_min, order_max, pad_mode)
    orders = _orders(values, order_min, order_max)
    longest = max(c1 * math.ceil(o) / f for o, f in zip(orders, values, strict=True))
    margin = math.ceil(_REACH * longest / _DEVIATIONS)
    time = x.shape[-1]
    size = fast_length(time + 2 * margin)
    spectrum = torch.fft.fft(extend(x, margin, size, pad_mode))[..., None, :]
    bins = torch.fft.fftfreq(size, device=x.device, dtype=x.dtype)
    some = max(1, _IN_FLIGHT // (size * max(1, x.numel() // time)))
    rows = []
    for first in range(0, len(values), some):
        chosen = slice(first, first + some)
        mean = _geometric_mean(spectrum, bins, values[chosen], orders[chosen], c1)
        rows.append(mean[..., margin : margin + time])
    return torch.cat(rows, dim=-2)


def require_superlets(
    frequencies: Sequence[float], c1: float, order_min: float, order_max: float, pad_mode: str
) -> None:
    """Raise unless superlets can be made of these settings, frequencies in cycles per sample."""
    require_choice("pad_mode", pad_mode, ("reflect", "constant"))
    if not frequencies or not all(0 < value <= 0.5 for value in frequencies):
        raise ValueError(
            f"`frequencies` ({_span(frequencies)} cycles per sample) must be above 0 and at most "
            "0.5. Leave the others out, or divide Hz by the sample rate."
        )
    if not 0 < c1 < math.inf:
        raise ValueError(f"`c1` (={c1:g} cycles) must be above 0. Pass e.g. 3.")
    require_between("order_min", order_min, 1.0, math.inf, "Pass 1 for a plain Morlet wavelet.")
    require_between("order_max", order_max, order_min, math.inf, "Raise it to order_min.")


def _geometric_mean(
    spectrum: Tensor, bins: Tensor, values: list[float], orders: list[float], c1: float
) -> Tensor:
    """The superlets of some frequencies, over all of the extended signal."""
    frequency = filled(values, bins)[:, None]
    total: Tensor | float = 0.0
    for i in range(1, math.ceil(max(orders)) + 1):
        rows = torch.fft.ifft(spectrum * _sampled_morlet(bins, frequency, i * c1))
        power = rows.real.square() + rows.imag.square()
        # Silence has no logarithm, and no gradient under the clamp.
        size = 0.5 * power.clamp_min(torch.finfo(power.dtype).tiny).log()
        share = [min(1.0, max(0.0, order - i + 1)) / order for order in orders]
        total = total + filled(share, bins)[:, None] * size
    assert isinstance(total, Tensor)
    return total.exp()


def _sampled_morlet(bins: Tensor, frequency: Tensor, cycles: float) -> Tensor:
    """Spectrum of the wavelet's samples, which repeats at the sample rate; its peak is 2."""
    deviation = cycles / _DEVIATIONS / frequency
    images = [bins - frequency + turn for turn in (-1.0, 0.0, 1.0)]
    spectra = [torch.exp(-0.5 * (2 * math.pi * image * deviation).square()) for image in images]
    return 2 * (spectra[0] + spectra[1] + spectra[2])


def _orders(values: list[float], order_min: float, order_max: float) -> list[float]:
    low, span = min(values), max(values) - min(values)
    slope = (order_max - order_min) / span if span > 0 else 0.0
    return [order_min + slope * (value - low) for value in values]


def _span(values: Sequence[float]) -> str:
    return f"{min(values):g} to {max(values):g}" if values else "none"
