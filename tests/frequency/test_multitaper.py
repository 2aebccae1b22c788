import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import (
    adaptive_multitaper_spectrum,
    dpss,
    multitaper_spectrogram,
    multitaper_spectrum,
    taper_weights,
)

RATE = 250.0


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def spectrum(x: Tensor, bandwidth: float = 4.0, n_fft: int | None = None) -> Tensor:
    tapers, concentrations = dpss(x.shape[-1], bandwidth)
    weights = taper_weights(concentrations)
    return multitaper_spectrum(x, sample_rate=RATE, tapers=tapers, weights=weights, n_fft=n_fft)


@pytest.mark.parametrize(("length", "bandwidth", "count"), [(64, 4.0, None), (101, 2.5, 3)])
def test_dpss_is_scipys(length: int, bandwidth: float, count: int | None) -> None:
    tapers, concentrations = dpss(length, bandwidth, count)
    theirs, ratios = scipy.signal.windows.dpss(
        length, bandwidth, count or 7, norm=2, return_ratios=True
    )
    assert np.array_equal(tapers.numpy(), theirs)
    assert np.array_equal(concentrations.numpy(), ratios)
    eye = torch.eye(len(tapers), dtype=torch.float64)
    torch.testing.assert_close(tapers @ tapers.T, eye, rtol=0, atol=1e-12)


@pytest.mark.parametrize("weighting", ["unity", "eigenvalues"])
@pytest.mark.parametrize(("length", "n_fft"), [(200, None), (201, None), (100, 256), (99, 101)])
def test_spectrum_is_the_mean_of_periodograms(
    length: int, n_fft: int | None, weighting: str
) -> None:
    x = noise(2, length)
    tapers, ratios = scipy.signal.windows.dpss(length, 3, 5, norm=2, return_ratios=True)
    weights = ratios / ratios.sum() if weighting == "eigenvalues" else np.full(5, 0.2)
    expected = sum(
        weight
        * scipy.signal.periodogram(x.numpy(), RATE, window=taper, nfft=n_fft, detrend=False)[1]
        for weight, taper in zip(weights, tapers, strict=True)
    )
    ours, concentrations = dpss(length, 3, 5)
    density = multitaper_spectrum(
        x,
        sample_rate=RATE,
        tapers=ours,
        weights=taper_weights(concentrations, weighting),
        n_fft=n_fft,
    )
    torch.testing.assert_close(density, torch.from_numpy(expected), rtol=1e-12, atol=1e-12)


def test_the_density_of_white_noise() -> None:
    """Level ``2 s^2 / fs``, and K times less variance than a periodogram."""
    density = spectrum(3 * noise(400, 512))[:, 8:-8]
    level = 2 * 9 / RATE
    assert abs(float(density.mean()) / level - 1) < 0.01
    assert abs(float(density.var(0).mean()) / level**2 * 7 - 1) < 0.1


def test_parseval() -> None:
    """The density's integral is the energy through the tapers: for unit energy, near the power."""
    x = noise(300)
    tapers, _ = dpss(300)
    energy = (tapers * x).square().sum(-1).mean()
    torch.testing.assert_close(spectrum(x).sum() * RATE / 300, energy, rtol=1e-12, atol=0)


def test_a_sine_in_noise() -> None:
    t = torch.arange(1000, dtype=torch.float64) / RATE
    density = spectrum(torch.sin(2 * torch.pi * 60.5 * t) + 0.1 * noise(1000))
    frequencies = torch.arange(501) * RATE / 1000
    band = (frequencies - 60.5).abs() <= 4 * RATE / 1000 + 0.25
    assert abs(float(density[band].sum()) * RATE / 1000 - 0.5) < 0.02
    assert float(density[~band].max()) < 0.02 * float(density.max())


def adaptive_loop(x: np.ndarray, bandwidth: float, n_iter: int) -> np.ndarray:
    tapers, ratios = scipy.signal.windows.dpss(
        len(x), bandwidth, round(2 * bandwidth) - 1, norm=2, return_ratios=True
    )
    n = np.arange(len(x))
    level, out = np.mean(x**2) / RATE, np.zeros(len(x) // 2 + 1)
    for f in range(len(out)):
        kernel = np.exp(-2j * np.pi * f * n / len(x))
        single = np.array([abs(np.sum(taper * x * kernel)) ** 2 / RATE for taper in tapers])
        estimate = single[:2].mean()
        for _ in range(n_iter):
            d = np.sqrt(ratios) * estimate / (ratios * estimate + (1 - ratios) * level)
            estimate = np.sum(d**2 * single) / np.sum(d**2)
        out[f] = estimate * (1 if f == 0 or 2 * f == len(x) else 2)
    return out


@pytest.mark.parametrize("length", [64, 65])
def test_adaptive_is_thomsons(length: int) -> None:
    # A steep spectrum, where the weights matter.
    x = noise(length).cumsum(0).cumsum(0)
    tapers, concentrations = dpss(length, 2.5)
    ours = adaptive_multitaper_spectrum(
        x, sample_rate=RATE, tapers=tapers, concentrations=concentrations, n_iter=5
    )
    expected = torch.from_numpy(adaptive_loop(x.numpy(), 2.5, 5))
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-12)


