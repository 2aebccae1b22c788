import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from passband.frequency import (
    amplitude_to_db,
    create_dct,
    db_to_amplitude,
    filter_ranges,
    hz_to_mel,
    inverse_mel_scale,
    linear_fbanks,
    mel_to_hz,
    melscale_fbanks,
)

EXAMPLES = {"deadline": None, "derandomize": True, "max_examples": 60}


@settings(**EXAMPLES)
@given(st.floats(0, 48000), st.sampled_from(["htk", "slaney"]))
def test_mel_and_back(frequency: float, scale: str) -> None:
    mel = hz_to_mel(frequency, mel_scale=scale)
    assert float(mel_to_hz(mel, mel_scale=scale)) == pytest.approx(frequency, abs=1e-9)


def test_mel_by_its_formula() -> None:
    assert float(hz_to_mel(4000.0)) == pytest.approx(2595 * math.log10(1 + 4000 / 700))
    assert float(hz_to_mel(6400.0, mel_scale="slaney")) == pytest.approx(15 + 27)
    assert float(hz_to_mel(500.0, mel_scale="slaney")) == pytest.approx(7.5)


def triangles(n_freqs: int, corners: list[float], rate: float) -> torch.Tensor:
    """The filters by a plain loop over bins and corners."""
    bank = torch.zeros(n_freqs, len(corners) - 2, dtype=torch.float64)
    for i in range(n_freqs):
        f = i * rate / 2 / (n_freqs - 1)
        for m in range(len(corners) - 2):
            low, peak, high = corners[m : m + 3]
            if low < f <= peak:
                bank[i, m] = (f - low) / (peak - low)
            elif peak < f < high:
                bank[i, m] = (high - f) / (high - peak)
    return bank


@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize(
    ("bins", "n_mels", "f_min", "f_max"), [(257, 20, 0, 8000), (100, 5, 90, 4e3)]
)
def test_mel_filters_are_triangles(scale: str, bins: int, n_mels: int, f_min, f_max) -> None:
    low, high = (float(hz_to_mel(float(f), mel_scale=scale)) for f in (f_min, f_max))
    steps = [low + (high - low) * i / (n_mels + 1) for i in range(n_mels + 2)]
    corners = [float(mel_to_hz(m, mel_scale=scale)) for m in steps]
    bank = melscale_fbanks(bins, f_min, f_max, n_mels, 16000, None, scale)
    expected = triangles(bins, corners, 16000)
    torch.testing.assert_close(bank, expected, rtol=0, atol=1e-11)
    widths = torch.tensor([b - a for a, b in zip(corners, corners[2:], strict=False)])
    slaney = melscale_fbanks(bins, f_min, f_max, n_mels, 16000, "slaney", scale)
    torch.testing.assert_close(slaney, expected * (2 / widths), rtol=0, atol=1e-8)


def test_linear_filters_are_triangles_and_sum_to_one() -> None:
    corners = [100 + i * 300.0 for i in range(12)]
    bank = linear_fbanks(129, 100.0, 3400.0, 10, 8000)
    torch.testing.assert_close(bank, triangles(129, corners, 8000), rtol=0, atol=1e-12)
    bins = torch.linspace(0, 4000, 129)
    inside = (bins > 400) & (bins < 3100)
    torch.testing.assert_close(bank.sum(1)[inside], torch.ones(int(inside.sum())).double())


