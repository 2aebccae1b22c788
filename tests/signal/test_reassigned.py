import pytest
import torch

from passband.signal import ReassignedSpectrogram, Spectrogram


def test_energy_is_that_of_the_spectrogram() -> None:
    x = torch.randn(2, 4096, dtype=torch.float64)
    transform = ReassignedSpectrogram(8000, n_fft=256, hop_length=64)
    plain = Spectrogram(n_fft=256, hop_length=64, pad_mode="constant")(x)
    torch.testing.assert_close(
        transform.energy(x).sum((-2, -1)), plain.sum((-2, -1)), rtol=1e-9, atol=0
    )


def test_energy_is_sharper() -> None:
    t = torch.arange(8192, dtype=torch.float64) / 8000
    chirp = torch.sin(2 * torch.pi * (500 * t + 1000 * t**2))
    transform = ReassignedSpectrogram(8000, n_fft=256, hop_length=64)
    plain = transform(chirp).magnitudes.square()
    ours = transform.energy(chirp)

    def participation(energy: torch.Tensor) -> float:
        return float(energy.sum().square() / energy.square().sum())

    assert participation(ours) < 0.75 * participation(plain)


def test_energy_passes_gradients() -> None:
    x = torch.randn(120, dtype=torch.float64, requires_grad=True)
    transform = ReassignedSpectrogram(
        2, n_fft=16, hop_length=8, clip=False, trainable=True
    ).double()
    assert torch.autograd.gradcheck(lambda x: transform.energy(x)[2:7, 3:9], (x,), atol=1e-4)
    transform.energy(x).square().sum().backward()
    assert transform.window.grad.abs().sum() > 0


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("block", [37, 700])
def test_stream(block: int, center: bool) -> None:
    x = torch.randn(2, 2000, dtype=torch.float64)
    transform = ReassignedSpectrogram(8000, 128, 50, 100, center=center, clip=False)
    stream = transform.stream()
    for _ in range(2):  # a finished stream starts anew
        parts = [stream.push(piece) for piece in x.split(block, dim=-1)]
        parts.append(stream.finish())
        for ours, whole in zip(zip(*parts, strict=True), transform(x), strict=True):
            torch.testing.assert_close(torch.cat(ours, dim=-1), whole, rtol=0, atol=1e-7)
    stream.push(x)
    stream.reset()
    assert stream.push(x[:, :10]).times.shape == (2, 65, 0)


def test_clip_needs_the_duration() -> None:
    with pytest.raises(ValueError, match=r"`clip` \(=True\) must be False in a stream"):
        ReassignedSpectrogram().stream()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_rate": -1}, r"`sample_rate` \(=-1 Hz\) must be above 0"),
        ({"n_fft": 16, "win_length": 17}, r"`win_length` \(=17\) must be at most `n_fft` \(=16\)"),
        ({"hop_length": 0}, r"`hop_length` \(=0\) must be a positive integer"),
        ({"ref_power": -1.0}, r"`ref_power` \(=-1\) must be at least 0"),
        ({"window": "hanning"}, r"`name` \(='hanning'\) must be one of"),
    ],
)
def test_errors(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReassignedSpectrogram(**settings)