def test_adaptive_leaks_less() -> None:
    """60 dB under a strong line, far from it, the plain mean sees the line's leakage."""
    t = torch.arange(256, dtype=torch.float64) / RATE
    x = 100 * torch.sin(2 * torch.pi * 21.3 * t) + 1e-3 * noise(256)
    tapers, concentrations = dpss(256)
    ours = adaptive_multitaper_spectrum(
        x, sample_rate=RATE, tapers=tapers, concentrations=concentrations
    )
    assert float(ours[60:].mean()) < 0.1 * float(spectrum(x)[60:].mean())


def test_adaptive_at_silence() -> None:
    tapers, concentrations = dpss(64)
    for dtype in (torch.float32, torch.float64):
        x = torch.zeros(2, 64, dtype=dtype, requires_grad=True)
        density = adaptive_multitaper_spectrum(
            x, sample_rate=1, tapers=tapers, concentrations=concentrations
        )
        density.sum().backward()
        assert torch.equal(density, torch.zeros_like(density))
        assert x.grad.isfinite().all()


@pytest.mark.parametrize(("length", "n_fft", "hop"), [(64, 64, 16), (50, 64, 20), (51, 51, 7)])
def test_spectrogram_is_the_mean_of_scipys(length: int, n_fft: int, hop: int) -> None:
    x = noise(2, 500)
    tapers, concentrations = dpss(length, 3)
    ours = multitaper_spectrogram(
        x,
        sample_rate=RATE,
        tapers=tapers,
        weights=taper_weights(concentrations),
        n_fft=n_fft,
        hop_length=hop,
        center=False,
    )
    left = (n_fft - length) // 2  # scipy puts the zeros behind the window
    expected = sum(
        scipy.signal.spectrogram(
            x.numpy()[:, left:], RATE, taper, length, length - hop, n_fft, detrend=False
        )[2]
        for taper in tapers.numpy()
    )
    expected = torch.from_numpy(expected / len(tapers))[..., : ours.shape[-1]]
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)


def test_gradients() -> None:
    x = noise(2, 12).requires_grad_()
    tapers, concentrations = dpss(12, 2)
    weights = taper_weights(concentrations, "eigenvalues")
    assert gradcheck(lambda x: spectrum(x, 2.0), (x,))
    assert gradcheck(
        lambda x: adaptive_multitaper_spectrum(
            x, sample_rate=1, tapers=tapers, concentrations=concentrations, n_iter=3
        ),
        (x,),
    )
    assert gradcheck(
        lambda x, tapers: multitaper_spectrogram(
            x, sample_rate=1, tapers=tapers, weights=weights, hop_length=4
        ),
        (x, tapers.requires_grad_()),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1,), r"`length` \(=1\) must be at least 2"),
        ((64, 0.0), r"`bandwidth` \(=0\) must be above 0 and below half the length 32"),
        ((64, 32.0), r"`bandwidth` \(=32\) must be above 0 and below half the length 32"),
        ((64, 4.0, 65), r"`n_tapers` \(=65\) must be 1 to the 64 samples"),
        ((64, 4.0, 0), r"`n_tapers` \(=0\) must be 1 to the 64 samples"),
    ],
)
def test_dpss_errors(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dpss(*arguments)


def test_errors() -> None:
    tapers, concentrations = dpss(64)
    weights = taper_weights(concentrations)
    good = {"sample_rate": 1.0, "tapers": tapers, "weights": weights}
    with pytest.raises(ValueError, match=r"`sample_rate` \(=0 Hz\) must be above 0"):
        multitaper_spectrum(torch.zeros(64), **{**good, "sample_rate": 0})
    with pytest.raises(ValueError, match=r"`n_fft` \(=63\) must be at least the 64 samples"):
        multitaper_spectrum(torch.zeros(64), **good, n_fft=63)
    with pytest.raises(ValueError, match=r"`hop_length` \(=0\) must be a positive integer"):
        multitaper_spectrogram(torch.zeros(99), **good, hop_length=0)
    with pytest.raises(ValueError, match=r"`n_iter` \(=0\) must be at least 1"):
        adaptive_multitaper_spectrum(
            torch.zeros(64), sample_rate=1, tapers=tapers, concentrations=concentrations, n_iter=0
        )


@pytest.mark.usefixtures("unchecked")
def test_shape_errors() -> None:
    tapers, concentrations = dpss(64)
    good = {"sample_rate": 1.0, "tapers": tapers, "weights": taper_weights(concentrations)}
    with pytest.raises(
        ValueError, match=r"`tapers` \(of 64 samples\) must be as long as the signal"
    ):
        multitaper_spectrum(torch.zeros(65), **good)
    with pytest.raises(ValueError, match=r"`weights` \(shape \(3,\)\) must be one per taper"):
        multitaper_spectrogram(torch.zeros(99), **{**good, "weights": torch.ones(3)})
    with pytest.raises(ValueError, match=r"`weighting` \(='thomson'\) must be one of unity"):
        taper_weights(concentrations, "thomson")