@settings(**EXAMPLES)
@given(st.integers(2, 400), st.integers(1, 100), st.integers(0, 2**31))
def test_ranges_hold_all_that_is_not_zero(bins: int, filters: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(bins, (filters,), generator=generator).sort().values
    last = first + torch.randint(bins, (filters,), generator=generator)
    row = torch.arange(bins)[:, None]
    bank = ((row >= first) & (row < last)).double()
    rebuilt = torch.zeros_like(bank)
    for used, group in filter_ranges(bank):
        rebuilt[used, group] = bank[used, group]
    assert torch.equal(rebuilt, bank)
    assert [f for _, group in filter_ranges(bank) for f in range(filters)[group]] == [
        *range(filters)
    ]


@pytest.mark.parametrize("stype", ["power", "magnitude", "amplitude"])
def test_decibels_and_back(stype: str) -> None:
    x = torch.logspace(-9, 3, 50, dtype=torch.float64)
    decibels = amplitude_to_db(x, stype=stype, ref=0.5)
    factor = 10 if stype == "power" else 20
    torch.testing.assert_close(decibels, factor * (x / 0.5).log10(), rtol=0, atol=1e-10)
    torch.testing.assert_close(db_to_amplitude(decibels, stype=stype, ref=0.5), x)


def test_top_db_is_of_each_clip() -> None:
    x = torch.tensor([1.0, 1e-4]).reshape(2, 1, 1, 1) * torch.logspace(0, -10, 11)
    decibels = amplitude_to_db(x, top_db=30.0)
    torch.testing.assert_close(decibels.amin((1, 2, 3)), torch.tensor([-30.0, -70.0]))
    assert float(amplitude_to_db(x[:, 0], top_db=30.0).min()) == -30


def test_silence_in_decibels() -> None:
    x = torch.zeros(3, requires_grad=True)
    y = amplitude_to_db(x, top_db=80.0)
    assert torch.equal(y, torch.full((3,), -100.0))
    y.sum().backward()
    assert torch.equal(x.grad, torch.zeros(3))


@settings(**EXAMPLES)
@given(st.integers(1, 60))
def test_cosine_matrix_is_orthonormal(n: int) -> None:
    matrix = create_dct(n, n)
    torch.testing.assert_close(matrix.mT @ matrix, torch.eye(n).double(), rtol=0, atol=1e-12)


def test_inverse_mel_explains_the_mel() -> None:
    filters = melscale_fbanks(257, 0.0, 8000.0, 40, 16000)
    mel = filters.mT @ torch.rand(2, 257, 5, dtype=torch.float64)
    spectrum = inverse_mel_scale(mel, filters)
    assert spectrum.min() >= 0
    error = (filters.mT @ spectrum - mel).norm() / mel.norm()
    assert error < 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (201, 0.0, 8000.1, 40, 16000),
            r"`f_max` \(=8000.1 Hz\) must be at most the Nyquist .* 8000",
        ),
        (
            (201, -1.0, 8000.0, 40, 16000),
            r"`f_min` \(=-1 Hz\) must be at least 0 Hz and below `f_max`",
        ),
        ((201, 9.0, 9.0, 40, 16000), r"`f_min` \(=9 Hz\) must be at least 0 Hz and below `f_max`"),
        ((201, 0.0, float("nan"), 40, 16000), r"`f_max` \(=nan Hz\) must be at most"),
        ((201, 0.0, 8000.0, 40, 0), r"`sample_rate` \(=0 Hz\) must be above 0"),
        ((0, 0.0, 8000.0, 40, 16000), r"`n_freqs` \(=0\) must be a positive integer"),
        ((201, 0.0, 8000.0, 0, 16000), r"`n_mels` \(=0\) must be a positive integer"),
        ((201, 0.0, 8000.0, 128, 16000), r"`n_mels` \(=128\) must be few enough .* n_fft to 1024"),
        ((201, 0.0, 8000.0, 40, 16000, "area"), r"`norm` \(='area'\) must be one of slaney"),
        (
            (201, 0.0, 8000.0, 40, 16000, None, "bark"),
            r"`mel_scale` \(='bark'\) must be one of htk",
        ),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_mel_filters(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        melscale_fbanks(*arguments)


def test_the_cure_for_empty_filters_cures() -> None:
    melscale_fbanks(513, 0.0, 8000.0, 128, 16000)
    bank = melscale_fbanks(201, 0.0, 8000.0, 128, 16000, allow_empty=True)
    assert (bank.sum(0) == 0).any()
    with pytest.raises(ValueError, match=r"`n_filter` \(=500\) must be few enough"):
        linear_fbanks(201, 0.0, 8000.0, 500, 16000)
    assert linear_fbanks(201, 0.0, 8000.0, 500, 16000, allow_empty=True).shape == (201, 500)


@pytest.mark.usefixtures("unchecked")
def test_bad_arguments() -> None:
    x = torch.ones(3)
    with pytest.raises(ValueError, match=r"`stype` \(='db'\) must be one of power"):
        amplitude_to_db(x, stype="db")
    with pytest.raises(ValueError, match=r"`top_db` \(=-1 dB\) must be at least 0"):
        amplitude_to_db(x, top_db=-1)
    with pytest.raises(ValueError, match=r"`amin` \(=0\) must be above 0"):
        amplitude_to_db(x, amin=0)
    with pytest.raises(ValueError, match=r"`ref` \(=0\) must be above 0"):
        db_to_amplitude(x, ref=0)
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32"):
        amplitude_to_db(torch.ones(3, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"`n_mfcc` \(=41\) must be at most the 40 bands"):
        create_dct(41, 40)
    with pytest.raises(ValueError, match=r"`norm` \(='slaney'\) must be one of ortho"):
        create_dct(4, 40, "slaney")
    with pytest.raises(ValueError, match=r"`x` \(shape \(3, 5\)\) must be \(\*batch, 40, frames\)"):
        inverse_mel_scale(torch.ones(3, 5), torch.ones(201, 40))
    with pytest.raises(ValueError, match=r"`driver` \(='qr'\) must be one of gels"):
        inverse_mel_scale(torch.ones(40, 5), torch.ones(201, 40), driver="qr")
    with pytest.raises(ValueError, match=r"`mel_scale` \(='bark'\) must be one of"):
        mel_to_hz(1.0, mel_scale="bark")


def test_inverse_of_filters_without_full_rank_names_the_cure() -> None:
    filters = torch.rand(9, 3, generator=torch.Generator().manual_seed(0))
    filters[:, 1] = 0.0
    with pytest.raises(ValueError, match=r"must have full rank .* driver='gelsy'"):
        inverse_mel_scale(torch.ones(3, 4), filters)
    assert inverse_mel_scale(torch.ones(3, 4), filters, driver="gelsy").isfinite().all()
