"""Analytic wavelets by their Fourier transforms, in one scaling: a peak of 2."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

# Fourier values under this fraction of the peak are left out; the rounding of the type hides them.
_NEGLIGIBLE = {
    torch.float32: 0.01 * torch.finfo(torch.float32).eps,
    torch.float64: 0.01 * torch.finfo(torch.float64).eps,
}
# The fraction of the integral of |psi(t)| that may lie beyond the reach.
_TAIL = 1e-8
_OCTAVE_STEPS = 256


@dataclass(frozen=True)
class Wavelet(ABC):
    """An analytic wavelet, ``psi^(omega) = 0`` for ``omega <= 0``, with real values and peak 2.

    With this scaling a tone of amplitude A gives coefficients of magnitude A at its own scale.
    ``omega`` is in radians per unit of time at scale 1.

    Attributes:
        centre: peak frequency ``omega_c``, in radians.
        energy: ``(1 / 2 pi) int |psi^|^2 d omega``, what `norm` l2 makes 1.
        admissibility: ``int psi^(omega) / omega d omega``, of the one-integral inverse.
        main_band: where ``psi^`` is above a thousandth of its peak, in radians.
        reach: time beyond which nothing of the wavelet is left, at scale 1.
    """

    centre: float = field(init=False, repr=False, compare=False)
    energy: float = field(init=False, repr=False, compare=False)
    admissibility: float = field(init=False, repr=False, compare=False)
    main_band: tuple[float, float] = field(init=False, repr=False, compare=False)
    reach: float = field(init=False, repr=False, compare=False)
    _edges: dict[torch.dtype, tuple[float, float]] = field(init=False, repr=False, compare=False)

    @abstractmethod
    def transform(self, omega: Tensor) -> Tensor:
        """Values of ``psi^`` at angular frequencies ``omega``, in radians, any shape."""

    @abstractmethod
    def _peak(self) -> float:
        """Where ``psi^`` is largest."""

    def __post_init__(self) -> None:
        """Measure the wavelet once, in float64."""
        centre = self._peak()
        put: Callable[[str, object], None] = lambda k, v: object.__setattr__(self, k, v)  # noqa: E731
        put("centre", centre)
        # In log frequency the integrands vanish smoothly at both ends: sums converge fast.
        steps = torch.arange(-30 * _OCTAVE_STEPS, 10 * _OCTAVE_STEPS, dtype=torch.float64)
        omega = centre * torch.exp2(steps / _OCTAVE_STEPS)
        value = self.transform(omega)
        step = math.log(2) / _OCTAVE_STEPS
        put("energy", float((value.square() * omega).sum()) * step / (2 * math.pi))
        put("admissibility", float(value.sum()) * step)
        put("main_band", self.band(1e-3))
        put("_edges", {dtype: self.band(level) for dtype, level in _NEGLIGIBLE.items()})
        put("reach", self._measured_reach())

    def band(self, level: float) -> tuple[float, float]:
        """Angular frequencies around the centre where ``psi^`` falls to ``level`` of its peak."""
        return self._crossing(level, down=True), self._crossing(level, down=False)

    def edges(self, dtype: torch.dtype) -> tuple[float, float]:
        """`band` outside of which a transform in ``dtype`` can leave the wavelet out."""
        return self._edges[dtype]

    def _crossing(self, level: float, *, down: bool) -> float:
        octaves = torch.linspace(0, 40 if down else 12, 2048, dtype=torch.float64)
        near, far = 0.0, float(octaves[-1])
        for _ in range(3):
            omega = self.centre * torch.exp2(-octaves if down else octaves)
            under = (self.transform(omega) < 2 * level).nonzero()
            if len(under) == 0:
                return 0.0 if down else float(omega[-1])
            first = max(1, int(under[0]))
            near, far = float(octaves[first - 1]), float(octaves[first])
            octaves = torch.linspace(near, far, 2048, dtype=torch.float64)
        return self.centre * math.exp2(-far if down else far)

    def _measured_reach(self) -> float:
        low, high = self.band(1e-12)
        count = 1 << 16
        step = 4 * (high - low) / count
        omega = low + step * torch.arange(count // 4, dtype=torch.float64)
        size = torch.fft.ifft(self.transform(omega) + 0j, n=count).abs()[: count // 2]
        tail = size.flip(0).cumsum(0).flip(0)
        # Until the integral over all of the reach is less than the tail allowed.
        within = int((tail > _TAIL * tail[0]).sum())
        return within * 2 * math.pi / (count * step)


@dataclass(frozen=True)
class GeneralisedMorse(Wavelet):
    """Generalised Morse ``psi^(w) = 2 (w / w_c)^beta exp(w_c^gamma - w^gamma)`` for ``w > 0``.

    ``w_c = (beta / gamma)^(1 / gamma)``. About ``sqrt(beta gamma) / pi`` cycles fit into it.

    Args:
        gamma: family, above 0; 3 is the most symmetric (Airy).
        beta: sharpness in frequency, above 0.

    Example:
        >>> round(GeneralisedMorse(gamma=3.0, beta=60.0).centre, 4)
        2.7144

    Agrees with ``ssqueezepy``'s ``gmw`` (bandpass normalisation) to 1e-12.
    Reference: Olhede & Walden, Generalized Morse wavelets, IEEE Trans. Signal Processing 50(11),
    2002; Lilly & Olhede, On the analytic wavelet transform, IEEE Trans. Inf. Theory 56(8), 2010.
    """

    gamma: float = 3.0
    beta: float = 60.0

    def __post_init__(self) -> None:
        """Check the family before measuring."""
        _require_above("gamma", self.gamma, 0, "Pass e.g. 3.")
        _require_above("beta", self.beta, 0, "Pass e.g. 60.")
        super().__post_init__()

    def _peak(self) -> float:
        return float((self.beta / self.gamma) ** (1 / self.gamma))

    def transform(self, omega: Tensor) -> Tensor:
        """Values at ``omega``, in radians."""
        return _morse(omega, self.gamma, self.beta, self.centre)


@dataclass(frozen=True)
class Paul(Wavelet):
    """Paul ``psi^(w) = 2 (w / m)^m exp(m - w)`` for ``w > 0``: short in time, broad in frequency.

    Args:
        order: m, a positive integer.

    Example:
        >>> Paul(order=4).centre
        4.0

    Agrees with Torrence & Compo's table 1 (under ``norm="l2"``) to 1e-12.
    Reference: Torrence & Compo, A practical guide to wavelet analysis, Bull. Amer. Meteor. Soc.
    79(1), 1998, table 1.
    """

    order: int = 4

    def __post_init__(self) -> None:
        """Check the order before measuring."""
        _require_above("order", self.order, 0, "Pass e.g. 4.")
        super().__post_init__()

    def _peak(self) -> float:
        return float(self.order)

    def transform(self, omega: Tensor) -> Tensor:
        """Values at ``omega``, in radians."""
        return _morse(omega, 1.0, self.order, self.centre)


@dataclass(frozen=True)
class MexicanHat(Wavelet):
    """Analytic Mexican hat ``psi^(w) = w^2 exp(1 - w^2 / 2)`` for ``w > 0``.

    The real part of its transform is the transform by the real Mexican hat (Ricker, or second
    derivative of a Gaussian), and `energy` is that of the real wavelet.

    Example:
        >>> MexicanHat().centre == 2 ** 0.5
        True

    Agrees with Torrence & Compo's DOG of order 2 and, in its real part under ``norm="l2"``, with
    PyWavelets' ``mexh`` to 2e-2, when the mean over a sample that this takes is counted in.
    Reference: Torrence & Compo, A practical guide to wavelet analysis, Bull. Amer. Meteor. Soc.
    79(1), 1998, table 1.
    """

    def __post_init__(self) -> None:
        """Measure, then count the energy of the real part alone."""
        super().__post_init__()
        object.__setattr__(self, "energy", self.energy / 2)

    def _peak(self) -> float:
        return math.sqrt(2)

    def transform(self, omega: Tensor) -> Tensor:
        """Values at ``omega``, in radians."""
        value = omega.square() * torch.exp(1 - omega.square() / 2)
        return value.masked_fill(omega <= 0, 0.0)


@dataclass(frozen=True)
class Morlet(Wavelet):
    """Morlet ``psi^(w) = c (exp(-(w - w_0)^2 / 2) - exp(-w_0^2 / 2 - w^2 / 2))`` for ``w > 0``.

    The second term makes the mean zero; ``c`` makes the peak 2.

    Args:
        omega0: angular frequency of the carrier, in radians, above 0; 5 to 14 is usual, and below
            3 the part left of zero that is cut off counts.

    Example:
        >>> round(Morlet(omega0=6.0).centre, 4)
        6.0

    Agrees with ``ssqueezepy``'s ``morlet`` under ``norm="l2"``; its L1 scaling has a peak of 1.88,
    so that a tone of amplitude 1 reads 0.94 there and 1 here.
    Reference: Torrence & Compo, A practical guide to wavelet analysis, Bull. Amer. Meteor. Soc.
    79(1), 1998, table 1.
    """

    omega0: float = 6.0
    _gain: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the peak before measuring."""
        _require_above("omega0", self.omega0, 0, "Pass e.g. 6.")
        peak = torch.tensor([self._peak()], dtype=torch.float64)
        object.__setattr__(self, "_gain", 1.0)
        object.__setattr__(self, "_gain", 2.0 / float(self.transform(peak)))
        super().__post_init__()

    def _peak(self) -> float:
        # Zero derivative: w = w0 / (1 - exp(-w0 w)), a contraction.
        peak = self.omega0
        for _ in range(100):
            peak = self.omega0 / -math.expm1(-self.omega0 * peak)
        return peak

    def transform(self, omega: Tensor) -> Tensor:
        """Values at ``omega``, in radians."""
        # exp(w0 w) - 1 keeps its digits near zero, where the two terms cancel.
        damped = torch.exp(-0.5 * (omega - self.omega0).square())
        value = self._gain * damped * -torch.expm1(-self.omega0 * omega.clamp_min(0))
        return value.masked_fill(omega <= 0, 0.0)


