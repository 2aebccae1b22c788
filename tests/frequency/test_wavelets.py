import math

import pytest
import torch
from scipy.special import gamma as gamma_function

from passband.frequency import GeneralisedMorse, MexicanHat, Morlet, Paul, Wavelet, named_wavelet

ALL = [
    GeneralisedMorse(),
    GeneralisedMorse(gamma=9.0, beta=2.0),
    Morlet(),
    Morlet(omega0=13.4),
    MexicanHat(),
    Paul(),
    Paul(order=1),
]


@pytest.mark.parametrize("wavelet", ALL, ids=repr)
def test_peak_of_two_at_the_centre(wavelet: Wavelet) -> None:
    omega = wavelet.centre * torch.linspace(0.9, 1.1, 2001, dtype=torch.float64)
    value = wavelet.transform(omega)
    assert int(value.argmax()) == 1000
    assert float(value[1000]) == pytest.approx(2.0, abs=1e-12)
    assert not wavelet.transform(torch.tensor([-3.0, -1e-3, 0.0])).any()


@pytest.mark.parametrize("wavelet", ALL, ids=repr)
def test_energy_and_admissibility_are_their_integrals(wavelet: Wavelet) -> None:
    low, high = wavelet.band(1e-14)
    omega = torch.linspace(low, high, 2_000_001, dtype=torch.float64)
    value = wavelet.transform(omega)
    energy = float(torch.trapezoid(value.square(), omega)) / (2 * math.pi)
    halves = 2 if isinstance(wavelet, MexicanHat) else 1  # that of its real part
    assert wavelet.energy * halves == pytest.approx(energy, rel=1e-6)
    admissible = float(torch.trapezoid((value / omega)[1:], omega[1:]))
    assert wavelet.admissibility == pytest.approx(admissible, rel=1e-3)


def test_closed_forms() -> None:
    morse = GeneralisedMorse(gamma=3.0, beta=60.0)
    constant = 2 * (3 * math.e / 60) ** 20 * gamma_function(20) / 3
    assert morse.admissibility == pytest.approx(constant, rel=1e-10)
    assert MexicanHat().admissibility == pytest.approx(math.e, rel=1e-10)
    paul = 2 * math.exp(4) / 4**4 * gamma_function(4)
    assert Paul().admissibility == pytest.approx(paul, rel=1e-10)
    assert Morlet(13.4).energy == pytest.approx(4 * math.sqrt(math.pi) / (2 * math.pi), rel=1e-10)


@pytest.mark.parametrize("wavelet", ALL[:1] + ALL[2:4] + ALL[5:6], ids=repr)
def test_nothing_is_left_beyond_the_reach(wavelet: Wavelet) -> None:
    low, high = wavelet.band(1e-13)
    time = wavelet.reach * torch.linspace(1.0, 1.5, 50, dtype=torch.float64)
    omega = torch.linspace(low, high, 20001, dtype=torch.float64)
    turning = torch.polar(wavelet.transform(omega).expand(50, -1), time[:, None] * omega)
    size = torch.trapezoid(turning, omega).abs() / (2 * math.pi)
    whole = float(torch.trapezoid(wavelet.transform(omega), omega)) / (2 * math.pi)
    assert float(size.max()) < 1e-7 * whole
    assert wavelet.reach < 20 * (high - low + 1)


@pytest.mark.parametrize("wavelet", ALL, ids=repr)
def test_float32_has_the_values_of_float64(wavelet: Wavelet) -> None:
    omega = torch.linspace(0.01, 4 * wavelet.centre, 1000, dtype=torch.float64)
    single = wavelet.transform(omega.float())
    torch.testing.assert_close(single.double(), wavelet.transform(omega), rtol=0, atol=2e-5)


def test_equal_settings_are_equal_wavelets() -> None:
    assert Morlet(8.0) == Morlet(8.0)
    assert hash(Morlet(8.0)) == hash(Morlet(8.0))
    assert Morlet(8.0) != Morlet(9.0)
    assert named_wavelet("gmw") == GeneralisedMorse(3.0, 60.0)
    assert named_wavelet(Paul(2)) == Paul(2)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`wavelet` \(='haar'\) must be one of gmw, morlet, mex"):
        named_wavelet("haar")
    with pytest.raises(ValueError, match=r"`omega0` \(=0\) must be above 0"):
        Morlet(0)
    with pytest.raises(ValueError, match=r"`beta` \(=-1\) must be above 0"):
        GeneralisedMorse(3.0, -1)
    with pytest.raises(ValueError, match=r"`gamma` \(=nan\) must be above 0"):
        GeneralisedMorse(math.nan, 60)
    with pytest.raises(ValueError, match=r"`order` \(=0\) must be above 0"):
        Paul(0)
