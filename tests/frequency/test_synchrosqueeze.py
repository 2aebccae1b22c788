import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import (
    covered_bands,
    cwt,
    inverse_synchrosqueezed_cwt,
    inverse_synchrosqueezed_stft,
    named_wavelet,
    synchrosqueezed_cwt,
    synchrosqueezed_stft,
    window,
)

GMW = named_wavelet("gmw")
# Five octaves, 32 voices, from the highest frequency whose wavelet is whole.
SCALES = [GMW.main_band[1] / math.pi * 1.001 * 2 ** (i / 32) for i in range(160)]
ROWS = torch.tensor([GMW.centre / (2 * math.pi * s) for s in SCALES[::-1]], dtype=torch.float64)


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


def chirp(time: int, start: float, stop: float) -> tuple[Tensor, Tensor]:
    """A linear chirp, and its instantaneous frequency in cycles per sample."""
    n = torch.arange(time, dtype=torch.float64)
    frequency = start + (stop - start) * n / time
    return torch.cos(2 * math.pi * (start * n + (stop - start) * n**2 / (2 * time))), frequency


def near(rows: Tensor, frequency: Tensor, reach: int) -> Tensor:
    """Rows at most ``reach`` from the one nearest in pitch to the frequency of each sample."""
    nearest = (rows.log()[:, None] - frequency.log()).abs().argmin(0)
    return (torch.arange(len(rows))[:, None] - nearest).abs() <= reach


def test_a_chirp_stands_on_its_frequency() -> None:
    x, frequency = chirp(4096, 0.05, 0.2)
    squeezed = synchrosqueezed_cwt(2 * x, SCALES)
    inside = slice(800, -800)
    energy = squeezed.abs().square()
    on = near(ROWS, frequency, 1)
    assert (energy * on)[:, inside].sum() > 0.995 * energy[:, inside].sum()
    spread = cwt(2 * x, SCALES).flip(0).abs().square()
    assert (spread * on)[:, inside].sum() < 0.6 * spread[:, inside].sum()
    # Amplitude and phase: the rows on the ridge sum to the analytic signal.
    ridge = (squeezed * near(ROWS, frequency, 3)).sum(0)[inside]
    torch.testing.assert_close(ridge.abs(), torch.full_like(ridge.real, 2.0), rtol=0, atol=0.02)
    torch.testing.assert_close(ridge.real, 2 * x[inside], rtol=0, atol=0.02)


def test_stft_chirp_stands_on_its_frequency() -> None:
    x, frequency = chirp(2048, 0.05, 0.3)
    squeezed = synchrosqueezed_stft(2 * x, n_fft=128)[:, :2048]
    inside = slice(100, -100)
    energy = squeezed.abs().square()
    bins = torch.arange(65, dtype=torch.float64)[:, None] / 128
    on = (bins - frequency).abs() < 1.5 / 128
    assert (energy * on)[:, inside].sum() > 0.995 * energy[:, inside].sum()
    ridge = squeezed.sum(0)[inside]
    torch.testing.assert_close(ridge.abs(), torch.full_like(ridge.real, 2.0), rtol=0, atol=0.02)


@pytest.mark.parametrize("n_fft", [64, 63])
def test_stft_row_of_a_tone(n_fft: int) -> None:
    """Tones on a bin: all of the energy in that row, with the phase of the sample."""
    n = torch.arange(1000, dtype=torch.float64)
    phase = 2 * math.pi * 7 / n_fft * n + 0.4
    squeezed = synchrosqueezed_stft(1.5 * torch.cos(phase), n_fft=n_fft, hop_length=5)[:, 20:-20]
    at = phase[::5][20 : 20 + squeezed.shape[-1]]
    expected = torch.polar(torch.full_like(at, 1.5), at)
    torch.testing.assert_close(squeezed[7], expected, rtol=0, atol=1e-9)
    rest = torch.cat((squeezed[:7], squeezed[8:]))
    assert rest.abs().max() < 1e-9


