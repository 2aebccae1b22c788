"""The log-frequency spectrogram as a module."""

import math

import pytest
import torch

from passband.signal import LogFrequencySpectrogram

SMALL = {"n_fft": 256, "hop_length": 64, "f_min": 200.0, "f_max": 3000.0, "n_bins": 40}


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("scale", ["linear", "log", "log2"])
def test_a_tone_stands_at_its_bin(scale: str) -> None:
    transform = LogFrequencySpectrogram(8000, freq_scale=scale, **SMALL)
    hertz = float(transform.frequencies[17])
    tone = torch.cos(2 * math.pi * hertz * torch.arange(4000) / 8000)
    column = LogFrequencySpectrogram(8000, freq_scale=scale, power=1.0, **SMALL)(tone)[:, 30]
    assert int(column.argmax()) == 17
    # Half the sum of the window, and a sliver of the mirror image.
    assert abs(float(column[17]) - 64) < 0.1
    torch.testing.assert_close(transform(tone)[:, 30], column.square(), rtol=1e-4, atol=1e-4)


def test_complex_is_the_fourier_sum_at_its_frequencies() -> None:
    x = noise(2, 600)
    transform = LogFrequencySpectrogram(
        8000, win_length=200, window_fn=torch.hamming_window, power=None, center=False, **SMALL
    )
    taper = torch.nn.functional.pad(torch.hamming_window(200, dtype=torch.float64), (28, 28))
    turns = transform.frequencies[:, None] / 8000 * torch.arange(256, dtype=torch.float64)
    kernel = torch.exp(-2j * math.pi * turns) * taper
    expected = (x.unfold(-1, 256, 64) + 0j) @ kernel.mT
    torch.testing.assert_close(transform(x), expected.mT, rtol=0, atol=1e-7)


@pytest.mark.parametrize("center", [True, False])
def test_stream_is_the_whole(center: bool) -> None:
    x = noise(2, 2000)
    transform = LogFrequencySpectrogram(8000, center=center, power=None, **SMALL)
    stream = transform.stream()
    frames = [stream.push(block) for block in x.split((1, 700, 299, 1000), dim=-1)]
    frames.append(stream.finish())
    torch.testing.assert_close(torch.cat(frames, dim=-1), transform(x), rtol=0, atol=1e-10)


def test_the_window_learns() -> None:
    transform = LogFrequencySpectrogram(8000, trainable=True, **SMALL)
    assert list(transform.state_dict()) == ["window"]
    transform(noise(600).float()).sum().backward()
    assert transform.window.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"f_max": 4001.0}, r"`f_max` \(=4001 Hz\) must be at most the Nyquist frequency 4000 Hz"),
        ({"f_min": 0.0}, r"`f_min` \(=0 Hz\) must be above 0 Hz"),
        ({"n_bins": 0}, r"`n_bins` \(=0\) must be a positive integer"),
        ({"hop_length": 0}, r"`hop_length` \(=0\) must be a positive integer"),
        ({"win_length": 257}, r"`win_length` \(=257\) must be at most `n_fft` \(=256\)"),
        ({"n_fft": 0}, r"`n_fft` \(=0\) must be a positive integer"),
        ({"power": 0.0}, r"`power` \(=0.0\) must be above 0"),
        ({"window_fn": lambda n: torch.ones(n + 1)}, r"`window_fn` .* must give a real tensor"),
    ],
)
def test_errors(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogFrequencySpectrogram(8000, **{**SMALL, **settings})


def test_bad_signals() -> None:
    transform = LogFrequencySpectrogram(8000, **SMALL)
    with pytest.raises(ValueError, match=r"`x` \(time 128\) must have at least 129 samples"):
        transform(torch.zeros(128))
    with pytest.raises(ValueError, match=r"`waveform` .* must be finite"):
        transform(torch.full((600,), math.nan))
    with pytest.raises(ValueError, match=r"must have a last axis of at least one sample"):
        transform(torch.zeros(2, 0))
