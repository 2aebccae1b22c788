"""Spectra of logarithmic spectra."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._validate import require_positive, require_real


class ComplexCepstrum(NamedTuple):
    """A complex cepstrum with what it leaves out: together they are the signal.

    Args:
        values: the cepstrum, real, ``(*batch, n_fft)``.
        delay: linear phase taken out, in samples, ``(*batch,)``.
        sign: of the signal's sum, 1 or -1, ``(*batch,)``.
    """

    values: Tensor
    delay: Tensor
    sign: Tensor


def real_cepstrum(
    x: Float[Tensor, "*batch time"], *, n_fft: int | None = None, floor: float = 1e-10
) -> Float[Tensor, "*batch quefrency"]:
    """Real cepstrum ``c = IDFT(log |DFT x|)``.

    Args:
        x: signal, as a rule a windowed frame.
        n_fft: length of the transforms, at least ``time``; ``time`` if not given.
        floor: smallest magnitude that counts, above 0, in the unit of the spectrum.

    Returns:
        ``n_fft`` values over quefrency, in samples; the second half mirrors the first.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for a length below the signal's, or a floor that is not positive.

    Example:
        >>> click = torch.nn.functional.pad(torch.tensor([1.0, 0, 0, 0.5]), (0, 60))
        >>> real_cepstrum(click)[3].round(decimals=4)  # an echo of a half, three samples late
        tensor(0.2500)

    Agrees with the same formula in numpy to 1e-12 in float64.
    Reference: Oppenheim & Schafer, From frequency to quefrency: a history of the cepstrum, IEEE
    Signal Processing Magazine 21(5), 2004.
    """
    n_fft = _length(x, n_fft)
    return log_cepstrum(torch.fft.rfft(x, n=n_fft), n_fft, floor)


def power_cepstrum(
    x: Float[Tensor, "*batch time"], *, n_fft: int | None = None, floor: float = 1e-10
) -> Float[Tensor, "*batch quefrency"]:
    """Power cepstrum ``|IDFT(log |DFT x|^2)|^2``, four times the square of the real cepstrum.

    Args:
        x: as in `real_cepstrum`.
        n_fft: as in `real_cepstrum`.
        floor: as in `real_cepstrum`.

    Returns:
        ``n_fft`` values over quefrency, in samples.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: as in `real_cepstrum`.

    Example:
        >>> click = torch.nn.functional.pad(torch.tensor([1.0, 0, 0, 0.5]), (0, 60))
        >>> int(power_cepstrum(click)[1:32].argmax()) + 1
        3

    Agrees with the same formula in numpy to 1e-12 in float64.
    Reference: Bogert, Healy & Tukey, The quefrency alanysis of time series for echoes, Proc. Symp.
    Time Series Analysis, 1963.
    """
    return (2 * real_cepstrum(x, n_fft=n_fft, floor=floor)).square()


def complex_cepstrum(
    x: Float[Tensor, "*batch time"], *, n_fft: int | None = None, floor: float = 1e-10
) -> ComplexCepstrum:
    """Complex cepstrum ``c = IDFT(log |X| + i arg X)``, of the unwrapped phase less its slope.

    Args:
        x: signal.
        n_fft: even length of the transforms, at least ``time``; twice ``time`` if not given. The
            phase is unwrapped from bin to bin: a longer transform makes that surer.
        floor: smallest magnitude that counts, above 0; the phase of smaller ones still does.

    Returns:
        The real values, and the delay and sign that they leave out.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for an odd length or one below the signal's, or a floor that is not positive.

    Example:
        >>> x = torch.tensor([0.0, 1.0, 0.5])
        >>> cepstrum = complex_cepstrum(x, n_fft=64)
        >>> int(cepstrum.delay), [round(float(v), 3) for v in cepstrum.values[1:4]]
        (1, [0.5, -0.125, 0.042])

    Agrees with the same formula in numpy (``numpy.unwrap``) to 1e-9 in float64.
    Reference: Oppenheim & Schafer, Discrete-Time Signal Processing, 3rd ed., 2010, section 13.
    """
    require_real("x", x)
    n_fft = _length(x, 2 * x.shape[-1] if n_fft is None else n_fft)
    if n_fft % 2:
        raise ValueError(f"`n_fft` (={n_fft}) must be even. Pass {n_fft + 1}.")
    spectrum = torch.fft.rfft(x, n=n_fft)
    sign = torch.where(spectrum[..., 0].real < 0, -1.0, 1.0).to(x.dtype)
    turn = (spectrum[..., 1:] * spectrum[..., :-1].conj()).angle()
    phase = torch.nn.functional.pad(turn.cumsum(-1), (1, 0))
    half_turns = (phase[..., -1] / math.pi).detach().round()
    ramp = torch.linspace(0, math.pi, n_fft // 2 + 1, dtype=x.dtype, device=x.device)
    phase = phase - half_turns[..., None] * ramp
    logarithm = torch.complex(_log_magnitude(spectrum, floor), phase)
    return ComplexCepstrum(torch.fft.irfft(logarithm, n=n_fft), -half_turns, sign)


def inverse_complex_cepstrum(
    cepstrum: ComplexCepstrum, *, length: int | None = None
) -> Float[Tensor, "*batch time"]:
    """Signal ``IDFT(exp(DFT c))``, with its delay and sign: the inverse of `complex_cepstrum`.

    Args:
        cepstrum: as `complex_cepstrum` gives it.
        length: samples to return; all ``n_fft`` if not given.

    Returns:
        Signal ``(*batch, length)``.

    Raises:
        ValueError: for a length above ``n_fft`` or below 1.

    Example:
        >>> x = torch.randn(3, 20, dtype=torch.float64)
        >>> back = inverse_complex_cepstrum(complex_cepstrum(x), length=20)
        >>> torch.allclose(back, x)
        True

    Agrees with the signal that `complex_cepstrum` was given, to 1e-10 in float64, unless its
    spectrum has magnitudes below the floor.
    Reference: Oppenheim & Schafer, Discrete-Time Signal Processing, 3rd ed., 2010, section 13.
    """
    values, delay, sign = cepstrum
    n_fft = values.shape[-1]
    if length is not None and not 1 <= length <= n_fft:
        raise ValueError(f"`length` (={length}) must be 1 to {n_fft}, the cepstrum's. Lower it.")
    ramp = torch.linspace(0, math.pi, n_fft // 2 + 1, dtype=values.dtype, device=values.device)
    logarithm = torch.fft.rfft(values)
    shifted = torch.complex(logarithm.real, logarithm.imag - delay[..., None] * ramp)
    signal: Tensor = torch.fft.irfft(shifted.exp(), n=n_fft) * sign[..., None]
    return signal if length is None else signal[..., :length]


def log_cepstrum(
    spectrum: Complex[Tensor, "*batch freq"], n_fft: int, floor: float
) -> Float[Tensor, "*batch {n_fft}"]:
    """Real cepstrum of a half spectrum."""
    cepstrum: Tensor = torch.fft.irfft(_log_magnitude(spectrum, floor), n=n_fft)
    return cepstrum


def require_floor(floor: float) -> None:
    """Raise unless ``floor`` is a magnitude above 0."""
    if not 0 < floor < math.inf:
        raise ValueError(f"`floor` (={floor:g}) must be above 0. Pass e.g. 1e-10.")


def _log_magnitude(spectrum: Tensor, floor: float) -> Tensor:
    require_floor(floor)
    power = spectrum.real.square() + spectrum.imag.square()
    least = max(floor**2, torch.finfo(power.dtype).tiny)
    return 0.5 * power.clamp(min=least).log()


def _length(x: Tensor, n_fft: int | None) -> int:
    require_real("x", x)
    if n_fft is None:
        return x.shape[-1]
    require_positive("n_fft", n_fft, "Pass at least the samples of the signal.")
    if n_fft < x.shape[-1]:
        raise ValueError(
            f"`n_fft` (={n_fft}) must be at least the {x.shape[-1]} samples of `x`. Raise it."
        )
    return n_fft