@pytest.mark.parametrize("name", ["gmw", "morlet"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inverse_of_the_cwt(name: str, dtype: torch.dtype) -> None:
    ((low, high),) = covered_bands(SCALES, wavelet=named_wavelet("gmw"))
    spectrum = torch.fft.rfft(noise(8192))
    frequency = torch.fft.rfftfreq(8192)
    scales = SCALES
    if name == "morlet":
        ratio = named_wavelet("morlet").centre / GMW.centre
        scales = [s * ratio for s in SCALES]
    spectrum *= (frequency > 1.3 * low) & (frequency < 0.8 * high)
    x = torch.fft.irfft(spectrum).to(dtype)
    given = {"wavelet": name, "pad_mode": "circular"}
    y = inverse_synchrosqueezed_cwt(synchrosqueezed_cwt(x, scales, **given), scales, **given)
    error = (y - x).square().sum() / x.square().sum()
    assert -10 * error.log10() > 60


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(4, 40),
    st.sampled_from(["hann", "blackman", ("kaiser", 6.0)]),
    st.integers(60, 200),
)
def test_inverse_of_the_stft_is_exact(n_fft: int, name, time: int) -> None:
    x = noise(2, time)
    squeezed = synchrosqueezed_stft(x, n_fft=n_fft, window=name)
    y = inverse_synchrosqueezed_stft(squeezed, length=time)
    torch.testing.assert_close(y, x, rtol=0, atol=1e-12)


def test_one_component_is_taken_from_two() -> None:
    x, frequency = chirp(4096, 0.1, 0.2)
    y, _ = chirp(4096, 0.02, 0.04)
    squeezed = synchrosqueezed_cwt(x + y, SCALES) * near(ROWS, frequency, 12)
    found = inverse_synchrosqueezed_cwt(squeezed, SCALES)[900:-900]
    error = (found - x[900:-900]).square().sum() / x[900:-900].square().sum()
    assert -10 * error.log10() > 30


def test_rows_of_choice_and_what_lies_outside() -> None:
    n = torch.arange(2000, dtype=torch.float64)
    x = torch.cos(2 * math.pi * 0.1 * n)
    rows = torch.tensor([0.05, 0.1, 0.2], dtype=torch.float64)
    squeezed = synchrosqueezed_cwt(x, SCALES, frequencies=rows)
    assert squeezed.shape == (3, 2000)
    assert squeezed[1, 1000].abs() == pytest.approx(1.0, abs=1e-3)
    away = synchrosqueezed_cwt(x, SCALES, frequencies=rows / 10)
    torch.testing.assert_close(away.sum(0), squeezed.sum(0), rtol=0, atol=1e-12)


def test_gamma_leaves_out_what_is_weak() -> None:
    n = torch.arange(2000, dtype=torch.float64)
    x = torch.cos(2 * math.pi * 0.1 * n) + 0.01 * torch.cos(2 * math.pi * 0.02 * n)
    low = ROWS < 0.05
    assert synchrosqueezed_cwt(x, SCALES)[low, 1000].sum().abs() > 0.009
    assert synchrosqueezed_cwt(x, SCALES, gamma=0.05)[low, 1000].sum() == 0
    squeezed = synchrosqueezed_stft(x, n_fft=100, gamma=2.0)
    assert squeezed[2, 1000] == 0
    assert squeezed[10, 1000].abs() > 0.99


def test_scales_with_the_signal() -> None:
    x = noise(1000)
    for transform in (
        lambda x: synchrosqueezed_cwt(x, SCALES[:40]),
        lambda x: synchrosqueezed_stft(x, n_fft=32),
    ):
        torch.testing.assert_close(transform(x * 2**-20), transform(x) * 2**-20, rtol=1e-9, atol=0)
        assert not transform(torch.zeros(100)).any()


def test_a_batch_is_its_elements() -> None:
    x, scales = noise(2, 2, 300), SCALES[40:80]
    for transform in (
        lambda x: synchrosqueezed_cwt(x, scales),
        lambda x: synchrosqueezed_stft(x, n_fft=32, hop_length=3),
    ):
        whole = transform(x)
        alone = torch.stack([torch.stack([transform(y) for y in z]) for z in x])
        torch.testing.assert_close(whole, alone, rtol=0, atol=1e-12)
        mapped = torch.func.vmap(torch.func.vmap(transform))(x)
        torch.testing.assert_close(mapped, alone, rtol=0, atol=1e-12)


def test_gradients() -> None:
    """Of a tone, whose coefficients stay in their rows under a small change."""
    n = torch.arange(12, dtype=torch.float64)
    x = torch.cos(2 * math.pi * 0.15 * n).requires_grad_()
    rows = torch.tensor([0.01, 0.15, 0.45], dtype=torch.float64)
    assert gradcheck(lambda x: synchrosqueezed_cwt(x, [2.5, 3.0], frequencies=rows), x)
    taper = window("hann", 8, dtype=torch.float64).add(0.1).requires_grad_()
    assert gradcheck(
        lambda x, w: synchrosqueezed_stft(x, n_fft=8, window=w, hop_length=2), (x, taper)
    )
    silence = torch.zeros(50, dtype=torch.float64, requires_grad=True)
    synchrosqueezed_cwt(silence, [3.0, 4.0]).real.sum().backward()
    assert silence.grad.isfinite().all()


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    x = noise(100)
    with pytest.raises(ValueError, match=r"`gamma` \(=-1\) must be at least 0"):
        synchrosqueezed_cwt(x, [2.0], gamma=-1)
    with pytest.raises(ValueError, match=r"`gamma` \(=nan\) must be at least 0"):
        synchrosqueezed_stft(x, n_fft=16, gamma=math.nan)
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32 or float64"):
        synchrosqueezed_stft(torch.zeros(100, dtype=torch.int64), n_fft=16)
    with pytest.raises(
        ValueError, match=r"`frequencies` \(0.2 to 0.1, cycles per sample\) must ascend above 0"
    ):
        synchrosqueezed_cwt(x, [2.0], frequencies=[0.2, 0.1])
    with pytest.raises(ValueError, match=r"`length` \(=200 samples\) must be at most the 101 fr"):
        inverse_synchrosqueezed_stft(synchrosqueezed_stft(x, n_fft=16), length=200)
    with pytest.raises(TypeError, match=r"`transform` \(dtype torch.float64\) must be complex64"):
        inverse_synchrosqueezed_stft(x[None])
    with pytest.raises(ValueError, match=r"`coefficients` \(shape \(3, 100\)\) must be"):
        inverse_synchrosqueezed_cwt(noise(3, 100) + 0j, [2.0])
