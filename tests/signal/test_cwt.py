import math

import pytest
import torch
from torch import Tensor

from passband.frequency import Morlet, cwt, icwt
from passband.signal import CWT, InverseCWT


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("wavelet", ["gmw", "morlet", "mexican_hat", "paul", Morlet(9.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_is_its_function(wavelet, dtype: torch.dtype) -> None:
    x = noise(2, 3, 500, dtype=dtype)
    given = {"wavelet": wavelet, "norm": "l2", "pad_mode": "constant"}
    transform = CWT(8000, f_min=300, voices=4, **given)
    rows = transform(x)
    assert torch.equal(rows, cwt(x, transform.scales, **given))
    assert rows.dtype == dtype.to_complex()
    inverse = InverseCWT(8000, f_min=300, voices=4, **given)
    assert torch.equal(inverse(rows), icwt(rows, transform.scales, **given))
    assert not transform.state_dict()


def test_frequencies() -> None:
    transform = CWT(8000, f_min=100, f_max=1600, voices=3)
    expected = 1600 * 2 ** (torch.arange(-12, 1, dtype=torch.float64) / 3)
    torch.testing.assert_close(transform.frequencies, expected)
    centre = transform.wavelet.centre
    torch.testing.assert_close(
        transform.scales * expected, torch.full_like(expected, centre * 8000 / (2 * math.pi))
    )
    counted = CWT(8000, f_min=100, f_max=1600, n_scales=13)
    torch.testing.assert_close(counted.frequencies, expected)
    assert counted.frequencies[-1] == 1600
    listed = CWT(8000, frequencies=expected)
    torch.testing.assert_close(listed.scales, transform.scales)
    scaled = CWT(8000, scales=transform.scales.tolist())
    torch.testing.assert_close(scaled.frequencies, expected)
    default = CWT(22050)
    assert 22.05 <= default.frequencies[0] < 22.05 * 2 ** (1 / 32)
    assert 8000 < default.frequencies[-1] < 11025
    tone = torch.cos(2 * torch.pi * 400 / 8000 * torch.arange(4000))
    nearest = transform(tone)[:, 2000].abs().argmax()
    assert transform.frequencies[nearest] == pytest.approx(400)


def test_round_trip_within_the_covered_band() -> None:
    given = {"sample_rate": 8000, "f_min": 100, "voices": 12}
    transform, inverse = CWT(**given), InverseCWT(**given)
    ((low, high),) = inverse.covered
    assert low < 100 < transform.frequencies[-1] < high < 4000
    spectrum = torch.fft.rfft(noise(16000, dtype=torch.float64))
    hertz = torch.fft.rfftfreq(16000, 1 / 8000)
    x = torch.fft.irfft(spectrum * ((hertz > 1.05 * low) & (hertz < 0.95 * high)))
    for signal in (x, x.float()):
        error = (inverse(transform(signal)) - signal)[4000:-4000].double()
        assert 10 * (x[4000:-4000].square().sum() / error.square().sum()).log10() > 80


def test_gaps_are_named() -> None:
    with pytest.warns(UserWarning, match=r"too far apart for an inverse: .* Hz are lost. Raise `v"):
        InverseCWT(8000, f_min=100, voices=1)


@pytest.mark.usefixtures("unchecked")
def test_compiles_and_maps() -> None:
    transform, x = CWT(8000, f_min=800, voices=3), noise(2, 300)
    inverse = InverseCWT(8000, f_min=800, voices=3)
    expected = transform(x)
    compiled = torch.compile(transform, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(torch.func.vmap(transform)(x), expected, rtol=0, atol=1e-6)
    mapped = torch.func.vmap(inverse)(expected)
    torch.testing.assert_close(mapped, inverse(expected), rtol=0, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        assert transform(x).dtype == torch.complex64


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    transform, inverse = CWT(8000, f_min=800, voices=6), InverseCWT(8000, f_min=800, voices=6)
    bad = torch.zeros(2, 100)
    bad[1, 3] = torch.nan
    with pytest.raises(ValueError, match=r"`waveform` \(shape \(2, 100\), 1 of its values NaN"):
        transform(bad)
    rows = torch.zeros(6, 100, dtype=torch.complex64)
    rows[0, 0] = torch.inf
    with pytest.raises(ValueError, match=r"`coefficients` \(shape \(6, 100\), 1 of its values NaN"):
        inverse(rows)
    with pytest.raises(ValueError, match=r"`x` \(shape \(0,\)\) must have a last axis"):
        transform(torch.zeros(0))
    with pytest.raises(ValueError, match=r"`x` \(dtype torch.int32\) must be float32 or float64"):
        transform(torch.zeros(100, dtype=torch.int32))
    with pytest.raises(ValueError, match=r"`coefficients` \(shape \(3, 100\)\) must be"):
        inverse(torch.zeros(3, 100, dtype=torch.complex64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_rate": 0}, r"`sample_rate` \(=0 Hz\) must be above 0"),
        ({"f_max": 5000}, r"`f_max` \(=5000 Hz\) must ascend between 0 and half .* 4000 Hz"),
        ({"f_min": 0}, r"`f_min` \(=0 Hz\) and"),
        ({"f_min": 900, "f_max": 800}, r"`f_min` \(=900 Hz\) and `f_max` \(=800 Hz\) must ascend"),
        ({"voices": 0}, r"`voices` \(=0\) must be a positive integer"),
        ({"n_scales": 0}, r"`n_scales` \(=0\) must be a positive integer"),
        ({"wavelet": "haar"}, r"`wavelet` \(='haar'\) must be one of"),
        ({"norm": "l3"}, r"`norm` \(='l3'\) must be one of l1, l2"),
        ({"pad_mode": "same"}, r"`pad_mode` \(='same'\) must be one of"),
        ({"frequencies": [100, 5000]}, r"`frequencies` \(=100 to 5000 Hz\) must ascend"),
        ({"frequencies": [200, 100]}, r"`frequencies` \(=200 to 100 Hz\) must ascend"),
        ({"frequencies": []}, r"`frequencies` \(=none\) must ascend"),
        ({"scales": [2.0, 3.0]}, r"`scales` \(=.* Hz\) must descend"),
        ({"scales": [3.0], "frequencies": [100]}, r"`scales` \(given\) must be None where"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    for module in (CWT, InverseCWT):
        with pytest.raises(ValueError, match=message):
            module(**{"sample_rate": 8000, **settings})
