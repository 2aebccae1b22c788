import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import _block_spectrum as block_spectrum
from passband.frequency import griffinlim, spectrogram


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0)) - 0.5


def convergence(y: Tensor, magnitudes: Tensor, **frames: int) -> float:
    again = spectrogram(y, power=1.0, **frames)
    return float((again - magnitudes).norm() / magnitudes.norm())


def by_torch(magnitudes: Tensor, n_fft: int, hop: int, steps: int, momentum: float) -> Tensor:
    """The iteration, written with torch's own transforms."""
    taper = {"window": torch.hann_window(n_fft, dtype=torch.float64), "hop_length": hop}
    phase = torch.ones_like(magnitudes) + 0j
    before = torch.zeros_like(phase)
    for _ in range(steps):
        signal = torch.istft(magnitudes * phase, n_fft, **taper)
        now = torch.stft(signal, n_fft, **taper, return_complex=True)
        phase = torch.sgn(now - momentum / (1 + momentum) * before)
        before = now
    return torch.istft(magnitudes * phase, n_fft, **taper)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("steps", [0, 1, 2, 7])
@pytest.mark.parametrize(("n_fft", "hop"), [(64, 16), (100, 30)])
def test_is_its_iteration(momentum: float, steps: int, n_fft: int, hop: int) -> None:
    magnitudes = spectrogram(noise(2, 1000), n_fft=n_fft, hop_length=hop, power=1.0)
    expected = by_torch(magnitudes, n_fft, hop, steps, momentum)
    shared = {"n_fft": n_fft, "hop_length": hop, "momentum": momentum, "n_iter": steps}
    ours = griffinlim(magnitudes, power=1.0, rand_init=False, **shared)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-9)
    squared = griffinlim(magnitudes.square(), rand_init=False, **shared)
    torch.testing.assert_close(squared, expected, rtol=0, atol=1e-6)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    magnitudes = spectrogram(noise(3, 2000), n_fft=64, hop_length=16, power=1.0)
    shared = {"n_fft": 64, "hop_length": 16, "power": 1.0, "n_iter": 3, "rand_init": False}
    whole = griffinlim(magnitudes, **shared)
    for size in (1100, 20000):
        monkeypatch.setattr(block_spectrum, "_BLOCK", size)
        ours = griffinlim(magnitudes, **shared)
        torch.testing.assert_close(ours, whole, rtol=0, atol=1e-10)
    traced = torch.func.vmap(lambda m: griffinlim(m, **shared))(magnitudes)
    torch.testing.assert_close(traced, whole, rtol=0, atol=1e-10)


def test_converges_and_faster_with_momentum() -> None:
    t = torch.arange(12000) / 8000
    x = torch.sin(2 * torch.pi * (200 + 400 * t) * t) + 0.1 * noise(12000, dtype=torch.float32)
    frames = {"n_fft": 256, "hop_length": 64}
    magnitudes = spectrogram(x, power=1.0, **frames)
    errors = {}
    for momentum in (0.0, 0.99):
        torch.manual_seed(0)
        y = griffinlim(magnitudes, power=1.0, momentum=momentum, length=12000, **frames)
        errors[momentum] = convergence(y, magnitudes, **frames)
    assert errors[0.99] < 0.8 * errors[0.0] < 0.2


def test_random_start_is_of_torchs_generator() -> None:
    magnitudes = spectrogram(noise(500), n_fft=64)
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(griffinlim(magnitudes, n_fft=64, n_iter=2))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("length", [100, 999, 1000, 1001, 1500])
def test_length_is_honoured(length: int) -> None:
    magnitudes = spectrogram(noise(2, 1000), n_fft=64, hop_length=16)
    y = griffinlim(magnitudes, n_fft=64, hop_length=16, length=length, n_iter=3)
    assert y.shape == (2, length)
    assert not y[:, 1040:].any()


def test_silence() -> None:
    y = griffinlim(torch.zeros(33, 20), n_fft=64)
    assert torch.equal(y, torch.zeros(19 * 32))


def test_gradients() -> None:
    magnitudes = spectrogram(noise(30), n_fft=8, hop_length=2, power=1.0).requires_grad_()

    def forward(m: Tensor) -> Tensor:
        return griffinlim(m, n_fft=8, hop_length=2, power=1.0, n_iter=2, rand_init=False)

    assert gradcheck(forward, magnitudes, fast_mode=True)
    quiet = torch.zeros(33, 20, requires_grad=True)
    griffinlim(quiet, n_fft=64, n_iter=2).sum().backward()
    assert quiet.grad.isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"momentum": 1.0}, r"`momentum` \(=1.0\) must be at least 0 and below 1"),
        ({"momentum": -0.1}, r"`momentum` \(=-0.1\) must be at least 0 and below 1"),
        ({"n_iter": -1}, r"`n_iter` \(=-1\) must be an integer of at least 0"),
        ({"power": 0.0}, r"`power` \(=0.0\) must be above 0"),
        ({"power": None}, r"`power` \(=None\) must be above 0"),
        ({"length": 0}, r"`length` \(=0\) must be a positive integer"),
        ({"hop_length": 0}, r"`hop_length` \(=0\) must be a positive integer"),
        ({"hop_length": 64}, r"`hop_length` \(=64\) must be small enough .*NOLA"),
        ({"win_length": 65}, r"`win_length` \(=65\) must be at most `n_fft` \(=64\)"),
        ({"n_fft": 62}, r"`specgram` \(shape \(33, 20\)\) must be \(\*batch, 32, frames\)"),
        ({"hop_length": 1}, r"`specgram` \(20 frames\) must have at least 34 frames"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        griffinlim(torch.ones(33, 20), **{"n_fft": 64, **arguments})


@pytest.mark.usefixtures("unchecked")
def test_bad_tensors() -> None:
    with pytest.raises(TypeError, match=r"`specgram` \(dtype torch.complex64\) must be float32"):
        griffinlim(torch.ones(33, 20, dtype=torch.complex64), n_fft=64)
    with pytest.raises(ValueError, match=r"`specgram` \(shape \(33, 0\)\) must have a last axis"):
        griffinlim(torch.ones(33, 0), n_fft=64)
