"""The inverse, a few frames at a time."""

import math

import pytest
import torch
from torch import Tensor

from passband.signal import InverseSpectrogram, Spectrogram

FRAMES = [(64, 16, None), (63, 20, 50), (64, 40, None), (32, 7, None), (8, 1, None)]


def noise(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize(("n_fft", "hop_length", "win_length"), FRAMES)
@pytest.mark.parametrize(
    ("length", "more"),
    [
        (None, {}),
        (200, {"normalized": True}),
        (200, {"normalized": "frame_length", "onesided": False}),
        (250, {}),
    ],
)
def test_equal_to_the_whole(
    n_fft: int,
    hop_length: int,
    win_length: int | None,
    center: bool,
    length: int | None,
    more: dict[str, object],
) -> None:
    x = noise(2, 3, 200)
    settings = (n_fft, win_length, hop_length)
    inverse = InverseSpectrogram(*settings, center=center, **more)
    spectrum = Spectrogram(*settings, center=center, power=None, **more)(x)
    expected = inverse(spectrum, length)
    stream = inverse.stream()
    for size in (1, 5, 1000):
        pieces = [stream.push(frames) for frames in spectrum.split(size, dim=-1)]
        whole = torch.cat([*pieces, stream.finish(length)], dim=-1)
        torch.testing.assert_close(whole, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize(("n_fft", "hop_length", "win_length"), FRAMES)
def test_latency_and_memory(
    n_fft: int, hop_length: int, win_length: int | None, center: bool
) -> None:
    inverse = InverseSpectrogram(n_fft, win_length, hop_length, center=center)
    stream = inverse.stream()
    out, behind = 0, []
    for k in range(60):
        out += stream.push(torch.ones(n_fft // 2 + 1, 1, dtype=torch.complex128)).shape[-1]
        behind.append(k * hop_length + n_fft - (n_fft // 2 if center else 0) - out)
        assert stream._signal.shape[-1] < 1.5 * n_fft
    assert max(behind) == stream.latency


def test_a_chain_of_streams() -> None:
    x = noise(2, 900)
    there, back = Spectrogram(64, power=None).stream(), InverseSpectrogram(64).stream()
    pieces = [back.push(there.push(block)) for block in x.split(37, dim=-1)]
    pieces += [back.push(there.finish()), back.finish(length=900)]
    torch.testing.assert_close(torch.cat(pieces, dim=-1), x, rtol=0, atol=1e-11)


def test_gradients_flow() -> None:
    spectrum = torch.view_as_complex(noise(33, 12, 2)).requires_grad_()
    inverse = InverseSpectrogram(64, hop_length=16)
    stream = inverse.stream()
    pieces = [stream.push(frames) for frames in spectrum.split(5, dim=-1)]
    streamed = torch.cat([*pieces, stream.finish()], dim=-1)
    slopes = [
        torch.autograd.grad(y.square().sum(), spectrum)[0] for y in (streamed, inverse(spectrum))
    ]
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-10)


@pytest.mark.usefixtures("unchecked")
def test_bad_use() -> None:
    stream = InverseSpectrogram(64).stream()
    with pytest.raises(ValueError, match=r"`finish` \(0 frames pushed\) must follow a push"):
        stream.finish()
    frames = torch.ones(2, 33, 6, dtype=torch.complex64)
    assert stream.push(frames[..., :0]).shape == (2, 0)
    stream.push(frames)
    with pytest.raises(ValueError, match=r"`length` \(=100 samples\) must be at least the 160"):
        stream.finish(length=100)
    with pytest.raises(ValueError, match=r"`spectrum` \(shape \(2, 30, 6\)\) must be"):
        stream.push(frames[:, :30])
    with pytest.raises(ValueError, match=r"`spectrum` .* must be finite"):
        stream.push(frames * math.nan)
    with pytest.raises(ValueError, match=r"`pad` \(=3\) must be 0 to stream"):
        InverseSpectrogram(64, pad=3).stream()
    with pytest.raises(ValueError, match=r"`hop_length` \(=64\) must be small enough"):
        InverseSpectrogram(64, hop_length=64).stream()