def named_wavelet(wavelet: str | Wavelet) -> Wavelet:
    """A wavelet by its short name, with its default parameters; a `Wavelet` is returned as is.

    Args:
        wavelet: gmw, morlet, mexican_hat or paul, or a wavelet.

    Returns:
        The wavelet.

    Raises:
        ValueError: for another name.

    Example:
        >>> named_wavelet("paul")
        Paul(order=4)
    """
    if isinstance(wavelet, Wavelet):
        return wavelet
    known: dict[str, type[Wavelet]] = {
        "gmw": GeneralisedMorse,
        "morlet": Morlet,
        "mexican_hat": MexicanHat,
        "paul": Paul,
    }
    if wavelet not in known:
        raise ValueError(
            f"`wavelet` (={wavelet!r}) must be one of {', '.join(known)}. "
            "Or pass a wavelet, e.g. Morlet(omega0=8)."
        )
    return known[wavelet]()


def _morse(omega: Tensor, gamma: float, beta: float, centre: float) -> Tensor:
    ratio = (omega / centre).clamp_min(torch.finfo(omega.dtype).tiny)
    # In the exponent, and about the peak, where the two terms cancel: powers alone overflow.
    power = beta / gamma if gamma != 1 else beta
    value = 2 * torch.exp(beta * ratio.log() + power * (1 - ratio**gamma))
    return value.masked_fill(omega <= 0, 0.0)


def _require_above(name: str, value: float, limit: float, cure: str) -> None:
    if not limit < value < math.inf:
        raise ValueError(f"`{name}` (={value}) must be above {limit:g} and finite. {cure}")
