"""The constant-Q transform against a plain float64 sum over librosa's filters."""

import math

import librosa
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from passband.frequency import (
    ConstantQKernels,
    constant_q,
    constant_q_adjoint,
    constant_q_inverse,
    constant_q_kernels,
    constant_q_response,
    cqt_frequencies,
)

EXACT = 3e-4  # of the norm, what moving the filters to lower rates costs
RATE = 22050


def noise(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def band_noise(time: int, low: float, high: float, seed: int = 0) -> Tensor:
    spectrum = torch.fft.rfft(noise(time, seed=seed))
    frequency = torch.fft.rfftfreq(time, 1 / RATE)
    spectrum[(frequency < low) | (frequency > high)] = 0
    return torch.fft.irfft(spectrum, n=time)


def direct(
    x: NDArray[np.float64], frequencies: NDArray[np.float64], hop: int, **settings: object
) -> Tensor:
    """Inner products with ``librosa.filters.wavelet``, one by one, scaled as librosa scales."""
    basis, lengths = librosa.filters.wavelet(
        freqs=frequencies, sr=RATE, pad_fft=False, dtype=np.complex128, **settings
    )
    frames = 1 + len(x) // hop
    width = basis.shape[1]
    # librosa centres the filters in `width` samples; their time zero stands at width // 2 of them.
    out = np.empty((len(basis), frames), dtype=np.complex128)
    for k, (row, length) in enumerate(zip(basis, lengths, strict=True)):
        first, last = math.floor(-length / 2), math.floor(length / 2)
        start = (width - (last - first)) // 2
        taps = row[start : start + last - first].conj() * math.sqrt(length)
        padded = np.pad(x, (-first, last + hop))
        for m in range(frames):
            out[k, m] = padded[m * hop : m * hop + len(taps)] @ taps
    return torch.from_numpy(out)


def distance(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


@pytest.mark.parametrize("hop", [512, 441, 500, 64, 37])
@pytest.mark.parametrize(("n_bins", "bins_per_octave"), [(84, 12), (60, 36)])
def test_any_hop_is_the_direct_sum(hop: int, n_bins: int, bins_per_octave: int) -> None:
    x = noise(9000 if hop >= 441 else 3000)
    f = cqt_frequencies(n_bins, 65.4, bins_per_octave=bins_per_octave)[: 12 * 7]
    f = f[f < 5000]
    kernels = constant_q_kernels(
        f.tolist(), sample_rate=RATE, hop_length=hop, bins_per_octave=bins_per_octave
    )
    expected = direct(x.numpy(), f.numpy(), hop, alpha=_alpha(len(f), bins_per_octave))
    assert distance(constant_q(x, kernels), expected) < EXACT
    assert distance(constant_q(x.float(), kernels), expected) < EXACT


def _alpha(count: int, bins_per_octave: int) -> NDArray[np.float64]:
    ratio = 2 ** (2 / bins_per_octave)
    return np.full(count, (ratio - 1) / (ratio + 1))


@pytest.mark.parametrize("window", ["hann", "hamming", "blackmanharris", "boxcar"])
@pytest.mark.parametrize(("gamma", "scale"), [(0.0, 1.0), (12.0, 1.0), (None, 0.7), (0.0, 2.0)])
def test_any_window_gamma_and_filter_scale_is_the_direct_sum(
    window: str, gamma: float | None, scale: float
) -> None:
    x = noise(4000)
    f = cqt_frequencies(30, 220.0, bins_per_octave=8)
    kernels = constant_q_kernels(
        f.tolist(),
        sample_rate=RATE,
        hop_length=300,
        bins_per_octave=8,
        gamma=gamma,
        window=window,
        filter_scale=scale,
    )
    expected = direct(
        x.numpy(), f.numpy(), 300, alpha=_alpha(30, 8), gamma=gamma, window=window,
        filter_scale=scale,
    )  # fmt: skip
    assert distance(constant_q(x, kernels), expected) < EXACT


def test_a_list_of_frequencies_in_any_order() -> None:
    x = noise(4000)
    f = np.array([880.0, 220.0, 261.6, 1500.0, 700.0])
    kernels = constant_q_kernels(f.tolist(), sample_rate=RATE, hop_length=128)
    ascending = np.sort(f)
    expected = direct(x.numpy(), ascending, 128)[np.argsort(np.argsort(f))]
    assert distance(constant_q(x, kernels), expected) < EXACT


@pytest.mark.parametrize("time", [1, 2, 63, 511, 512, 513, 2000])
def test_clips_shorter_than_a_filter(time: int) -> None:
    x = noise(time)
    f = cqt_frequencies(48, 65.4)
    kernels = constant_q_kernels(f.tolist(), sample_rate=RATE, hop_length=512, bins_per_octave=12)
    expected = direct(x.numpy(), f.numpy(), 512, alpha=_alpha(48, 12))
    ours = constant_q(x, kernels)
    assert ours.shape == (48, 1 + time // 512)
    assert float((ours - expected).norm()) < EXACT * max(1.0, float(expected.norm()))


def test_scale_and_norm() -> None:
    x = noise(3000)
    f = cqt_frequencies(12, 440.0).tolist()
    settings = {"sample_rate": RATE, "hop_length": 100, "bins_per_octave": 12}
    scaled = constant_q(x, constant_q_kernels(f, **settings))
    plain = constant_q(x, constant_q_kernels(f, scale=False, **settings))
    lengths = librosa.filters.wavelet_lengths(freqs=np.array(f), sr=RATE, alpha=_alpha(12, 12))[0]
    ratio = torch.from_numpy(np.sqrt(lengths))[:, None]
    torch.testing.assert_close(plain, scaled * ratio, rtol=1e-9, atol=1e-9)
    unit = constant_q(x, constant_q_kernels(f, norm=2.0, **settings))
    for k, length in enumerate(lengths):  # a periodic Hann window has sum n / 2, squares 3 n / 8
        n = math.floor(length / 2) - math.floor(-length / 2)
        expected = scaled[k] * (n / 2) / (3 * n / 8) ** 0.5
        torch.testing.assert_close(unit[k], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("hop", [512, 441, 96, 7])
@pytest.mark.parametrize("order", [1, -1])
def test_adjoint(hop: int, order: int) -> None:
    f = cqt_frequencies(60, 65.4).tolist()[::order]
    kernels = constant_q_kernels(f, sample_rate=RATE, hop_length=hop, bins_per_octave=12)
    x = noise(2, 3001)
    spectrum = constant_q(x, kernels)
    other = torch.complex(noise(*spectrum.shape, seed=1), noise(*spectrum.shape, seed=2))
    left = (spectrum.conj() * other).real.sum()
    right = (x * constant_q_adjoint(other, kernels, 3001)).sum()
    torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-10)


def small_kernels(hop: int = 24) -> ConstantQKernels:
    f = cqt_frequencies(6, 900.0, bins_per_octave=3).tolist()
    return constant_q_kernels(f, sample_rate=8000, hop_length=hop, bins_per_octave=3)


@pytest.mark.parametrize("hop", [24, 13])
def test_gradients(hop: int) -> None:
    kernels = small_kernels(hop)
    x = noise(2, 60).requires_grad_()
    assert gradcheck(lambda x: constant_q(x, kernels), (x,))
    assert gradgradcheck(lambda x: constant_q(x, kernels), (x,))


def test_batch_in_parts_equals_items() -> None:
    kernels = small_kernels()
    x = noise(2, 3, 500)
    whole = constant_q(x, kernels)
    items = torch.stack([torch.stack([constant_q(i, kernels) for i in row]) for row in x])
    torch.testing.assert_close(whole, items, rtol=0, atol=1e-12)
    long = noise(3, 2**17, seed=1)  # more than a group of items holds
    items = torch.stack([constant_q(item, kernels) for item in long])
    torch.testing.assert_close(constant_q(long, kernels), items, rtol=0, atol=1e-12)
    leaf = long.clone().requires_grad_()
    torch.testing.assert_close(constant_q(leaf, kernels), items, rtol=0, atol=1e-12)


def test_linear_and_shifts_with_the_signal() -> None:
    kernels = small_kernels()
    x, y = noise(480), noise(480, seed=1)
    both = constant_q(2 * x - 3 * y, kernels)
    separate = 2 * constant_q(x, kernels) - 3 * constant_q(y, kernels)
    torch.testing.assert_close(both, separate, rtol=0, atol=1e-10)
    later = torch.cat((torch.zeros(24 * 5, dtype=x.dtype), x))
    moved = constant_q(later, kernels)[:, 5:]
    # A hop is a multiple of every rate's step here, so nothing but rounding may change.
    torch.testing.assert_close(moved, constant_q(x, kernels), rtol=0, atol=1e-10)


def test_phase_of_a_tone_turns_with_its_frequency() -> None:
    f = cqt_frequencies(84, 32.7032)
    kernels = constant_q_kernels(f.tolist(), sample_rate=RATE, hop_length=441, bins_per_octave=12)
    for k in (3, 20, 50, 80):
        tone = torch.cos(2 * torch.pi * f[k] * torch.arange(2 * RATE) / RATE + 0.3)
        turned = constant_q(tone, kernels)[k, 45:55]
        expected = 2 * torch.pi * f[k] * torch.arange(45, 55) * 441 / RATE + 0.3
        wrapped = torch.angle(turned * torch.exp(-1j * expected))
        assert float(wrapped.abs().max()) < 2e-3


def inverse_snr(n_bins: int, per_octave: int, hop: int, dtype: torch.dtype, n_iter: int) -> float:
    f = cqt_frequencies(n_bins, 220.0, per_octave).tolist()
    settings = {"sample_rate": RATE, "hop_length": hop, "bins_per_octave": per_octave}
    kernels, response = constant_q_kernels(f, **settings), constant_q_response(f, **settings)
    x = band_noise(2**14, f[0], f[-1])
    spectrum = constant_q(x.to(dtype), kernels)
    back = constant_q_inverse(spectrum, kernels, response.power, 2**14, n_iter=n_iter).double()
    inner = slice(3000, -3000)
    return float(20 * torch.log10(x[inner].norm() / (back - x)[inner].norm()))


@pytest.mark.parametrize(("n_bins", "per_octave"), [(50, 12), (150, 36), (200, 60)])
@pytest.mark.parametrize("hop", [16, 32])
def test_inverse_on_the_covered_band(n_bins: int, per_octave: int, hop: int) -> None:
    assert inverse_snr(n_bins, per_octave, hop, torch.float64, 8) > 80
    assert inverse_snr(n_bins, per_octave, hop, torch.float32, 8) > 80
    assert inverse_snr(n_bins, per_octave, hop, torch.float64, 0) > 40


def test_inverse_of_silence_is_silence_with_its_gradient() -> None:
    kernels = small_kernels()
    response = constant_q_response(
        cqt_frequencies(6, 900.0, bins_per_octave=3).tolist(),
        sample_rate=8000,
        hop_length=24,
        bins_per_octave=3,
    )
    silence = torch.zeros(6, 11, dtype=torch.complex128, requires_grad=True)
    back = constant_q_inverse(silence, kernels, response.power, 250)
    assert not back.any()
    back.square().sum().backward()
    assert not silence.grad.any()


def test_gradient_of_the_inverse_is_that_of_least_squares() -> None:
    """Against finite differences of a dense float64 pseudo-inverse on the covered band."""
    kernels = small_kernels(4)
    response = constant_q_response(
        cqt_frequencies(6, 900.0, bins_per_octave=3).tolist(),
        sample_rate=8000,
        hop_length=4,
        bins_per_octave=3,
    )
    spectrum = constant_q(noise(200), kernels).requires_grad_()
    assert gradcheck(
        lambda s: constant_q_inverse(s, kernels, response.power, 200, n_iter=30),
        (spectrum,),
        atol=1e-4,
        rtol=1e-3,
        fast_mode=True,
    )


def test_largest_hop_is_the_shortest_hann_over_2_7() -> None:
    f = cqt_frequencies(84, 32.7032)
    lengths = librosa.filters.wavelet_lengths(freqs=f.numpy(), sr=RATE, alpha=_alpha(84, 12))[0]
    response = constant_q_response(f.tolist(), sample_rate=RATE, hop_length=512, bins_per_octave=12)
    assert response.largest_hop == math.floor(lengths.min() / 2.7) == 35
    first = f.numpy()[lengths / 2.7 < 512].min()
    assert response.undersampled == pytest.approx(first)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hop_length": 0}, r"`hop_length` \(=0\)"),
        ({"sample_rate": 0.0}, r"`sample_rate` \(=0.0 Hz\)"),
        ({"gamma": -1.0}, r"`gamma` \(=-1 Hz\)"),
        ({"filter_scale": 0.0}, r"`filter_scale` \(=0\)"),
        ({"bins_per_octave": 0.5}, r"`bins_per_octave` \(=0.5\)"),
        ({"frequencies": []}, "at least one"),
        ({"frequencies": [220.0, 220.0]}, "differ from one another"),
        ({"frequencies": [220.0, float("nan")]}, r"`frequencies` \(=nan Hz\)"),
        ({"frequencies": [220.0, -3.0]}, r"`frequencies` \(=-3.0 Hz\)"),
        ({"frequencies": [220.0, 3990.0]}, "Nyquist frequency 4000 Hz. Pass at most 1 bins"),
        ({"frequencies": [220.0], "bins_per_octave": None}, "at least 2"),
        ({"window": "hannn"}, "`name`"),
    ],
)
def test_bad_settings(change: dict[str, object], message: str) -> None:
    settings = {
        "frequencies": [220.0, 440.0],
        "sample_rate": 8000.0,
        "hop_length": 100,
        "bins_per_octave": 12.0,
    } | change
    with pytest.raises(ValueError, match=message):
        constant_q_kernels(settings.pop("frequencies"), **settings)


def test_bad_input() -> None:
    kernels = small_kernels()
    with pytest.raises(ValueError, match="at least one sample"):
        constant_q(torch.zeros(0), kernels)
    spectrum = constant_q(noise(250), kernels)
    with pytest.raises(ValueError, match=r"`length` \(=500 samples\) must be 240 to 263"):
        constant_q_inverse(spectrum, kernels, torch.ones(10), 500)
    with pytest.raises(ValueError, match=r"`n_bins` \(=0\)"):
        cqt_frequencies(0, 32.7)
    with pytest.raises(ValueError, match=r"`f_min` \(=0.0 Hz\)"):
        cqt_frequencies(12, 0.0)
