import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from passband.frequency import gabor_inverse, gabor_plan, gabor_transform


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


def decibels(signal: Tensor, error: Tensor) -> float:
    return float(20 * torch.log10(signal.norm() / error.norm().clamp(min=1e-300)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(1, 3000), st.integers(1, 60), st.integers(1, 48), st.floats(20.0, 200.0)
)  # fmt: skip
def test_white_noise_comes_back(length: int, n_bins: int, per_octave: int, f_min: float) -> None:
    while f_min * 2 ** ((n_bins - 1) / per_octave) >= 4000:
        n_bins -= 1
    plan = gabor_plan(
        length, sample_rate=8000, f_min=f_min, n_bins=n_bins, bins_per_octave=per_octave
    )
    for dtype, least in ((torch.float64, 250), (torch.float32, 110)):
        x = noise(length, dtype=dtype)
        bands = gabor_transform(x, plan)
        assert decibels(x, gabor_inverse(bands, plan) - x) > least
        energy = sum(float(band.abs().double().square().sum()) for band in bands)
        assert energy == pytest.approx(float(x.double().square().sum()), rel=1e-5)


def test_bands_are_inner_products_with_their_filters() -> None:
    """Against a plain loop: the spectrum times each response, summed for every sample."""
    length, rate, f_min, per_octave = 240, 8000, 400.0, 3
    plan = gabor_plan(length, sample_rate=rate, f_min=f_min, n_bins=6, bins_per_octave=per_octave)
    assert plan.padded == length
    x = noise(length)
    spectrum = torch.fft.rfft(x)
    f = torch.fft.rfftfreq(length, 1 / rate, dtype=torch.float64)
    position = per_octave * torch.log2(f / f_min)

    def slope(k: int) -> Tensor:
        return torch.where((position - k).abs() < 1, (torch.pi / 2 * (position - k)).cos() ** 2, 0)

    total = sum(slope(k) ** 2 for k in range(6))
    low = torch.where(position < -1, 1.0, slope(-1))
    high = torch.where(position > 6, 1.0, slope(6))
    total = (total + low**2 + high**2).sqrt()
    bands = gabor_transform(x, plan)
    k = torch.arange(length // 2 + 1, dtype=torch.float64)
    for octave, band in enumerate(bands[1:-1]):
        frames = band.shape[-1]
        for row in range(band.shape[0]):
            response = slope(3 * octave + row) / total
            for m in range(frames):
                time = m * length / frames
                wave = torch.exp(2j * torch.pi * k * time / length)
                value = (spectrum * response * wave).sum() * (2 / (length * frames)) ** 0.5
                torch.testing.assert_close(band[row, m], value, rtol=0, atol=1e-12)


def test_gradients_are_the_other_transform() -> None:
    plan = gabor_plan(60, sample_rate=8000, f_min=400.0, n_bins=6, bins_per_octave=3)
    x = noise(2, 60).requires_grad_()
    assert gradcheck(lambda x: tuple(gabor_transform(x, plan)), (x,))
    assert gradgradcheck(lambda x: tuple(gabor_transform(x, plan)), (x,))
    bands = [band.detach().requires_grad_() for band in gabor_transform(x, plan)]
    assert gradcheck(lambda *bands: gabor_inverse(bands, plan), bands)


def test_batch_equals_items() -> None:
    plan = gabor_plan(1001, sample_rate=8000, f_min=100.0, n_bins=40)
    x = noise(2, 3, 1001)
    whole = gabor_transform(x, plan)
    for i in range(2):
        for j in range(3):
            for together, alone in zip(whole, gabor_transform(x[i, j], plan), strict=True):
                torch.testing.assert_close(together[i, j], alone, rtol=0, atol=1e-12)
    mapped = torch.func.vmap(lambda x: gabor_transform(x, plan))(x[0])
    for together, alone in zip(mapped, whole, strict=True):
        torch.testing.assert_close(together, alone[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 0}, "`length`"),
        ({"n_bins": 0}, "`n_bins`"),
        ({"bins_per_octave": 0}, "`bins_per_octave`"),
        ({"f_min": 0.0}, "`f_min`"),
        ({"n_bins": 90}, "the last at .* Nyquist frequency 4000 Hz"),
    ],
)
def test_bad_settings(change: dict[str, object], message: str) -> None:
    settings = {"length": 100, "sample_rate": 8000, "f_min": 100.0, "n_bins": 12} | change
    with pytest.raises(ValueError, match=message):
        gabor_plan(settings.pop("length"), **settings)


def test_bad_input() -> None:
    plan = gabor_plan(100, sample_rate=8000, f_min=100.0, n_bins=12)
    with pytest.raises(ValueError, match=r"`x` \(time 99\) must have the 100 samples"):
        gabor_transform(torch.zeros(99), plan)
    bands = gabor_transform(noise(100), plan)
    with pytest.raises(ValueError, match=r"`bands` \(last axes"):
        gabor_inverse(bands[:-1], plan)
