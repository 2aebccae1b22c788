import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from passband.frequency import (
    MexicanHat,
    Morlet,
    Paul,
    Wavelet,
    covered_bands,
    cwt,
    icwt,
    named_wavelet,
)

NAMES = ["gmw", "morlet", "mexican_hat", "paul"]


def noise(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def octaves(wavelet: str | Wavelet, count: float, voices: int) -> list[float]:
    """Scales down from the highest frequency whose wavelet is whole."""
    wavelet = named_wavelet(wavelet)
    least = wavelet.main_band[1] / math.pi * 1.001
    return [least * 2 ** (i / voices) for i in range(round(count * voices))]


def within(x: Tensor, low: float, high: float) -> Tensor:
    """The part of the periodic signal between two frequencies in cycles per sample."""
    spectrum = torch.fft.rfft(x)
    frequency = torch.fft.rfftfreq(x.shape[-1])
    return torch.fft.irfft(spectrum * ((frequency >= low) & (frequency <= high)), n=x.shape[-1])


def snr(x: Tensor, y: Tensor) -> float:
    error = (y.double() - x.double()).square().sum()
    return float(10 * (x.double().square().sum() / error).log10())


# In the time domain, at scale 1, with energy 1 (of the real part for the Mexican hat).
def morlet(t: Tensor) -> Tensor:
    return math.pi**-0.25 * torch.polar(torch.exp(-(t**2) / 2), 6.0 * t)


def paul(t: Tensor) -> Tensor:
    gain = 2**4 * math.factorial(4) / math.sqrt(math.pi * math.factorial(8))
    return gain * (1 - 1j * t) ** -5


def ricker(t: Tensor) -> Tensor:
    return 2 / math.sqrt(3) * math.pi**-0.25 * (1 - t**2) * torch.exp(-(t**2) / 2) + 0j


@pytest.mark.parametrize(
    ("wavelet", "psi", "real"),
    [(Morlet(6.0), morlet, False), (Paul(4), paul, False), (MexicanHat(), ricker, True)],
)
def test_l2_is_the_sum_over_samples(wavelet: Wavelet, psi, real: bool) -> None:
    """Torrence & Compo's eq. 2 with table 1, sample by sample."""
    x = noise(400)
    scales = [6.0, 9.5, 15.0]
    ours = cwt(x, scales, wavelet=wavelet, norm="l2", pad_mode="constant")
    n = torch.arange(400, dtype=torch.float64)
    for row, s in zip(ours, scales, strict=True):
        kernel = psi((n[None, :] - n[:, None]) / s) / math.sqrt(s)  # (position, sample)
        # Paul's time goes the other way round with exp(-i omega t).
        loop = (x * kernel.conj()).sum(-1)
        row = row.real + 0j if real else row
        torch.testing.assert_close(row, loop, rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_tone_has_its_amplitude_and_phase(name: str) -> None:
    wavelet = named_wavelet(name)
    n = torch.arange(4096, dtype=torch.float64)
    for frequency in (0.01, 0.05):
        x = 1.7 * torch.cos(2 * torch.pi * frequency * n + 0.3)
        scale = wavelet.centre / (2 * torch.pi * frequency)
        found = cwt(x, [scale], wavelet=wavelet)[0, 1500:2500]
        expected = torch.polar(torch.full_like(n, 1.7), 2 * torch.pi * frequency * n + 0.3)
        torch.testing.assert_close(found, expected[1500:2500], rtol=0, atol=2e-3)


@pytest.mark.parametrize("pad_mode", ["reflect", "constant", "circular"])
@pytest.mark.parametrize("time", [1, 2, 3, 5, 64, 101, 1000])
def test_any_length(time: int, pad_mode: str) -> None:
    x = noise(2, 3, time, dtype=torch.float32)
    found = cwt(x, [1.5, 4.0, 20.0], pad_mode=pad_mode)
    assert found.shape == (2, 3, 3, time)
    assert found.dtype == torch.complex64
    assert found.isfinite().all()
    assert icwt(found, [1.5, 4.0, 20.0], pad_mode=pad_mode).shape == x.shape


@pytest.mark.parametrize("name", NAMES)
def test_circular_is_the_dft_of_the_definition(name: str) -> None:
    wavelet = named_wavelet(name)
    x, scales = noise(97), octaves(name, 2, 4)
    omega = 2 * torch.pi * torch.fft.fftfreq(97, dtype=torch.float64)
    rows = [torch.fft.ifft(torch.fft.fft(x) * wavelet.transform(s * omega)) for s in scales]
    ours = cwt(x, scales, wavelet=name, pad_mode="circular")
    torch.testing.assert_close(ours, torch.stack(rows), rtol=0, atol=1e-13)
    turned = cwt(x.roll(13), scales, wavelet=name, pad_mode="circular")
    torch.testing.assert_close(turned, ours.roll(13, dims=-1), rtol=0, atol=1e-13)
    # Parseval: a row has the energy that its wavelet takes from the spectrum.
    power = torch.fft.fft(x).abs().square() / 97
    taken = torch.stack([(power * wavelet.transform(s * omega).square()).sum() for s in scales])
    torch.testing.assert_close(ours.abs().square().sum(-1), taken, rtol=1e-12, atol=0)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(-3, 3), st.floats(-3, 3), st.sampled_from(NAMES), st.integers(2, 200))
def test_linear(a: float, b: float, name: str, time: int) -> None:
    x, y = noise(2, time)
    scales = octaves(name, 2, 3)
    parts = [cwt(z, scales, wavelet=name) for z in (a * x + b * y, x, y)]
    torch.testing.assert_close(parts[0], a * parts[1] + b * parts[2], rtol=0, atol=1e-12)
    back = [icwt(z, scales, wavelet=name) for z in (a * parts[1] + b * parts[2], *parts[1:])]
    torch.testing.assert_close(back[0], a * back[1] + b * back[2], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("voices", [8, 32])
def test_inverse(name: str, norm: str, voices: int) -> None:
    scales = octaves(name, 5, voices)
    ((low, high),) = covered_bands(scales, wavelet=name)
    x = within(noise(24000), 1.02 * low, 0.98 * high)
    for dtype, least in ((torch.float64, 80), (torch.float32, 80)):
        for pad_mode in ("circular", "reflect"):
            given = {"wavelet": name, "norm": norm, "pad_mode": pad_mode}
            y = icwt(cwt(x.to(dtype), scales, **given), scales, **given)
            assert y.dtype == dtype
            inside = slice(0, None) if pad_mode == "circular" else slice(9000, -9000)
            slow = pad_mode == "reflect" and name in ("mexican_hat", "paul")
            assert snr(x[inside], y[inside]) > (60 if slow else least)


def test_inverse_from_scales_of_any_spacing_and_order() -> None:
    scales = octaves("gmw", 5, 12)
    uneven = [s * (1 + 0.02 * math.sin(9 * i)) for i, s in enumerate(scales)]
    shuffled = [uneven[i] for i in torch.randperm(len(uneven)).tolist()]
    ((low, high),) = covered_bands(shuffled)
    x = within(noise(4096), 1.02 * low, 0.98 * high)
    y = icwt(cwt(x, shuffled, pad_mode="circular"), shuffled, pad_mode="circular")
    assert snr(x, y) > 70


def test_what_is_not_covered_comes_back_as_zero() -> None:
    scales = octaves("gmw", 3, 16)
    ((low, _),) = covered_bands(scales)
    n = torch.arange(8192, dtype=torch.float64)
    for frequency in (0.0, low / 2, 0.499):
        x = torch.cos(2 * torch.pi * round(frequency * 8192) / 8192 * n)
        y = icwt(cwt(x, scales, pad_mode="circular"), scales, pad_mode="circular")
        assert y.abs().max() < 2e-2
    bands = covered_bands([2.0, 2.6, 20.0, 26.0])
    assert len(bands) > 1
    assert not any(a < 0.06 < b for a, b in bands)


@pytest.mark.parametrize("items", [1, 3, 40])
def test_a_batch_is_its_elements(items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is taken together: several rows of all items, or some items of one row."""
    x, scales = noise(items, 300), octaves("gmw", 2, 5)
    alone = torch.stack([cwt(one, scales) for one in x])
    monkeypatch.setattr("passband.frequency._wavelet_filters._IN_FLIGHT", 1 << 15)
    torch.testing.assert_close(cwt(x, scales), alone, rtol=0, atol=1e-13)
    mapped = torch.func.vmap(lambda one: cwt(one, scales))(x)
    torch.testing.assert_close(mapped, alone, rtol=0, atol=1e-13)
    back = torch.stack([icwt(one, scales) for one in alone])
    torch.testing.assert_close(icwt(alone, scales), back, rtol=0, atol=1e-12)


@pytest.mark.parametrize("pad_mode", ["reflect", "circular"])
def test_gradients(pad_mode: str) -> None:
    x, scales = noise(2, 5).requires_grad_(), [1.5, 4.0]

    def forward(x: Tensor) -> Tensor:
        return cwt(x, scales, pad_mode=pad_mode)

    assert gradcheck(forward, x)
    assert gradgradcheck(forward, x, fast_mode=True)
    assert gradcheck(
        lambda w: icwt(w, scales, pad_mode=pad_mode), forward(x).detach().requires_grad_()
    )


def test_float32_is_close_to_float64() -> None:
    x = noise(5000)
    for name in NAMES:
        scales = octaves(name, 6, 4)
        double = cwt(x, scales, wavelet=name)
        single = cwt(x.float(), scales, wavelet=name)
        assert (single - double).abs().max() < 5e-6 * double.abs().max()


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    x = noise(100)
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32 or float64"):
        cwt(torch.zeros(100, dtype=torch.int64), [2.0])
    with pytest.raises(ValueError, match=r"`x` \(shape \(2, 0\)\) must have a last axis"):
        cwt(torch.zeros(2, 0), [2.0])
    with pytest.raises(ValueError, match=r"`scales` \(least none\) must each be at least 0.864"):
        cwt(x, [])
    for scales in ([2.0, 0.5], [2.0, 0.0], [math.nan, 2.0], [2.0, math.inf]):
        with pytest.raises(ValueError, match=r"`scales` \(.*\) must each be at least 0.8640"):
            cwt(x, scales)
    with pytest.raises(ValueError, match=r"`norm` \(='l3'\) must be one of l1, l2"):
        cwt(x, [2.0], norm="l3")
    with pytest.raises(ValueError, match=r"`pad_mode` \(='wrap'\) must be one of reflect, const"):
        cwt(x, [2.0], pad_mode="wrap")
    with pytest.raises(TypeError, match=r"`coefficients` \(dtype torch.float64\) must be complex"):
        icwt(x[None], [2.0])
    with pytest.raises(
        ValueError, match=r"`coefficients` \(shape \(1, 100\)\) must be \(\*batch, 2"
    ):
        icwt(x[None] + 0j, [2.0, 3.0])
