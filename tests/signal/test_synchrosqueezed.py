import pytest
import torch
from torch import Tensor

from passband.frequency import synchrosqueezed_cwt, synchrosqueezed_stft
from passband.signal import (
    InverseSynchrosqueezedCWT,
    InverseSynchrosqueezedSTFT,
    SynchrosqueezedCWT,
    SynchrosqueezedSTFT,
)


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_are_their_functions(dtype: torch.dtype) -> None:
    x = noise(2, 300, dtype=dtype)
    transform = SynchrosqueezedCWT(8000, "morlet", f_min=300, voices=8, gamma=0.01)
    expected = synchrosqueezed_cwt(x, transform.scales, wavelet="morlet", gamma=0.01)
    torch.testing.assert_close(transform(x), expected, rtol=0, atol=1e-6)
    frames = SynchrosqueezedSTFT(8000, 64, 3, 50, "hamming")
    expected = synchrosqueezed_stft(x, n_fft=64, hop_length=3, win_length=50, window="hamming")
    torch.testing.assert_close(frames(x), expected, rtol=0, atol=1e-6)
    assert not transform.state_dict()
    assert not frames.state_dict()


def test_round_trips() -> None:
    x = noise(2, 700)
    squeezed = SynchrosqueezedSTFT(8000, n_fft=63)(x)
    back = InverseSynchrosqueezedSTFT(8000, n_fft=63)(squeezed, length=700)
    torch.testing.assert_close(back, x, rtol=0, atol=1e-5)

    given = {"sample_rate": 8000, "f_min": 200, "voices": 16}
    hertz = torch.fft.rfftfreq(8000, 1 / 8000)
    spectrum = torch.fft.rfft(noise(8000)) * ((hertz > 250) & (hertz < 3000))
    x = torch.fft.irfft(spectrum)
    error = InverseSynchrosqueezedCWT(**given)(SynchrosqueezedCWT(**given)(x)) - x
    inside = slice(2000, -2000)
    assert 10 * (x[inside].square().sum() / error[inside].square().sum()).log10() > 60


@pytest.mark.parametrize(("center", "hop"), [(True, 5), (False, 5), (True, 1)])
def test_stream_is_the_whole(center: bool, hop: int) -> None:
    transform = SynchrosqueezedSTFT(8000, 32, hop, center=center)
    x = noise(2, 500, dtype=torch.float64)
    stream = transform.stream()
    frames = [stream.push(block) for block in x.split(70, dim=-1)] + [stream.finish()]
    torch.testing.assert_close(torch.cat(frames, dim=-1), transform(x), rtol=0, atol=1e-12)


def test_a_trainable_window_learns() -> None:
    transform = SynchrosqueezedSTFT(8000, 32, 8, trainable=True)
    transform(noise(200)).abs().square().sum().backward()
    assert transform.window.grad.abs().sum() > 0


def test_maps() -> None:
    x = noise(3, 200)
    for transform in (
        SynchrosqueezedCWT(8000, f_min=500, voices=8),
        SynchrosqueezedSTFT(8000, 32, 4),
    ):
        torch.testing.assert_close(torch.func.vmap(transform)(x), transform(x), rtol=0, atol=1e-5)


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`hop_length` \(=4 samples\) must be 1 for an inverse"):
        InverseSynchrosqueezedSTFT(8000, 64, 4)
    with pytest.raises(ValueError, match=r"`hop_length` \(=0\) must be a positive integer"):
        SynchrosqueezedSTFT(8000, 64, 0)
    with pytest.raises(ValueError, match=r"`win_length` \(=65\) must be at most `n_fft` \(=64\)"):
        SynchrosqueezedSTFT(8000, 64, 4, 65)
    with pytest.raises(ValueError, match=r"`gamma` \(=-1\) must be at least 0"):
        SynchrosqueezedCWT(8000, gamma=-1)
    with pytest.raises(ValueError, match=r"`f_max` \(=5000 Hz\) must ascend"):
        SynchrosqueezedCWT(8000, f_max=5000)
    with pytest.warns(UserWarning, match=r"too far apart for an inverse"):
        InverseSynchrosqueezedCWT(8000, f_min=100, voices=1)
    nan = torch.full((100,), torch.nan)
    for transform in (SynchrosqueezedCWT(8000, f_min=800, voices=8), SynchrosqueezedSTFT(8000, 32)):
        with pytest.raises(ValueError, match=r"`waveform` \(shape \(100,\), 100 of its values NaN"):
            transform(nan)
    with pytest.raises(ValueError, match=r"`transform` \(shape \(17, 9\)\) must be \(\*batch, 33"):
        InverseSynchrosqueezedSTFT(8000, 64)(torch.zeros(17, 9, dtype=torch.complex64))
