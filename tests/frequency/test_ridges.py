import itertools
import math

import pytest
import torch
from torch import Tensor

from passband.frequency import extract_ridges, named_wavelet, stft, synchrosqueezed_cwt

GMW = named_wavelet("gmw")
SCALES = [GMW.main_band[1] / math.pi * 1.001 * 2 ** (i / 24) for i in range(72)]
ROWS = torch.tensor([GMW.centre / (2 * math.pi * s) for s in SCALES[::-1]])


def chirp(time: int, start: float, stop: float) -> tuple[Tensor, Tensor]:
    n = torch.arange(time, dtype=torch.float64)
    phase = 2 * math.pi * (start * n + (stop - start) * n**2 / (2 * time))
    return torch.cos(phase).float(), (start + (stop - start) * n / time).float()


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_the_best_of_all_curves() -> None:
    plane = noise(2, 4, 6) + 1j * noise(2, 4, 6).flip(0)
    for penalty in (0.0, 0.3, 3.0):
        ours = extract_ridges(plane, torch.arange(4.0), penalty=penalty).rows[:, 0]
        for item, found in zip(plane, ours, strict=True):
            score = (item.abs().square() / item.abs().square().max() + 1e-6).log()

            def total(
                curve: tuple[int, ...], score: Tensor = score, penalty: float = penalty
            ) -> float:
                moves = sum((a - b) ** 2 for a, b in itertools.pairwise(curve))
                return float(sum(score[r, t] for t, r in enumerate(curve))) - penalty * moves

            best = max(total(curve) for curve in itertools.product(range(4), repeat=6))
            assert total(tuple(found.tolist())) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_parallel_chirps_in_noise(level: float) -> None:
    (x, low), (y, high) = chirp(1500, 0.05, 0.12), chirp(1500, 0.12, 0.29)
    squeezed = synchrosqueezed_cwt(1.5 * x + y + level * noise(1500), SCALES)
    found = extract_ridges(squeezed, ROWS, n_ridges=2, penalty=2.0)
    assert found.frequencies.shape == found.rows.shape == (2, 1500)
    for ridge, frequency in zip(found.frequencies, (low, high), strict=True):
        off = (ridge / frequency).log2().abs()[200:-200]
        assert off.median() < 1 / 24
        assert off.max() < 4 / 24


def test_crossing_chirps_in_noise() -> None:
    """Away from the crossing the two ridges are the two chirps, in either order."""
    (x, up), (y, down) = chirp(1500, 0.06, 0.24), chirp(1500, 0.24, 0.06)
    squeezed = synchrosqueezed_cwt(x + y + 0.3 * noise(1500), SCALES)
    found = extract_ridges(squeezed, ROWS, n_ridges=2, penalty=2.0).frequencies
    both, truth = found.sort(0).values, torch.stack((up, down)).sort(0).values
    off = (both / truth).log2().abs()
    for stretch in (slice(200, 600), slice(900, 1300)):
        assert off[:, stretch].median() < 1 / 24
        assert (off[:, stretch] < 4 / 24).float().mean() > 0.97


def test_batches_and_other_transforms() -> None:
    x = torch.stack([chirp(1200, 0.1, 0.2)[0], chirp(1200, 0.4, 0.3)[0]])
    spectrum = stft(x, n_fft=64, hop_length=20)
    hertz = torch.arange(33) * 100.0
    found = extract_ridges(spectrum, hertz, bandwidth=6)
    alone = torch.stack([extract_ridges(one, hertz, bandwidth=6).rows for one in spectrum])
    assert torch.equal(found.rows, alone)
    assert torch.equal(found.frequencies, hertz[found.rows])
    truth = torch.stack((torch.linspace(0.1, 0.2, 61), torch.linspace(0.4, 0.3, 61))) * 6400
    assert (found.frequencies[:, 0] - truth)[:, 3:-3].abs().max() < 150


def test_silence_has_a_ridge() -> None:
    assert extract_ridges(
        torch.zeros(3, 4, dtype=torch.complex64), torch.arange(3.0)
    ).rows.shape == (1, 4)


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    plane, rows = torch.ones(3, 4, dtype=torch.complex64), torch.arange(3.0)
    with pytest.raises(TypeError, match=r"`transform` \(dtype torch.float32\) must be complex64"):
        extract_ridges(plane.real, rows)
    with pytest.raises(ValueError, match=r"`transform` \(shape \(3, 4\)\) must be \(\*batch, rows"):
        extract_ridges(plane, torch.arange(4.0))
    with pytest.raises(ValueError, match=r"`transform` \(shape \(3, 0\)\) must be \(\*batch, rows"):
        extract_ridges(plane[:, :0], rows)
    with pytest.raises(ValueError, match=r"`n_ridges` \(=0\) must be a positive integer"):
        extract_ridges(plane, rows, n_ridges=0)
    with pytest.raises(ValueError, match=r"`penalty` \(=-1\) must be at least 0"):
        extract_ridges(plane, rows, penalty=-1)
    with pytest.raises(ValueError, match=r"`bandwidth` \(=-1\) must be at least 0"):
        extract_ridges(plane, rows, bandwidth=-1)
